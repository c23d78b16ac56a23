//! The provider's hosted pages: card entry, and the bank's or a wallet's question, without
//! JavaScript.
//!
//! Place in the flow: the app sends a customer here with a setup's path; the customer comes back by
//! a redirect to the setup's `return_url` with `?setup=…`. The full card number lives only in this
//! request: it is read into a [`Card`](super::cards::Card), or shown again to be corrected (the
//! page is never stored), and dropped.

mod wallet;

use super::cards::{Decline, Entry, FieldError, OFFERED, TEST_CARDS, TestCard, read};
use super::provider::month_of;
use super::provider::records::{Instrument, Payment, PaymentStatus, Setup, SetupStatus};
use super::provider::{Answer as Provided, Request as ToProvider};
use super::words::{Words, decline, field_error, test_card, words};
use super::{Answer, Refusal, Request, Sandbox};
use axum::Router;
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use laika_core::api::Language;
use laika_core::{money::Currency, rail::Wallet};
use serde::Deserialize;
use std::fmt::Write;

const CSS: &str = include_str!("pages.css");

pub(super) fn router() -> Router<Sandbox> {
    Router::new()
        .route("/pay/page.css", get(stylesheet))
        .route("/pay/setup/{id}", get(show_setup).post(post_setup))
        .merge(wallet::router())
        .route("/pay/authenticate/{id}", get(show_bank).post(post_bank))
}

/// `?lang=`, the test card to fill in, and whether the bank's question was answered "no".
#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    lang: Option<String>,
    fill: String,
    refused: Option<String>,
}

impl Asked {
    /// The language asked for, otherwise the browser's first.
    fn language(&self, headers: &HeaderMap) -> Language {
        let preferred = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Language::from_tag(self.lang.as_deref().or(preferred).unwrap_or("en"))
    }
}

async fn stylesheet() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, CSS).into_response()
}

async fn show_setup(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let language = asked.language(&headers);
    let Some(setup) = sandbox.look(|state| state.provider.setup(&id).cloned()) else {
        return closed(language);
    };
    if setup.status != SetupStatus::Open {
        return closed(language);
    }
    let filled = TEST_CARDS.iter().find(|card| card.name == asked.fill);
    let entry = filled.map_or_else(Entry::default, |card| Entry {
        number: spaced(card.number),
        expiry: "12 / 34".to_owned(),
        cvc: if card.name.starts_with("amex") { "1234" } else { "123" }.to_owned(),
    });
    let trouble = match asked.refused {
        Some(_) => Trouble::Refused(Decline::AuthenticationFailed),
        None => Trouble::None,
    };
    card_page(&setup, language, &entry, filled.is_some(), &trouble)
}

#[derive(Deserialize)]
struct Posted {
    #[serde(flatten)]
    entry: Entry,
    #[serde(default)]
    back: Option<String>,
}

async fn post_setup(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    Form(posted): Form<Posted>,
) -> Response {
    let language = asked.language(&headers);
    let Some(setup) = sandbox.look(|state| state.provider.setup(&id).cloned()) else {
        return closed(language);
    };
    if posted.back.is_some() {
        let request = ToProvider::CancelSetup { setup: setup.id.clone() };
        let _ = sandbox.take(Request::Provider(request), None).await;
        return back_to(&setup.return_url, "setup", &setup.id);
    }
    let today = month_of(sandbox.look(|state| state.now).max(sandbox.wall()));
    let card = match sandbox.look(|state| read(&posted.entry, today, state.seal())) {
        Ok(card) => card,
        Err(errors) => {
            let entry = Entry { cvc: String::new(), ..posted.entry };
            return card_page(&setup, language, &entry, false, &Trouble::Fields(&errors));
        }
    };
    let request = ToProvider::EnterCard { setup: setup.id.clone(), card };
    match sandbox.take(Request::Provider(request), None).await.answer {
        Ok(Answer::Provider(Provided::Setup(setup))) => match setup.status {
            SetupStatus::RequiresAction => to_bank(&setup.id, language),
            _ => back_to(&setup.return_url, "setup", &setup.id),
        },
        Err(Refusal { decline: Some(why), .. }) => {
            card_page(&setup, language, &Entry::default(), false, &Trouble::Refused(why))
        }
        _ => closed(language),
    }
}

