//! The lines of the account, as Home shows them.

use super::extract::SignedIn;
use crate::{Shared, error::Result, flow::view, store::lines};
use axum::{Json, extract::State};
use laika_core::api::LineView;

/// `GET /lines`.
pub async fn list(State(app): State<Shared>, session: SignedIn) -> Result<Json<Vec<LineView>>> {
    let mut conn = app.store.read().await?;
    let mut views = Vec::new();
    for line in lines::of_account(&mut conn, session.account()).await? {
        let now = app.clock.now().max(line.newest_at);
        views.push(view::line(&mut conn, &line, now).await?);
    }
    Ok(Json(views))
}
