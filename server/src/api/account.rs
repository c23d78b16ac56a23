//! The account's own settings: language and time zone.

use super::{
    extract::{Body, SignedIn},
    sessions::view,
};
use crate::{
    Shared,
    error::{Error, Result},
    flow::{advance::ring, evaluate},
    store::{accounts, lines},
    zones,
};
use axum::{Json, extract::State};
use laika_core::{
    api::{AccountChange, AccountView},
    decide::{Cause, Periods},
    field::{Field, FieldCode, FieldError},
    time::Instant,
    zone::Zone,
};

/// `PATCH /account`.
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
    let mut locked = Vec::new();
    let account = accounts::get(&mut tx, session.account()).await?;
    if time_zone != account.map(|account| account.time_zone) && time_zone.is_some() {
        // Why: the lines before the account, as in every money transaction; the other way round,
        // PostgreSQL would end one of the two.
        for line in lines::of_account(&mut tx, session.account()).await? {
            let (id, now) = (line.id.as_str(), app.clock.now());
            locked.extend(lines::lock(&mut tx, session.account(), id, now).await?);
        }
    }
    let account = accounts::get(&mut tx, session.account()).await?;
    let mut account = account.ok_or_else(Error::unauthenticated)?;
    account.language = change.language.unwrap_or(account.language);
    let moved = time_zone.is_some_and(|name| move_to(&mut account, name, app.clock.now()));
    accounts::change(&mut tx, &account).await?;
    for line in locked.iter().filter(|_| moved) {
        // Why: a preview made in the old zone is stale, and dates by the clock have moved.
        evaluate::line_changed(&mut tx, line, &Cause::RuleChanged).await?;
    }
    let account = accounts::get(&mut tx, session.account()).await?;
    tx.commit().await;
    ring(&app);
    let account = account.ok_or_else(Error::unauthenticated)?;
    Ok(Json(view(&account, session.stepped_up_until(), app.clock.now())))
}

/// Changes the zone and keeps the running day and month; whether it is another zone at all.
fn move_to(account: &mut accounts::Account, name: String, now: Instant) -> bool {
    let zone = |name: &str| zones::zone(name, now).unwrap_or_else(Zone::utc);
    let moved = name != account.time_zone;
    if moved {
        let (old, new) = (zone(&account.time_zone), zone(&name));
        account.kept_periods = Some(Periods::kept(&old, account.kept_periods, &new, now));
        account.time_zone = name;
    }
    moved
}
