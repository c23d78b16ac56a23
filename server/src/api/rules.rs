//! The rule of a line: its page, what a preview is computed from, saving, and the switches.

use super::extract::{Body, RequestKey, SignedIn};
use crate::{
    Shared,
    error::{Error, Result},
    flow::{
        save_rule,
        switch_rule::{self, Switch},
        view,
    },
    store::{lines, looks},
};
use axum::{
    Json,
    extract::{Path, State},
};
use laika_core::{
    api::{LookView, Pause, RuleView, SaveRule, Stopped, TurnOn},
    forecast::PreviewInputs,
    record::{Authenticated, Proof},
};

/// `GET /lines/{id}/preview-inputs`: what a preview is computed from.
pub async fn preview_inputs(
    State(app): State<Shared>,
    session: SignedIn,
    Path(id): Path<String>,
) -> Result<Json<PreviewInputs>> {
    let mut conn = app.store.read().await?;
    let line = lines::get(&mut conn, session.account(), &id).await?;
    let line = line.ok_or_else(Error::not_found)?;
    let now = app.clock.now().max(line.newest_at);
    Ok(Json(view::preview_inputs(&mut conn, &line, now).await?))
}

/// `GET /lines/{id}/rule`: the rule, its draft, and how it stands.
pub async fn show(
    State(app): State<Shared>,
    session: SignedIn,
    Path(id): Path<String>,
) -> Result<Json<RuleView>> {
    Ok(Json(rule(&app, &session, &id).await?))
}

/// `PUT /lines/{id}/rule`: saves what was previewed, off until it is turned on.
pub async fn save(
    State(app): State<Shared>,
    session: SignedIn,
    RequestKey(key): RequestKey,
    Path(id): Path<String>,
    Body(request): Body<SaveRule>,
) -> Result<Json<RuleView>> {
    save_rule::save(&app, &session.0.account_id, &id, &key, &request).await?;
    Ok(Json(rule(&app, &session, &id).await?))
}

/// `POST /lines/{id}/rule/on`: needs a fresh password.
pub async fn on(
    State(app): State<Shared>,
    session: SignedIn,
    Path(id): Path<String>,
    Body(agreed): Body<TurnOn>,
) -> Result<Json<RuleView>> {
    session.require_step_up(app.clock.wall())?;
    let who = Authenticated { by: Proof::Password, at: session.0.stepped_up_at };
    switch_rule::switch(&app, &session.0.account_id, &id, Switch::On(&agreed, who)).await?;
    Ok(Json(rule(&app, &session, &id).await?))
}

/// `POST /lines/{id}/rule/off`: nothing is charged by it from here on.
pub async fn off(
    state: State<Shared>,
    session: SignedIn,
    Path(id): Path<String>,
) -> Result<Json<Stopped>> {
    stopped(state, session, id, Switch::Off).await
}

/// `POST /lines/{id}/rule/pause`: nothing is charged by it until that date.
pub async fn pause(
    state: State<Shared>,
    session: SignedIn,
    Path(id): Path<String>,
    Body(pause): Body<Pause>,
) -> Result<Json<Stopped>> {
    stopped(state, session, id, Switch::Pause(pause.until_on)).await
}

/// `POST /lines/{id}/rule/resume`: ends a pause.
pub async fn resume(
    State(app): State<Shared>,
    session: SignedIn,
    Path(id): Path<String>,
) -> Result<Json<RuleView>> {
    switch_rule::switch(&app, &session.0.account_id, &id, Switch::Resume).await?;
    Ok(Json(rule(&app, &session, &id).await?))
}

/// `POST /lines/{id}/rule/skip`: leaves out the next recharge by date.
pub async fn skip(
    State(app): State<Shared>,
    session: SignedIn,
    Path(id): Path<String>,
) -> Result<Json<RuleView>> {
    switch_rule::switch(&app, &session.0.account_id, &id, Switch::Skip).await?;
    Ok(Json(rule(&app, &session, &id).await?))
}

/// `GET /lines/{id}/looks`: why it was not charged: the latest record of each reason.
pub async fn looks(
    State(app): State<Shared>,
    session: SignedIn,
    Path(id): Path<String>,
) -> Result<Json<Vec<LookView>>> {
    let mut conn = app.store.read().await?;
    let line = lines::get(&mut conn, session.account(), &id).await?;
    let line = line.ok_or_else(Error::not_found)?;
    let records = looks::of_line(&mut conn, &line).await?;
    Ok(Json(records.into_iter().map(|record| LookView { record }).collect()))
}

async fn stopped(
    State(app): State<Shared>,
    session: SignedIn,
    id: String,
    switch: Switch<'_>,
) -> Result<Json<Stopped>> {
    let already_submitted = switch_rule::switch(&app, &session.0.account_id, &id, switch).await?;
    Ok(Json(Stopped { rule: rule(&app, &session, &id).await?, already_submitted }))
}

async fn rule(app: &Shared, session: &SignedIn, id: &str) -> Result<RuleView> {
    let mut conn = app.store.read().await?;
    let line = lines::get(&mut conn, session.account(), id).await?;
    let line = line.ok_or_else(Error::not_found)?;
    let now = app.clock.now().max(line.newest_at);
    view::rule(&mut conn, &line, now).await
}
