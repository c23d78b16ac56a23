//! The lines of the account, as Home shows them, and their names.

use super::extract::{Body, SignedIn};
use crate::{
    Shared,
    error::{Error, Result},
    flow::{advance::ring, view},
    store::{Conn, accounts, lines, lines::Line},
};
use axum::{
    Json,
    extract::{Path, State},
};
use laika_core::{
    api::{LineChange, LineView},
    field::{Field, FieldError},
    label::label,
};

/// `GET /lines`: the account's lines, with balance, prices and how the rule stands.
pub async fn list(State(app): State<Shared>, session: SignedIn) -> Result<Json<Vec<LineView>>> {
    let mut conn = app.store.read().await?;
    let mut views = Vec::new();
    for line in lines::of_account(&mut conn, session.account()).await? {
        views.push(shown(&app, &mut conn, &line).await?);
    }
    Ok(Json(views))
}

/// `PATCH /lines/{id}`: names the line.
pub async fn change(
    State(app): State<Shared>,
    session: SignedIn,
    Path(id): Path<String>,
    Body(typed): Body<LineChange>,
) -> Result<Json<LineView>> {
    let account = session.account();
    let label = label(&typed.label)
        .map_err(|code| Error::fields(vec![FieldError::new(Field::Label, code)]));
    let mut tx = app.store.write().await?;
    // Why before the text is judged: another's line is not there, whatever was typed.
    let line = lines::get(&mut tx, account, &id).await?.ok_or_else(Error::not_found)?;
    let line = Line { label: Some(label?), ..line };
    lines::rename(&mut tx, &line).await?;
    accounts::bump(&mut tx, account).await?;
    let view = shown(&app, &mut tx, &line).await?;
    tx.commit().await;
    ring(&app);
    Ok(Json(view))
}

async fn shown(app: &Shared, conn: &mut Conn, line: &Line) -> Result<LineView> {
    view::line(conn, line, app.clock.now().max(line.newest_at)).await
}
