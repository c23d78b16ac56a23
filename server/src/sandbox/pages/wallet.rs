//! The wallets' pages: an agreement, with its limits, that the customer gives or refuses. They are
//! plainly a sandbox's: nobody's Alipay or WeChat Pay is asked.

use super::{Asked, back_to, closed, escape, money, page, see};
use crate::sandbox::provider::Request as ToProvider;
use crate::sandbox::provider::records::{Setup, SetupStatus};
use crate::sandbox::words::words;
use crate::sandbox::{Request, Sandbox};
use axum::Router;
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use laika_core::{api::Language, rail::Wallet};
use serde::Deserialize;

/// The wallets there are, as addresses and people name them.
const WALLETS: [(Wallet, &str); 2] = [(Wallet::Alipay, "alipay"), (Wallet::WechatPay, "wechat")];

pub(super) fn router() -> Router<Sandbox> {
    Router::new().route("/pay/setup/{id}/{wallet}", get(show).post(answer))
}

/// The links to them, where the shop offers an agreement.
pub(super) fn offered(setup: &Setup, language: Language) -> String {
    let words = words(language);
    if setup.terms.is_none() {
        return String::new();
    }
    let link = |list: String, (kind, name): &(Wallet, &str)| {
        let (path, lang) = (escape(&setup.path), language.tag());
        let called = words.wallet(*kind);
        format!("{list}<li><a href=\"{path}/{name}?lang={lang}\">{called}</a></li>")
    };
    format!(
        "<aside aria-labelledby=wallets><h2 id=wallets>{}</h2><ul class=cards>{}</ul></aside>",
        words.other_ways,
        WALLETS.iter().fold(String::new(), link),
    )
}

/// A setup that waits, the wallet of the address, and its limits.
fn open(sandbox: &Sandbox, id: &str, wallet: &str) -> Option<(Setup, Wallet)> {
    let (kind, _) = WALLETS.iter().find(|(_, name)| *name == wallet)?;
    let setup = sandbox.look(|state| state.provider.setup(id).cloned())?;
    let waits = setup.status == SetupStatus::Open && setup.terms.is_some();
    waits.then_some((setup, *kind))
}

async fn show(
    State(sandbox): State<Sandbox>,
    Path((id, wallet)): Path<(String, String)>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let language = asked.language(&headers);
    let Some((setup, kind)) = open(&sandbox, &id, &wallet) else { return closed(language) };
    let Some(terms) = &setup.terms else { return closed(language) };
    let words = words(language);
    let called = words.wallet(kind);
    let amount = |minor: i64| escape(&money(minor, &terms.currency));
    let limits = words
        .agreement_limits
        .replace("{most}", &amount(terms.most_per_debit_minor))
        .replace("{total}", &amount(terms.total_minor))
        .replace("{count}", &terms.debits_most.to_string())
        .replace("{days}", &kind.agreed_rail().facts().cycle_days.to_string());
    let more = match kind {
        Wallet::Alipay => String::new(),
        Wallet::WechatPay => format!("<p>{}</p>", words.wechat_notice),
    };
    let body = format!(
        "<main><h1>{called}</h1><p class=lead>{lead}</p><p>{limits}</p>{more}\
         <form method=post action=\"?lang={lang}\">\
         <button name=approved value=1>{agree}</button>\
         <button class=quiet name=approved value=0>{back}</button></form></main>",
        lead = words.agreement_lead,
        lang = language.tag(),
        agree = words.agree,
        back = words.back,
    );
    page(language, StatusCode::OK, called, &body, Some(&setup.return_url))
}

#[derive(Deserialize)]
struct Word {
    approved: String,
}

async fn answer(
    State(sandbox): State<Sandbox>,
    Path((id, wallet)): Path<(String, String)>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    Form(word): Form<Word>,
) -> Response {
    let language = asked.language(&headers);
    let Some((setup, kind)) = open(&sandbox, &id, &wallet) else { return closed(language) };
    if word.approved != "1" {
        return see(&format!("{}?lang={}", setup.path, language.tag()));
    }
    // Why: one test buyer for each customer, so the same wallet twice is the same wallet.
    let buyer = format!("{}:{wallet}", setup.customer);
    let fingerprint = sandbox.look(|state| state.seal().hash("wallet", &buyer));
    let request = ToProvider::Agree { setup: setup.id.clone(), wallet: kind, fingerprint };
    match sandbox.take(Request::Provider(request), None).await.answer {
        Ok(_) => back_to(&setup.return_url, "setup", &setup.id),
        Err(_) => closed(language),
    }
}
