//! The whole way in a real browser, in both languages: what a customer does, seen as they see it.
//!
//! The steps are in `browser/journey.mjs`, in the browser's own language; here the server is
//! started and the outcome judged. Screenshots stay in `test-output/browser/`.

use std::path::Path;
use std::process::Command;

use laika_tests::support::{laika::Place, usage::SECRET};

fn journey(language: &str) {
    let place = Place::new("browser");
    let mut server = place.start(&["serve"]);
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pictures = tests.parent().expect("a checkout").join("test-output/browser").join(language);
    let node = std::env::var_os("LAIKA_NODE").unwrap_or_else(|| "node".into());
    let output = Command::new(node)
        .arg(tests.join("browser/journey.mjs"))
        .env("LAIKA_ORIGIN", &server.origin)
        .env("LAIKA_LANGUAGE", language)
        .env("LAIKA_PICTURES", pictures)
        .env("LAIKA_USAGE_SECRET", SECRET)
        .output()
        .expect("node runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    println!("{said}");
    assert_eq!(server.ended(), None, "the server ended on the way:\n{said}\n{failed}");
    assert!(output.status.success(), "{said}\n{failed}");
    assert!(said.trim_end().ends_with("the whole way"), "it stopped early:\n{said}");
}

#[test]
fn the_whole_way_in_english() {
    journey("en");
}

#[test]
fn the_whole_way_in_chinese() {
    journey("zh-CN");
}
