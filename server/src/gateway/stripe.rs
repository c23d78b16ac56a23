//! Stripe as a gateway: a thin client of our own for the few requests that Laika makes.
//!
//! Place in the flow: `Gateway::Stripe`. `form` is what is sent, `read` what comes back in our
//! terms, `amount` and `decline` are tables, `wallet` is what is paid with by a link; `event` reads
//! webhooks. Cards are typed at Stripe's.
//! It never sends the secret key anywhere but to the configured address, and never logs a body.

mod amount;
mod decline;
pub(crate) mod event;
mod form;
mod read;
mod statement;
mod wallet;

use super::{
    Charge, Dispute, Failure, KeptMethod, NOT_FOUND, Payment, PaymentState, Search, Setup,
    SetupState,
};
use crate::{
    clock::{Clock, Theirs},
    config::{Secret, Stripe},
    outbound::{NoAnswer, Outbound},
};
use form::Form;
use laika_core::{
    api::Language,
    id::IdempotencyKey,
    money::{Currency, Money},
    rail::Wallet,
    time::{Instant, Span},
};
use read::{
    CheckoutSession, DisputeRecord, Named, Page, PaymentIntent, PaymentMethod, Problem, Refund,
};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// The version of Stripe's API whose records `read` knows, whatever the account's own is.
const API_VERSION: &str = "2024-06-20";
/// Stripe gives no more at a time.
const PAGE: &str = "100";
/// Clocks differ: what is searched for may carry a time a little before ours.
const MARGIN: Span = Span::minutes(60);

/// Where Stripe is, and who we are there.
#[derive(Clone, Debug)]
pub struct StripeGateway {
    client: Outbound,
    key: Secret,
    base_url: String,
    ahead: Span,
    wall: Instant,
    theirs: Arc<Theirs>,
    wallets: Vec<Wallet>,
}

impl StripeGateway {
    /// Stripe as configured. Its times are the wall's, not those of "let time pass"; what it says of
    /// its own time is kept in `theirs`.
    pub fn new(
        client: Outbound,
        config: &Stripe,
        clock: &Clock,
        theirs: Arc<Theirs>,
    ) -> StripeGateway {
        StripeGateway {
            client,
            key: config.key.clone(),
            base_url: config.base_url.clone(),
            ahead: Span(clock.offset()),
            wall: clock.wall(),
            theirs,
            wallets: config.wallets.clone(),
        }
    }

    /// The wallets that the account has and that take a currency.
    pub(super) fn wallets(&self, currency: Currency) -> Vec<Wallet> {
        self.wallets.iter().copied().filter(|it| wallet::takes(*it, currency)).collect()
    }

    pub(super) async fn account(&self) -> Result<String, Failure> {
        let account: Named = self.get("/v1/account", &Form::default()).await?;
        Ok(account.id)
    }

    pub(super) async fn create_customer(
        &self,
        account_id: &str,
        gone: Option<&str>,
    ) -> Result<String, Failure> {
        let form = Form::default().with("metadata[account_id]", account_id);
        // Why: under the key of before Stripe would give the one that is gone.
        let key = match gone {
            Some(gone) => format!("customer-{account_id}-after-{gone}"),
            None => format!("customer-{account_id}"),
        };
        let made: Named = self.post("/v1/customers", Some(&key), &form).await?;
        Ok(made.id)
    }

    pub(super) async fn create_setup(
        &self,
        customer: &str,
        back: &str,
        language: Language,
    ) -> Result<Setup, Failure> {
        let locale = match language {
            Language::En => "en",
            Language::ZhCn => "zh",
        };
        let mut form = Form::default()
            .with("mode", "setup")
            .with("customer", customer)
            .with("locale", locale)
            // Stripe puts the visit's name where these braces are.
            .with("success_url", format!("{back}?setup={{CHECKOUT_SESSION_ID}}"))
            .with("cancel_url", back);
        for kind in read::kept_ways() {
            form = form.with("payment_method_types[]", kind);
        }
        let made: CheckoutSession = self.post("/v1/checkout/sessions", None, &form).await?;
        let url = made.url.ok_or_else(|| {
            let why = format!("setup {}: no page", made.id);
            Failure::Unknown(NoAnswer::unknown(why))
        })?;
        Ok(Setup { id: made.id, url })
    }

