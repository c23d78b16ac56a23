//! The sandbox's payment provider, asked by a test itself and not by Laika.

use super::http::Request;

/// The sandbox's bearer key. Public on purpose: it guards no money.
pub const API_KEY: &str = "sandbox-key-no-real-money";

/// A request to the provider's API at an origin.
pub fn request(origin: &str, method: &str, path: &str) -> Request {
    let request = Request::new(method, &format!("{origin}/provider/v1{path}"));
    request.header("Authorization", &format!("Bearer {API_KEY}"))
}
