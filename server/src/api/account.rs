//! The account's own settings: language and time zone.

use super::{
    extract::{Body, SignedIn},
    sessions::view,
};
use crate::{
    Shared,
    error::{Error, Result},
    flow::{advance::ring, change_zone::change_zone},
    store::{accounts, lines},
    zones,
};
use axum::{Json, extract::State};
use laika_core::{
    api::{AccountChange, AccountView},
    field::{Field, FieldCode, FieldError},
};

/// `PATCH /account`: changes the language or the time zone.
pub async fn change(
    State(app): State<Shared>,
    session: SignedIn,
    Body(change): Body<AccountChange>,
) -> Result<Json<AccountView>> {
    let time_zone = match change.time_zone {
        Some(name) => Some(zones::canonical(&name).ok_or_else(|| {
            Error::fields(vec![FieldError::new(Field::TimeZone, FieldCode::UnknownChoice)])
        })?),
        None => None,
    };
    let mut tx = app.store.write().await?;
    let account = accounts::get(&mut tx, session.account()).await?;
    let is_now = account.map(|account| account.time_zone);
    // Why: the lines before the account, as in every money transaction; the other way round,
    // PostgreSQL would end one of the two.
    let locked = match time_zone.is_some() && time_zone != is_now {
        true => {
            let (dialect, now) = (app.store.dialect, app.clock.now());
            Some(lines::lock_all_of(&mut tx, dialect, session.account(), now).await?)
        }
        false => None,
    };
    let account = accounts::lock(&mut tx, session.account()).await?;
    let mut account = account.ok_or_else(Error::unauthenticated)?;
    account.language = change.language.unwrap_or(account.language);
    accounts::change(&mut tx, &account).await?;
    if let Some(name) = time_zone.filter(|name| *name != account.time_zone) {
        // Why: another request moved it there and back while this one began.
        let locked = locked.ok_or(Error::Raced)?;
        change_zone(&mut tx, account, &locked, name, app.clock.now()).await?;
    }
    let account = accounts::get(&mut tx, session.account()).await?;
    tx.commit().await;
    ring(&app);
    let account = account.ok_or_else(Error::unauthenticated)?;
    Ok(Json(view(&account, session.stepped_up_until(), app.clock.now())))
}
