//! Consent receipts: those of a line, for its owner, and the public keys, for anybody.

use super::extract::SignedIn;
use crate::{
    Shared,
    error::{Error, Result},
    store::{lines, receipts},
};
use axum::{
    Json,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use laika_core::api::receipts::{ReceiptView, SigningKeyView};

/// `GET /lines/{id}/rule/receipts`: the consents given, the newest first.
pub async fn list(
    State(app): State<Shared>,
    session: SignedIn,
    Path(id): Path<String>,
) -> Result<Json<Vec<ReceiptView>>> {
    let mut conn = app.store.read().await?;
    let line = lines::get(&mut conn, session.account(), &id).await?;
    let line = line.ok_or_else(Error::not_found)?;
    Ok(Json(receipts::of_line(&mut conn, &line).await?))
}

/// `GET /lines/{id}/rule/receipts/{version}`: the signed receipt, byte for byte as it was signed.
pub async fn show(
    State(app): State<Shared>,
    session: SignedIn,
    Path((id, version)): Path<(String, String)>,
) -> Result<Response> {
    let mut conn = app.store.read().await?;
    let line = lines::get(&mut conn, session.account(), &id).await?;
    let line = line.ok_or_else(Error::not_found)?;
    let version = version.parse().map_err(|_| Error::not_found())?;
    let signed = receipts::signed(&mut conn, &line, version).await?;
    let signed = signed.ok_or_else(Error::not_found)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], signed).into_response())
}

/// `GET /signing-keys`: public; whoever has a receipt may check it.
pub async fn keys(State(app): State<Shared>) -> Result<Json<Vec<SigningKeyView>>> {
    Ok(Json(receipts::keys(&mut *app.store.read().await?).await?))
}
