//! The endpoints, as one plain list: state -> session -> input -> typed answer. It holds no rule.

use crate::{Shared, error, error::Result, secret};
use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
    routing::get,
};

/// Everything that is served on the app's address.
pub fn router(app: Shared) -> Router {
    Router::new()
        .route("/livez", get(live))
        .route("/readyz", get(ready))
        .layer(middleware::from_fn(render_errors))
        .with_state(app)
}

/// The process runs.
async fn live() -> &'static str {
    "live\n"
}

/// The database answers.
async fn ready(State(app): State<Shared>) -> Result<&'static str> {
    crate::store::settings::sandbox_offset(&mut *app.store.read().await?).await?;
    Ok("ready\n")
}

/// Gives each request its id and turns errors into problems, outermost of all.
async fn render_errors(request: Request, next: Next) -> Response {
    let request_id = secret::id("req");
    error::render(next.run(request).await, &request_id)
}
