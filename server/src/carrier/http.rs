//! A carrier over HTTP: the one client of the contract in `docs/carrier.md`.
//!
//! Place in the flow: `Carrier::Http`, and inside `Carrier::Sandbox`. It says "no" only where the
//! carrier says, in the contract's own words, that nothing was given; whatever else is not a whole
//! and fitting answer is unknown. It sends the secret in one header, and logs no body.

use super::{Balance, Order, contract};
use crate::{
    clock::Clock,
    config::Secret,
    gateway::Failure,
    outbound::{Answered, NoAnswer, Outbound},
    sandbox::NOW_HEADER,
};
use contract::{Give, Page, Problem};
use laika_core::{
    bytes::Bytes,
    id::IdempotencyKey,
    money::{Currency, Money},
    reconcile::{Given, Statement, TopUp},
    rule::Adds,
    time::{Instant, Span},
};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::HashSet;

/// Where a carrier is, and who we are there.
#[derive(Clone, Debug)]
pub struct HttpCarrier {
    client: Outbound,
    base_url: String,
    secret: Secret,
    /// By how much "let time pass" has put our time before the carrier's.
    ahead: Span,
    /// Our time, where the carrier follows it: the sandbox's.
    tells: Option<Instant>,
}

impl HttpCarrier {
    /// A carrier by the contract. Its times are the wall's, not those of "let time pass".
    pub fn new(client: Outbound, base_url: String, secret: Secret, clock: &Clock) -> HttpCarrier {
        let ahead = Span(clock.offset());
        HttpCarrier { client, base_url, secret, ahead, tells: None }
    }

    /// The sandbox's carrier, which takes its time from us.
    pub(super) fn following(
        client: Outbound,
        base_url: String,
        secret: Secret,
        now: Instant,
    ) -> HttpCarrier {
        HttpCarrier { client, base_url, secret, ahead: Span(0), tells: Some(now) }
    }

    pub(super) async fn top_up(&self, order: &Order<'_>) -> Result<TopUp, Failure> {
        let wanted = give(order);
        let given = self.ask("POST", "/top-ups", Some(&order.key), &wanted).await?;
        row(delivered(order, &wanted, given)?, self.ahead)
    }

    pub(super) async fn find(&self, order: &Order<'_>) -> Result<Option<TopUp>, Failure> {
        let path = format!("/top-ups?key={}", order.key);
        match self.get(&path).await {
            Ok(given) => row(delivered(order, &give(order), given)?, self.ahead).map(Some),
            Err(Failure::Refused { code }) if code == "not_found" => Ok(None),
            // Why: to a question there is no other "no".
            Err(Failure::Refused { code }) => Err(unknown(format!("a look-up refused: {code}"))),
            Err(unknown @ Failure::Unknown(_)) => Err(unknown),
        }
    }

    pub(super) async fn balance(&self, iccid: &str) -> Result<Balance, Failure> {
        if !is_plain(iccid) {
            return Err(Failure::Refused { code: "iccid_refused".to_owned() });
        }
        let told: contract::Balance = self.get(&format!("/lines/{iccid}")).await?;
        let nonsense = || unknown(format!("the balance of {iccid} makes no sense"));
        if told.iccid != iccid {
            return Err(nonsense());
        }
        let money = |(code, minor): (&String, &i64)| {
            let currency = Currency::from_code(code).filter(|_| *minor >= 0)?;
            Some(Money::new(*minor, currency))
        };
        let credit: Option<Vec<Money>> = told.given.credit_minor.iter().map(money).collect();
        Ok(Balance {
            data: Bytes::from_i64(told.given.data_bytes).ok_or_else(nonsense)?,
            credit: credit.ok_or_else(nonsense)?,
            as_of: told.as_of.plus(self.ahead),
        })
    }

    pub(super) async fn statement(
        &self,
        from: Instant,
        until: Instant,
    ) -> Result<Statement<TopUp>, Failure> {
        let (from, until) = (from.minus(self.ahead), until.minus(self.ahead));
        let mut page: Page = self.get(&statement_path(from, until, None)?).await?;
        let (first, last) = (page.from, page.until);
        if first < from || last > until || first > last {
            return Err(unknown("a statement of another time than was asked for".to_owned()));
        }
        let (mut rows, mut names) = (Vec::new(), HashSet::new());
        let mut newest = first;
        loop {
            if (page.from, page.until) != (first, last) {
                return Err(unknown("two pages of a statement are of different times".to_owned()));
            }
            // Why: a page that only names another could go on for ever.
            let ends = page.next.is_none();
            if page.top_ups.is_empty() && !ends {
                return Err(unknown("an empty page in the middle of a statement".to_owned()));
            }
            for told in page.top_ups {
                let in_place = newest <= told.delivered_at && told.delivered_at < last;
                if !in_place || !names.insert(told.id.clone()) {
                    return Err(unknown(format!("top-up {}: not in its place", shown(&told.id))));
                }
                newest = told.delivered_at;
                rows.push(row(told, self.ahead)?);
            }
            let Some(next) = page.next else { break };
            page = self.get(&statement_path(first, last, Some(&next))?).await?;
        }
        Ok(Statement { from: first.plus(self.ahead), until: last.plus(self.ahead), rows })
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.ask("GET", path, None, &()).await
    }