    pub(super) async fn setup(&self, id: &str) -> Result<SetupState, Failure> {
        let form = Form::default().with("expand[]", "setup_intent.payment_method");
        let path = format!("/v1/checkout/sessions/{id}");
        self.get::<CheckoutSession>(&path, &form).await?.state()
    }

    pub(super) async fn kept(&self, token: &str) -> Result<Option<KeptMethod>, Failure> {
        let form = Form::default().with("expand[]", "customer");
        let path = format!("/v1/payment_methods/{token}");
        self.get::<PaymentMethod>(&path, &form).await?.kept()
    }

    pub(super) async fn detach(&self, token: &str) -> Result<(), Failure> {
        if self.method(token).await?.customer().is_none() {
            return Ok(());
        }
        let path = format!("/v1/payment_methods/{token}/detach");
        let _: Named = self.post(&path, None, &Form::default()).await?;
        Ok(())
    }

    pub(super) async fn charge(&self, charge: &Charge) -> Result<Payment, Failure> {
        let refused = || Failure::Refused { code: "amount_not_possible".to_owned() };
        let amount = amount::to_stripe(charge.amount).ok_or_else(refused)?;
        // Why: nothing that can change between two sendings, or Stripe refuses the second. A
        // wallet's `return_url` changes with the server's own address; then the key finds it.
        let form = Form::default()
            .with("amount", amount.to_string())
            .with("currency", charge.amount.currency.code().to_ascii_lowercase())
            .with("customer", &charge.customer)
            .with("confirm", "true")
            .with("metadata[account_id]", charge.account_id.as_str())
            .with("metadata[recharge_id]", charge.recharge_id.as_str())
            .with("metadata[attempt]", charge.attempt.to_string())
            .with("metadata[key]", charge.key.as_str())
            .with("expand[]", "latest_charge");
        let wallet = Wallet::of_code(&charge.token);
        let form = match wallet {
            Some(wallet) => wallet::by_link(form, wallet, charge)?,
            None => form
                .with("payment_method", &charge.token)
                .with("payment_method_types[]", "card")
                .with("off_session", "true"),
        };
        let key = Some(charge.key.as_str());
        let intent = match self.intent("/v1/payment_intents", key, &form).await? {
            Ok(intent) => intent,
            Err(problem) => {
                let way = wallet.map_or("card", Wallet::code);
                return Err(self.whose(charge, problem.of_charge(way)).await);
            }
        };
        self.with_page(intent, &charge.return_url).await
    }

    /// A refusal, as the method's where it is: Stripe says of a card that was detached only in
    /// words that nothing may be read from. What is not the method's is an error of ours.
    async fn whose(&self, charge: &Charge, failure: Failure) -> Failure {
        let code = match failure {
            Failure::Refused { code } if !decline::is_named(&code) => code,
            failure => return failure,
        };
        let method = match Wallet::of_code(&charge.token) {
            None => self.method(&charge.token).await.map(Some),
            Some(_) => Ok(None),
        };
        let gone = match method {
            Ok(method) => method.is_some_and(|it| it.customer() != Some(&charge.customer)),
            Err(Failure::Refused { code }) => code == NOT_FOUND,
            // Why: asked again under the same key, Stripe refuses again, and then says whose.
            Err(failure @ Failure::Unknown(_)) => return failure,
        };
        if gone {
            return Failure::Refused { code: NOT_FOUND.to_owned() };
        }
        let (recharge, attempt) = (&charge.recharge_id, charge.attempt);
        tracing::error!(%recharge, attempt, code, "Stripe refuses a request of ours");
        Failure::Refused { code: decline::OURS.to_owned() }
    }

    async fn method(&self, token: &str) -> Result<PaymentMethod, Failure> {
        self.get(&format!("/v1/payment_methods/{token}"), &Form::default()).await
    }

