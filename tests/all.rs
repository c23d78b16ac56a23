//! Every test that looks at Laika from outside, in one binary.