    /// One request: what was answered, or why it was not.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        key: Option<&IdempotencyKey>,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let url = format!("{}{path}", self.base_url);
        let bearer = format!("Bearer {}", self.secret.expose());
        let mut headers = vec![("authorization", bearer.as_str()), ("accept", "application/json")];
        headers.extend(key.map(|key| ("idempotency-key", key.as_str())));
        let now = self.tells.map(|now| now.micros().to_string());
        headers.extend(now.as_deref().map(|now| (NOW_HEADER, now)));
        let body = if method == "GET" {
            Vec::new()
        } else {
            headers.push(("content-type", "application/json"));
            serde_json::to_vec(body).map_err(|error| unknown(error.to_string()))?
        };
        let answered = self.client.send(method, &url, &headers, body).await?;
        match answered.status {
            200..=299 => Ok(read(&answered)?),
            _ => Err(failure(&answered)),
        }
    }
}

/// What the carrier is asked for.
fn give(order: &Order<'_>) -> Give {
    let validity_days = match order.adds {
        Adds::Data { validity_days, .. } => Some(validity_days),
        Adds::Credit(_) => None,
    };
    Give {
        iccid: order.iccid.to_owned(),
        data_bytes: order.adds.bytes().to_i64(),
        validity_days,
        credit_minor: order.adds.credit_minor(),
        currency: order.currency.code().to_owned(),
        metadata: [("recharge_id".to_owned(), order.recharge_id.to_string())].into(),
    }
}

/// What was given, if it is what was ordered.
fn delivered(
    order: &Order<'_>,
    wanted: &Give,
    given: contract::TopUp,
) -> Result<contract::TopUp, Failure> {
    let same_credit = given.give.credit_minor == wanted.credit_minor
        && (wanted.credit_minor == 0 || given.give.currency == wanted.currency);
    let same = given.key.as_deref() == Some(order.key.as_str())
        && given.give.iccid == wanted.iccid
        && given.give.data_bytes == wanted.data_bytes
        && given.give.validity_days.is_none_or(|days| Some(days) == wanted.validity_days)
        && same_credit;
    if !is_name(&given.id) {
        return Err(unknown("a top-up without a name".to_owned()));
    }
    if !same {
        // Why: neither delivered nor not; until it is put right nothing may follow from it.
        tracing::error!(key = %order.key, top_up = given.id, "the carrier gave something else");
        return Err(unknown(format!("top-up {}: not what was ordered", given.id)));
    }
    Ok(given)
}

/// A top-up in our terms and our time.
fn row(told: contract::TopUp, ahead: Span) -> Result<TopUp, Failure> {
    let nonsense = || unknown(format!("top-up {}: it makes no sense", shown(&told.id)));
    let give = &told.give;
    let credit = match give.credit_minor {
        0 => None,
        minor => {
            let currency = Currency::from_code(&give.currency).filter(|_| minor > 0);
            Some(Money::new(minor, currency.ok_or_else(nonsense)?))
        }
    };
    let bytes = Bytes::from_i64(give.data_bytes).ok_or_else(nonsense)?;
    Ok(TopUp {
        key: told.key.and_then(IdempotencyKey::new),
        given: Given { bytes, credit },
        delivered_at: told.delivered_at.plus(ahead),
        id: told.id,
    })
}

fn statement_path(from: Instant, until: Instant, after: Option<&str>) -> Result<String, Failure> {
    let path = format!("/statement?from={from}&until={until}");
    match after {
        None => Ok(path),
        Some(after) if is_plain(after) => Ok(format!("{path}&after={after}")),
        Some(_) => Err(unknown("a page whose name cannot stand in an address".to_owned())),
    }
}

/// Whether it can stand in an address as it is.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (1..=200).contains(&text.len()) && text.bytes().all(plain)
}

fn is_name(text: &str) -> bool {
    (1..=200).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// As much of a name as can be put into a log.
fn shown(name: &str) -> &str {
    if is_name(name) { name } else { "without a name" }
}

/// Reads a body. *Errors*: where it could not be read, and nothing of what stands there.
fn read<T: DeserializeOwned>(answered: &Answered) -> Result<T, NoAnswer> {
    serde_json::from_slice(&answered.body).map_err(|error| {
        let column = error.column();
        NoAnswer::unknown(format!("status {}, unreadable at column {column}", answered.status))
    })
}

/// What a status outside 2xx means: only a no that says "not delivered" is one.
fn failure(answered: &Answered) -> Failure {
    let no = read::<Problem>(answered).ok();
    match (answered.status, no) {
        (404 | 410 | 422, Some(Problem { code, delivered: Some(false), .. })) => {
            Failure::Refused { code: shown(&code).to_owned() }
        }
        (status, no) => {
            let code = no.map_or("no code".to_owned(), |no| shown(&no.code).to_owned());
            Failure::Unknown(NoAnswer {
                why: format!("status {status}, {code}"),
                // Why: these turn a request away at the door, before anything is looked at or done.
                never_sent: matches!(status, 401 | 403 | 429),
                retry_after: answered.retry_after,
            })
        }
    }
}

fn unknown(why: String) -> Failure {
    Failure::Unknown(NoAnswer::unknown(why))
}

#[cfg(test)]
mod tests;