    pub(super) async fn find(&self, search: &Search<'_>) -> Result<Vec<Payment>, Failure> {
        let listed = self.intents(search.since.minus(MARGIN), Some(search.customer)).await?;
        let key = search.key.as_str();
        let mine = |intent: &PaymentIntent| {
            let is =
                |name: &str, value: &str| intent.metadata.get(name).is_some_and(|v| v == value);
            let attempt = search.attempt.to_string();
            is("key", key)
                || (is("recharge_id", search.recharge_id.as_str()) && is("attempt", &attempt))
        };
        listed.into_iter().filter(mine).map(PaymentIntent::payment).collect()
    }

    /// Those of ours; one that makes no sense is left to whoever looks it up.
    pub(super) async fn list(&self, since: i64) -> Result<Vec<Payment>, Failure> {
        let listed = self.intents(Instant::from_micros(since), None).await?;
        let mine = listed.into_iter().filter(|it| it.metadata.contains_key("recharge_id"));
        let read = |intent: PaymentIntent| match intent.payment() {
            Ok(payment) => Some(payment),
            Err(failure) => {
                tracing::warn!(?failure, "a payment of the list is not understood");
                None
            }
        };
        Ok(mine.filter_map(read).collect())
    }

    async fn intents(
        &self,
        since: Instant,
        customer: Option<&str>,
    ) -> Result<Vec<PaymentIntent>, Failure> {
        let mut form = self.since(since).with("expand[]", "data.latest_charge");
        if let Some(customer) = customer {
            form = form.with("customer", customer);
        }
        self.all("/v1/payment_intents", form, |intent: &PaymentIntent| &intent.id).await
    }

    /// Those of ours; one that makes no sense keeps no other from being heard, and is said of each
    /// time, as it may be money that went back.
    pub(super) async fn disputes(&self, since: i64) -> Result<Vec<Dispute>, Failure> {
        let form = self.since(Instant::from_micros(since)).with("expand[]", "data.payment_intent");
        let all = self.all("/v1/disputes", form, |dispute: &DisputeRecord| &dispute.id).await?;
        let read = |record: DisputeRecord| match record.dispute() {
            Ok(dispute) => Some(dispute),
            Err(failure) => {
                tracing::error!(%failure, "a dispute of the list is not understood");
                None
            }
        };
        Ok(all.into_iter().filter(|it| !it.is_anothers()).filter_map(read).collect())
    }

    /// *Errors*: also where one of them makes no sense: what it took would be given back once more.
    pub(super) async fn disputes_about(&self, payment: &str) -> Result<Vec<Dispute>, Failure> {
        let form = Form::default().with("limit", PAGE).with("payment_intent", payment);
        let all = self.all("/v1/disputes", form, |dispute: &DisputeRecord| &dispute.id).await?;
        all.into_iter().map(DisputeRecord::dispute).collect()
    }

    fn since(&self, since: Instant) -> Form {
        let created = since.minus(self.ahead).seconds().max(0);
        Form::default().with("limit", PAGE).with("created[gte]", created.to_string())
    }

    /// Their time of something, as ours.
    fn at(&self, created: i64) -> Instant {
        Instant::from_seconds(created).plus(self.ahead)
    }

    /// Every page of a list.
    async fn all<T: DeserializeOwned>(
        &self,
        path: &str,
        form: Form,
        id: fn(&T) -> &String,
    ) -> Result<Vec<T>, Failure> {
        let mut all: Vec<T> = Vec::new();
        loop {
            let page = match all.last() {
                Some(last) => form.clone().with("starting_after", id(last)),
                None => form.clone(),
            };
            let page: Page<T> = self.get(path, &page).await?;
            let ended = !page.has_more || page.data.is_empty();
            all.extend(page.data);
            if ended {
                return Ok(all);
            }
        }
    }

    pub(super) async fn payment(&self, id: &str) -> Result<Payment, Failure> {
        self.stored(id).await?.payment()
    }

    async fn stored(&self, id: &str) -> Result<PaymentIntent, Failure> {
        let form = Form::default().with("expand[]", "latest_charge");
        self.get(&format!("/v1/payment_intents/{id}"), &form).await
    }