/// What the bank asks about.
enum About {
    Card(Box<Setup>),
    Payment(Box<Payment>, Payer),
}

/// What is to be charged.
enum Payer {
    /// The card with these last digits.
    Card(String),
    /// A wallet, by the customer's own hand.
    Wallet(Wallet),
}

impl About {
    /// Who asks, and what.
    fn question(&self, words: &Words) -> (&'static str, String) {
        match self {
            Self::Card(setup) => {
                let last4 = setup.pending_last4().unwrap_or("····");
                (words.bank, words.bank_card.replace("{last4}", last4))
            }
            Self::Payment(payment, payer) => {
                let amount = money(payment.charge.amount_minor, &payment.charge.currency);
                let (title, asked) = match payer {
                    Payer::Card(last4) => {
                        (words.bank, words.bank_payment.replace("{last4}", last4))
                    }
                    Payer::Wallet(wallet) => (words.wallet(*wallet), words.pay_once.to_owned()),
                };
                (title, asked.replace("{amount}", &amount))
            }
        }
    }

    fn return_url(&self) -> &str {
        match self {
            Self::Card(setup) => &setup.return_url,
            Self::Payment(payment, _) => &payment.charge.return_url,
        }
    }
}

/// Looks up what still waits for the bank's question.
fn about(sandbox: &Sandbox, id: &str) -> Option<About> {
    sandbox.look(|state| {
        if let Some(setup) = state.provider.setup(id) {
            let waits = setup.status == SetupStatus::RequiresAction;
            return waits.then(|| About::Card(Box::new(setup.clone())));
        }
        let payment = state.provider.payment(id)?;
        let token = &payment.charge.payment_method;
        let payer = match (Wallet::of_code(token), state.provider.payment_method(token)) {
            (Some(wallet), _) => Payer::Wallet(wallet),
            (None, Some(method)) => match &method.instrument {
                Instrument::Card(card) => Payer::Card(card.last4.clone()),
                Instrument::Wallet(agreement) => Payer::Wallet(agreement.kind),
            },
            (None, None) => return None,
        };
        let waits = payment.status == PaymentStatus::RequiresAction;
        waits.then(|| About::Payment(Box::new(payment.clone()), payer))
    })
}

async fn show_bank(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let language = asked.language(&headers);
    let Some(about) = about(&sandbox, &id) else { return closed(language) };
    let words = words(language);
    let (title, sentence) = about.question(words);
    let body = format!(
        "<main><h1>{title}</h1><p>{sentence}</p>\
         <form method=post action=\"?lang={lang}\">\
         <button name=approved value=1>{approve}</button>\
         <button class=quiet name=approved value=0>{refuse}</button></form></main>",
        sentence = escape(&sentence),
        lang = language.tag(),
        approve = words.approve,
        refuse = words.refuse,
    );
    page(language, StatusCode::OK, title, &body, Some(about.return_url()))
}

#[derive(Deserialize)]
struct Word {
    approved: String,
}

async fn post_bank(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    Form(word): Form<Word>,
) -> Response {
    let language = asked.language(&headers);
    let Some(about) = about(&sandbox, &id) else { return closed(language) };
    let request = ToProvider::Authenticate { about: id.clone(), approved: word.approved == "1" };
    let answer = sandbox.take(Request::Provider(request), None).await.answer;
    match (about, answer) {
        // A refused card: another may be tried on the same page.
        (About::Card(setup), Err(Refusal { decline: Some(_), .. })) => {
            see(&format!("{}?lang={}&refused=1", setup.path, language.tag()))
        }
        (About::Card(setup), Ok(_)) => back_to(&setup.return_url, "setup", &id),
        (About::Payment(payment, _), Ok(_)) => back_to(&payment.charge.return_url, "payment", &id),
        _ => closed(language),
    }
}

