//! What Stripe takes: names and values, form-encoded, in a body or after a question mark.

use std::fmt::Write;

/// Pairs on their way, encoded as they are added.
#[derive(Clone, Debug, Default)]
pub(super) struct Form(String);

impl Form {
    /// One more pair.
    pub(super) fn with(mut self, name: &str, value: impl AsRef<str>) -> Form {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.push(name);
        self.0.push('=');
        self.push(value.as_ref());
        self
    }

    /// The encoded text.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    fn push(&mut self, text: &str) {
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                self.0.push(char::from(byte));
            } else {
                // Writing to a string cannot fail.
                let _ = write!(self.0, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn nothing_in_a_value_can_become_another_pair() {
        let form = Form::default().with("metadata[a]", "x&amount=1").with("back", "{ID} é+%");
        assert_eq!(form.text(), "metadata%5Ba%5D=x%26amount%3D1&back=%7BID%7D%20%C3%A9%2B%25");
    }
}
