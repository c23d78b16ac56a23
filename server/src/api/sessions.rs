//! Signing in, entering the password again, signing out, and who is signed in.

use super::extract::{Body, COOKIE, CallerAddress, MaybeSignedIn, SignedIn, token_hash};
use crate::{
    BRAND, Shared,
    error::{Error, Result},
    secret::{self, sha256_hex},
    store::{
        Tx,
        accounts::{self, Account},
        sessions::{self, STEP_UP},
        throttle::{self, Budget},
    },
    zones,
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use laika_core::{
    ENGINE_VERSION,
    api::{AccountView, SandboxView, SessionView, SignIn, StepUp},
    contact,
    time::Instant,
    zone::Zone,
};

/// Tries for one contact from one address: somebody else's tries never lock the owner out.
const PER_PAIR: Budget = Budget { name: "sign-in-pair", most: 10, slot_s: 900 };
const PER_ADDRESS: Budget = Budget { name: "sign-in-address", most: 200, slot_s: 900 };
const STEP_UPS: Budget = Budget { name: "step-up", most: 10, slot_s: 900 };

/// `GET /session`: who is signed in, and what the app starts with.
pub async fn current(
    State(app): State<Shared>,
    MaybeSignedIn(session): MaybeSignedIn,
) -> Result<Json<SessionView>> {
    let account = match session {
        Some(session) => {
            let mut conn = app.store.read().await?;
            let account = accounts::get(&mut conn, session.account_id.as_str()).await?;
            account
                .map(|account| view(&account, session.stepped_up_at.plus(STEP_UP), app.clock.now()))
        }
        None => None,
    };
    Ok(Json(session_view(&app, account)))
}

/// `POST /sessions`: signs in.
pub async fn create(
    State(app): State<Shared>,
    CallerAddress(address): CallerAddress,
    headers: HeaderMap,
    Body(typed): Body<SignIn>,
) -> Result<(StatusCode, Response)> {
    let wall = app.clock.wall();
    let normal = contact::phone(&typed.contact).or_else(|_| contact::email(&typed.contact));
    let normal = normal.unwrap_or_default();
    throttle::spend(&app.store, PER_ADDRESS, &address, wall).await?;
    throttle::spend(&app.store, PER_PAIR, &format!("{address} {normal}"), wall).await?;
    let account = match normal.as_str() {
        "" => None,
        contact => accounts::by_contact(&mut *app.store.read().await?, contact).await?,
    };
    let hash = account.as_ref().and_then(|account| account.password_hash.clone());
    let agrees = app.passwords.agrees(typed.password, hash).await?;
    let Some(account) = account.filter(|_| agrees) else {
        return Err(Error::problem(
            StatusCode::UNAUTHORIZED,
            "wrong_credentials",
            "This contact and password do not belong together.",
        ));
    };
    let tx = app.store.write().await?;
    let response = signed_in(&app, tx, &account, token_hash(&headers)).await?;
    Ok((StatusCode::CREATED, response))
}

/// `POST /sessions/current/step-up`: the password again; the session goes on under a new token.
pub async fn step_up(
    State(app): State<Shared>,
    SignedIn(session): SignedIn,
    Body(typed): Body<StepUp>,
) -> Result<Response> {
    let wall = app.clock.wall();
    let id = session.account_id.as_str();
    throttle::spend(&app.store, STEP_UPS, id, wall).await?;
    let account = accounts::get(&mut *app.store.read().await?, id).await?;
    let hash = account.and_then(|account| account.password_hash);
    if !app.passwords.agrees(typed.password, hash).await? {
        return Err(Error::forbidden("wrong_password", "This is not the account's password."));
    }
    let token = secret::token();
    let mut tx = app.store.write().await?;
    let hashed = sha256_hex(token.as_bytes());
    if !sessions::step_up(&mut tx, &session.token_sha256, &hashed, wall).await? {
        // Why: a double tap. The cookie of the first answer must not be replaced by a dead one.
        return Err(Error::unauthenticated());
    }
    tx.commit().await;
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(&mut response, &token, MAX_AGE_S)?;
    Ok(response)
}

/// `DELETE /sessions/current`: signs out.
pub async fn delete(State(app): State<Shared>, SignedIn(session): SignedIn) -> Result<Response> {
    let mut tx = app.store.write().await?;
    sessions::close(&mut tx, &session.token_sha256).await?;
    tx.commit().await;
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(&mut response, "", 0)?;
    let everything = HeaderValue::from_static("\"cache\", \"storage\"");
    response.headers_mut().insert("clear-site-data", everything);
    Ok(response)
}

/// The cookie outlives no session: the server ends one after 60 days at the latest.
const MAX_AGE_S: i64 = 60 * 24 * 3600;

/// Opens a session in the transaction, ends the one it replaces, commits, and answers with both the
/// view and the cookie.
pub async fn signed_in(
    app: &Shared,
    mut tx: Tx,
    account: &Account,
    replaced: Option<String>,
) -> Result<Response> {
    let (token, wall) = (secret::token(), app.clock.wall());
    if let Some(replaced) = replaced {
        sessions::close(&mut tx, &replaced).await?;
    }
    sessions::open(&mut tx, &sha256_hex(token.as_bytes()), account.id.as_str(), wall).await?;
    tx.commit().await;
    let body = session_view(app, Some(view(account, wall.plus(STEP_UP), app.clock.now())));
    let mut response = Json(body).into_response();
    set_cookie(&mut response, &token, MAX_AGE_S)?;
    Ok(response)
}

fn set_cookie(response: &mut Response, token: &str, max_age_s: i64) -> Result<()> {
    let cookie =
        format!("{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={max_age_s}");
    let value = HeaderValue::from_str(&cookie)
        .map_err(|error| Error::internal(format!("cookie: {error}")))?;
    response.headers_mut().insert(header::SET_COOKIE, value);
    Ok(())
}

fn session_view(app: &Shared, account: Option<AccountView>) -> SessionView {
    SessionView {
        account,
        sandbox: app.sandbox_origin().map(|provider_origin| SandboxView {
            provider_origin,
            clock_ahead_s: app.clock.offset() / 1_000_000,
        }),
        brand: BRAND.to_string(),
        now: app.clock.now(),
        engine_version: ENGINE_VERSION.to_string(),
    }
}

/// An account as its owner sees it.
pub fn view(account: &Account, stepped_up_until: Instant, now: Instant) -> AccountView {
    AccountView {
        id: account.id.clone(),
        phone: account.phone.clone(),
        email: account.email.clone(),
        language: account.language,
        time_zone: account.time_zone.clone(),
        zone: zones::zone(&account.time_zone, now).unwrap_or_else(Zone::utc),
        version: account.version,
        stepped_up_until: Some(stepped_up_until),
    }
}