/// What kept the card from being saved.
enum Trouble<'a> {
    None,
    Fields(&'a [FieldError]),
    Refused(Decline),
}

impl Trouble<'_> {
    fn of(&self, field: &str, language: Language) -> Option<&'static str> {
        let Self::Fields(errors) = self else { return None };
        let error = errors.iter().find(|error| error.field() == field)?;
        Some(field_error(*error, language))
    }

    /// The focused summary; its items link to their fields and use the same words.
    fn summary(&self, words: &Words, language: Language) -> String {
        let items = match self {
            Self::None => return String::new(),
            Self::Refused(why) => format!("<p>{}</p>", decline(*why, language)),
            Self::Fields(errors) => {
                let item = |list: String, error: &FieldError| {
                    let (field, text) = (error.field(), field_error(*error, language));
                    format!("{list}<li><a href=\"#{field}\">{text}</a></li>")
                };
                format!("<ul>{}</ul>", errors.iter().fold(String::new(), item))
            }
        };
        format!(
            "<div class=summary role=alert tabindex=-1 autofocus><h2>{}</h2>{items}</div>",
            words.wrong
        )
    }
}

fn card_page(
    setup: &Setup,
    language: Language,
    entry: &Entry,
    filled: bool,
    trouble: &Trouble<'_>,
) -> Response {
    let words = words(language);
    let field = |name: &str, label: &str, hint: &str, autofill: &str, value: &str| {
        let mut html = format!("<div><label for={name}>{label}</label>");
        let mut described = Vec::new();
        if !hint.is_empty() {
            let _ = write!(html, "<span class=hint id={name}-hint>{hint}</span>");
            described.push(format!("{name}-hint"));
        }
        let error = trouble.of(name, language);
        if let Some(error) = error {
            let _ = write!(html, "<span class=error id={name}-error>{error}</span>");
            described.push(format!("{name}-error"));
        }
        let invalid = if error.is_some() { " aria-invalid=true" } else { "" };
        let _ = write!(
            html,
            "<input id={name} name={name} inputmode=numeric autocomplete={autofill} \
             value=\"{}\" aria-describedby=\"{}\"{invalid}></div>",
            escape(value),
            described.join(" "),
        );
        html
    };
    let body = format!(
        "<main><h1>{title}</h1>{summary}<p class=lead>{lead}</p>\
         <form method=post action=\"/pay/setup/{id}?lang={lang}\" novalidate>\
         {number}<div class=pair>{expiry}{cvc}</div>\
         <button{focus}>{save}</button></form>\
         <form method=post action=\"/pay/setup/{id}?lang={lang}\">\
         <button class=quiet name=back value=1>{back}</button></form></main>{cards}",
        title = words.add_card,
        summary = trouble.summary(words, language),
        lead = words.add_card_lead,
        id = escape(&setup.id),
        lang = language.tag(),
        number = field("number", words.number, "", "cc-number", &entry.number),
        expiry = field("expiry", words.expiry, words.expiry_hint, "cc-exp", &entry.expiry),
        cvc = field("cvc", words.cvc, words.cvc_hint, "cc-csc", &entry.cvc),
        focus = if filled { " autofocus" } else { "" },
        save = words.save,
        back = words.back,
        cards = wallet::offered(setup, language) + &test_cards(setup, language),
    );
    let status = match trouble {
        Trouble::None => StatusCode::OK,
        Trouble::Fields(_) | Trouble::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    page(language, status, words.add_card, &body, Some(&setup.return_url))
}

/// The published numbers, each a link that fills the form.
fn test_cards(setup: &Setup, language: Language) -> String {
    let words = words(language);
    let row = |list: String, card: &TestCard| {
        format!(
            "{list}<li><a href=\"{}?lang={}&amp;fill={}\">{} <span>{}</span></a></li>",
            escape(&setup.path),
            language.tag(),
            card.name,
            test_card(card.name, language),
            spaced(card.number),
        )
    };
    format!(
        "<aside aria-labelledby=cards><h2 id=cards>{}</h2><p class=lead>{}</p>\
         <ul class=cards>{}</ul></aside>",
        words.test_cards,
        words.test_cards_lead,
        TEST_CARDS.iter().take(OFFERED).fold(String::new(), row),
    )
}

fn closed(language: Language) -> Response {
    let words = words(language);
    let body = format!("<main><h1>{}</h1><p>{}</p></main>", words.closed, words.closed_lead);
    page(language, StatusCode::GONE, words.closed, &body, None)
}

fn page(
    language: Language,
    status: StatusCode,
    title: &str,
    body: &str,
    return_url: Option<&str>,
) -> Response {
    let words = words(language);
    let other = match language {
        Language::En => Language::ZhCn,
        Language::ZhCn => Language::En,
    };
    let html = format!(
        "<!doctype html><html lang={lang}><head><meta charset=utf-8>\
         <meta name=viewport content=\"width=device-width, initial-scale=1\">\
         <meta name=robots content=noindex><title>{title} · {sandbox}</title>\
         <link rel=stylesheet href=\"/pay/page.css\"><link rel=icon href=\"data:,\"></head>\
         <body><header class=tape>{sandbox}</header><div class=frame>\
         <nav class=language aria-label=\"{other_language}\">\
         <a lang={other} hreflang={other} href=\"?lang={other}\">{other_language}</a></nav>\
         {body}</div></body></html>",
        lang = language.tag(),
        other = other.tag(),
        other_language = words.other_language,
        sandbox = words.sandbox,
    );
    // Why: browsers apply form-action to where a form's answer redirects, too.
    let form_action = return_url.and_then(origin).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self' {form_action}; \
         frame-ancestors 'none'; base-uri 'none'"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    (status, headers, html).into_response()
}

/// `http://localhost:8080` of `http://localhost:8080/payment?x`.
fn origin(url: &str) -> Option<String> {
    let host = url.strip_prefix("http://")?.split(['/', '?', '#']).next()?;
    Some(format!("http://{host}"))
}

fn back_to(return_url: &str, name: &str, id: &str) -> Response {
    let joint = if return_url.contains('?') { '&' } else { '?' };
    see(&format!("{return_url}{joint}{name}={id}"))
}

fn to_bank(id: &str, language: Language) -> Response {
    see(&format!("/pay/authenticate/{id}?lang={}", language.tag()))
}

fn see(url: &str) -> Response {
    let headers = [
        (header::LOCATION, url.to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// `EUR 9.00`: the provider's plain way of writing money.
fn money(amount_minor: i64, currency: &str) -> String {
    let decimals = Currency::from_code(currency).map_or(0, |known| known.exponent()) as usize;
    let digits = format!("{amount_minor:0>width$}", width = decimals + 1);
    let (whole, rest) = digits.split_at(digits.len() - decimals);
    if rest.is_empty() {
        format!("{currency} {whole}")
    } else {
        format!("{currency} {whole}.{rest}")
    }
}

fn spaced(number: &str) -> String {
    let mut text = String::new();
    for (at, digit) in number.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_with_its_currency_s_decimals() {
        let cases = [
            (900, "EUR", "EUR 9.00"),
            (5, "EUR", "EUR 0.05"),
            (500, "JPY", "JPY 500"),
            (1_234, "KWD", "KWD 1.234"),
        ];
        for (amount_minor, currency, text) in cases {
            assert_eq!(money(amount_minor, currency), text);
        }
    }

    #[test]
    fn nothing_typed_becomes_markup() {
        assert_eq!(escape("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
    }

    #[test]
    fn a_form_may_only_lead_back_to_the_app() {
        let origin = origin("http://localhost:8080/payment?a=b");
        assert_eq!(origin.as_deref(), Some("http://localhost:8080"));
    }
}
