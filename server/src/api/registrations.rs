//! Registering: what is typed is checked by core, both contacts get a code, both codes make an
//! account and sign it in. A contact that has an account already gets the same answer here, and its
//! owner a message instead of a code.

use super::{
    extract::{Body, CallerAddress, token_hash},
    sessions::signed_in,
};
use crate::{
    Shared,
    error::{Error, Result},
    flow::add_line::{self, NewLine},
    secret::{self, sha256_hex},
    store::{
        accounts::{self, Account},
        messages::{self, Channel, Message},
        registrations::{self, Pending},
        throttle::{self, Budget},
    },
    zones,
};
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use laika_core::{
    api::{Confirmation, Registration, RegistrationView},
    bytes::Bytes,
    contact::{self, Contacts},
    field::{Field, FieldCode, FieldError},
    id::AccountId,
    money::Currency,
    say,
    time::Span,
};

/// Codes are valid for this long.
const CODES_LAST: Span = Span::minutes(5);
const PER_CONTACT: Budget = Budget { name: "codes-contact", most: 5, slot_s: 3600 };
const PER_ADDRESS: Budget = Budget { name: "codes-address", most: 100, slot_s: 3600 };
const CONFIRMS: Budget = Budget { name: "confirms-address", most: 100, slot_s: 3600 };

/// `POST /registrations`: begins one; a code goes to each contact.
pub async fn create(
    State(app): State<Shared>,
    CallerAddress(address): CallerAddress,
    Body(typed): Body<Registration>,
) -> Result<(StatusCode, Json<RegistrationView>)> {
    let valid = valid(&typed)?;
    let wall = app.clock.wall();
    throttle::spend(&app.store, PER_ADDRESS, &address, wall).await?;
    throttle::spend(&app.store, PER_CONTACT, &valid.phone, wall).await?;
    throttle::spend(&app.store, PER_CONTACT, &valid.email, wall).await?;
    let (phone_code, email_code) = (secret::six_digits(), secret::six_digits());
    let pending = Pending {
        id: secret::id("reg"),
        password_hash: app.passwords.hash(typed.password).await?,
        phone: valid.phone,
        email: valid.email,
        language: typed.language,
        time_zone: valid.time_zone,
        phone_code_sha256: String::new(),
        email_code_sha256: String::new(),
        codes_end_at: wall.plus(CODES_LAST),
    };
    let pending = with_codes(pending, &phone_code, &email_code);
    let mut tx = app.store.write().await?;
    registrations::insert(&mut tx, &pending, wall).await?;
    send_codes(&app, &mut tx, &pending, &phone_code, &email_code).await?;
    tx.commit().await;
    app.messages_due.notify_one();
    Ok((
        StatusCode::ACCEPTED,
        Json(RegistrationView {
            registration_id: pending.id,
            phone_masked: contact::mask(&pending.phone),
            email_masked: contact::mask(&pending.email),
        }),
    ))
}

/// `POST /registrations/{id}/codes`: new codes for the same registration.
pub async fn resend(
    State(app): State<Shared>,
    CallerAddress(address): CallerAddress,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    let wall = app.clock.wall();
    let pending = registrations::open(&mut *app.store.read().await?, &id).await?;
    let pending = pending.ok_or_else(Error::not_found)?;
    throttle::spend(&app.store, PER_ADDRESS, &address, wall).await?;
    throttle::spend(&app.store, PER_CONTACT, &pending.phone, wall).await?;
    throttle::spend(&app.store, PER_CONTACT, &pending.email, wall).await?;
    let (phone_code, email_code) = (secret::six_digits(), secret::six_digits());
    let pending = with_codes(pending, &phone_code, &email_code);
    let pending = Pending { codes_end_at: wall.plus(CODES_LAST), ..pending };
    let mut tx = app.store.write().await?;
    registrations::renew(&mut tx, &pending).await?;
    send_codes(&app, &mut tx, &pending, &phone_code, &email_code).await?;
    tx.commit().await;
    app.messages_due.notify_one();
    Ok(StatusCode::ACCEPTED)
}