    pub(super) async fn ask(&self, payment: &str, back: &str) -> Result<Payment, Failure> {
        let intent = self.stored(payment).await?;
        self.with_page(intent, back).await
    }

    /// The payment; where the bank wants the customer, with a page for it on which nothing is taken
    /// unless the customer is there.
    async fn with_page(&self, intent: PaymentIntent, back: &str) -> Result<Payment, Failure> {
        let method = intent.method_of_error().map(str::to_owned);
        let payment = intent.clone().payment()?;
        if payment.state != PaymentState::Unasked {
            return Ok(payment);
        }
        let method = method.ok_or_else(|| intent.nonsense("a payment method"))?;
        let form = Form::default()
            .with("payment_method", method)
            .with("off_session", "false")
            .with("return_url", back)
            // Why: without a challenge the bank could let it through as if the customer were there.
            .with("payment_method_options[card][request_three_d_secure]", "challenge")
            .with("expand[]", "latest_charge");
        let key = format!("{}-ask", payment.key.as_deref().unwrap_or(&payment.id));
        let path = format!("/v1/payment_intents/{}/confirm", payment.id);
        let told = self.intent(&path, Some(&key), &form).await?;
        told.map_err(|problem| problem.of_payment())?.payment()
    }

    pub(super) async fn cancel(&self, payment: &str) -> Result<Payment, Failure> {
        let path = format!("/v1/payment_intents/{payment}/cancel");
        let form = Form::default().with("expand[]", "latest_charge");
        self.post::<PaymentIntent>(&path, None, &form).await?.payment()
    }

    pub(super) async fn refund(
        &self,
        key: &IdempotencyKey,
        payment: &str,
        amount: Money,
    ) -> Result<String, Failure> {
        let refused = || Failure::Refused { code: "amount_not_possible".to_owned() };
        let amount = amount::to_stripe(amount).ok_or_else(refused)?;
        let form = Form::default()
            .with("payment_intent", payment)
            .with("amount", amount.to_string())
            .with("metadata[key]", key.as_str());
        let made: Refund = self.post("/v1/refunds", Some(key.as_str()), &form).await?;
        match made.status.as_deref() {
            Some("succeeded" | "pending") => Ok(made.id),
            Some("failed" | "canceled") => {
                let code = made.failure_reason.unwrap_or_else(|| "refund_failed".to_owned());
                Err(Failure::Refused { code })
            }
            _ => {
                let why = "a refund that is neither made nor refused".to_owned();
                Err(Failure::Unknown(NoAnswer::unknown(why)))
            }
        }
    }

    /// A request that charges: a payment comes back in the answer or in its refusal.
    async fn intent(
        &self,
        path: &str,
        key: Option<&str>,
        form: &Form,
    ) -> Result<Result<PaymentIntent, Problem>, NoAnswer> {
        Ok(match self.send("POST", path, key, form).await? {
            Err(Problem { status: 402, payment_intent: Some(intent), .. }) => Ok(intent),
            told => told,
        })
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, form: &Form) -> Result<T, Failure> {
        let path = format!("{path}?{}", form.text());
        let told = self.send("GET", &path, None, &Form::default()).await?;
        told.map_err(|problem| problem.failure())
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        key: Option<&str>,
        form: &Form,
    ) -> Result<T, Failure> {
        let told = self.send("POST", path, key, form).await?;
        told.map_err(|problem| problem.failure())
    }

    /// One request: what was done, or why it was not.
    async fn send<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        key: Option<&str>,
        form: &Form,
    ) -> Result<Result<T, Problem>, NoAnswer> {
        let bearer = format!("Bearer {}", self.key.expose());
        let mut headers = vec![
            ("authorization", bearer.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
            ("stripe-version", API_VERSION),
        ];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        let url = format!("{}{path}", self.base_url);
        let body = form.text().as_bytes().to_vec();
        let answered = self.client.send(method, &url, &headers, body).await?;
        if let Some(told_at) = answered.told_at {
            self.theirs.told(told_at);
        }
        match answered.status {
            200..=299 => Ok(Ok(read::json(&answered)?)),
            _ => Ok(Err(read::problem(&answered))),
        }
    }
}

#[cfg(test)]
mod tests;