/// `POST /registrations/{id}/confirm`: both codes make the account and sign it in.
pub async fn confirm(
    State(app): State<Shared>,
    CallerAddress(address): CallerAddress,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(typed): Body<Confirmation>,
) -> Result<(StatusCode, Response)> {
    let wall = app.clock.wall();
    throttle::spend(&app.store, CONFIRMS, &address, wall).await?;
    let mut tx = app.store.write().await?;
    let tried = registrations::take_try(&mut tx, &id).await?;
    let pending = registrations::open(&mut tx, &id).await?;
    // Why: the try is gone for good before anything is compared, whatever happens next.
    tx.commit().await;
    let pending = pending.ok_or_else(Error::not_found)?;
    let wrong = wrong_codes(&typed, &pending);
    if !tried || wall >= pending.codes_end_at {
        return Err(Error::conflict("codes_ended", "These codes have ended; ask for new ones."));
    }
    if !wrong.is_empty() {
        return Err(Error::fields(wrong));
    }
    let account = Account {
        id: new_account_id()?,
        version: 0,
        phone: pending.phone,
        email: pending.email,
        password_hash: Some(pending.password_hash),
        language: pending.language,
        time_zone: pending.time_zone,
        kept_periods: None,
    };
    let mut tx = app.store.write().await?;
    let contacts = [&account.phone, &account.email];
    for contact in contacts {
        if accounts::by_contact(&mut tx, contact).await?.is_some() {
            return Err(Error::conflict("codes_ended", "These codes have ended."));
        }
    }
    if !registrations::confirm(&mut tx, &pending.id, wall).await? {
        return Err(Error::conflict("codes_ended", "These codes have been used."));
    }
    if !accounts::insert(&mut tx, &account, app.clock.now()).await? {
        return Err(Error::conflict("codes_ended", "These codes have ended."));
    }
    if app.sandbox_origin().is_some() {
        add_line::add(&mut tx, account.id.as_str(), &sandbox_line()?, app.clock.now()).await?;
    }
    let response = signed_in(&app, tx, &account, token_hash(&headers)).await?;
    Ok((StatusCode::CREATED, response))
}

/// What everybody gets in the sandbox: an eSIM with 10 GB that never expire.
fn sandbox_line() -> Result<NewLine> {
    let digits = u64::from_be_bytes(secret::random()) % 1_000_000_000_000;
    let currency = Currency::from_code("EUR").ok_or_else(|| Error::internal("no EUR"))?;
    Ok(NewLine {
        iccid: format!("8988999{digits:012}"),
        bytes: Bytes::GB.checked_mul(10).unwrap_or_default(),
        credit_minor: 0,
        currency,
    })
}

struct Valid {
    phone: String,
    email: String,
    time_zone: String,
}

/// Everything wrong at once, in form order: core judges the form, and whether the zone exists is
/// known here only.
fn valid(typed: &Registration) -> Result<Valid> {
    match (contact::registration(typed), zones::canonical(&typed.time_zone)) {
        (Ok(Contacts { phone, email }), Some(time_zone)) => Ok(Valid { phone, email, time_zone }),
        (contacts, zone) => {
            let mut errors = contacts.err().unwrap_or_default();
            if zone.is_none() {
                errors.push(FieldError::new(Field::TimeZone, FieldCode::UnknownChoice));
            }
            Err(Error::fields(errors))
        }
    }
}

/// Codes are stored hashed, bound to this registration and to the contact they went to.
fn code_hash(registration: &str, contact: &str, code: &str) -> String {
    sha256_hex(format!("{registration}:{contact}:{code}").as_bytes())
}

fn with_codes(pending: Pending, phone_code: &str, email_code: &str) -> Pending {
    Pending {
        phone_code_sha256: code_hash(&pending.id, &pending.phone, phone_code),
        email_code_sha256: code_hash(&pending.id, &pending.email, email_code),
        ..pending
    }
}

fn wrong_codes(typed: &Confirmation, pending: &Pending) -> Vec<FieldError> {
    [
        (Field::PhoneCode, &typed.phone_code, &pending.phone, &pending.phone_code_sha256),
        (Field::EmailCode, &typed.email_code, &pending.email, &pending.email_code_sha256),
    ]
    .into_iter()
    .filter_map(|(field, code, contact, hash)| match contact::one_time_code(code) {
        Ok(code) if code_hash(&pending.id, contact, &code) == *hash => None,
        Ok(_) => Some(FieldError::new(field, FieldCode::WrongCode)),
        Err(code) => Some(FieldError::new(field, code)),
    })
    .collect()
}

/// A code to each contact; a contact that has an account is told so instead.
async fn send_codes(
    app: &Shared,
    tx: &mut crate::store::Tx,
    pending: &Pending,
    phone_code: &str,
    email_code: &str,
) -> Result<()> {
    let each =
        [(Channel::Sms, &pending.phone, phone_code), (Channel::Email, &pending.email, email_code)];
    for (channel, recipient, code) in each {
        let owner = accounts::by_contact(tx, recipient).await?;
        let language = owner.as_ref().map_or(pending.language, |owner| owner.language);
        let body = match owner {
            Some(_) => say::already_registered(language, crate::BRAND),
            None => say::one_time_code(language, crate::BRAND, code),
        };
        let message = Message {
            key: secret::id("msg"),
            account_id: owner.map(|owner| owner.id.as_str().to_string()),
            channel,
            recipient: recipient.clone(),
            language,
            title: channel.title(),
            body,
            created_at: app.clock.now(),
        };
        messages::enqueue(tx, &message).await?;
    }
    Ok(())
}

fn new_account_id() -> Result<AccountId> {
    AccountId::new(secret::id("acc")).ok_or_else(|| Error::internal("a made id is not an id"))
}
