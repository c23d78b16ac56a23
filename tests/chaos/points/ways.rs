//! How each crash point is reached. Everything that a living server is asked here may find it dead;
//! what needs one that lives on is prepared in the life before.

use std::time::Duration;

use laika_core::api::{NextCharge, RechargeNow, ScriptedCharge, SetupView};
use laika_core::recharge::Status;
use laika_tests::support::customer::Customer;
use laika_tests::support::http::Request;
use laika_tests::support::wait;
use serde_json::{Value, json};

use super::super::town::{DATA_AT_FIRST, turn_on_rule};
use super::{Mortal, SOON};

const CARD: &str = "4242424242424242";
/// Long enough for every look, every cool-down and every look-up.
const LONG: Duration = Duration::from_secs(7 * 60 * 60);

/// What brings a server by a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It starts.
    Start,
    /// A line runs dry.
    Dry,
    /// The same, and much time passes.
    DryAndWait,
    /// A line runs dry, and the answer to its charge does not come.
    AnswerKept,
    /// A line runs dry, and its charge is lost on the way.
    ChargeLost,
    /// A line runs dry, and the carrier's answer is lost.
    DeliveryLost,
    /// A guest's line runs dry, and the carrier refuses.
    NotDelivered,
    /// The same, and the gateway cannot be asked how the payment stands.
    NotDeliveredNorLookedUp,
    /// A line runs dry, and the database cannot be read.
    Unreadable,
    /// The kill switch goes on while a charge waits to be sent.
    Withdrawn,
    /// A guest's bank wants to see them, and they turn the rule off.
    Cancelled,
    /// A guest buys by hand.
    Purchase,
    /// A guest saves a rule.
    RuleSaved,
    /// A guest turns the rule off.
    RuleSwitched,
    /// A guest adds a card.
    CardAdded,
    /// A guest removes it.
    CardRemoved,
    /// `laika kill-switch`.
    KillSwitch,
    /// The same for one line.
    KillSwitchLine,
}

impl Way {
    /// The way to a point. One that is not known here is tried by a line that runs dry.
    pub(super) fn to(point: &str) -> Way {
        match point.trim_end_matches(".before").trim_end_matches(".after") {
            "release" | "sweep" | "turn" | "lease" => Way::Start,
            "look" | "finish" => Way::DryAndWait,
            "look_up_due" => Way::AnswerKept,
            "payment.found" => Way::ChargeLost,
            "top_up.found" => Way::DeliveryLost,
            "refund.answered" => Way::NotDelivered,
            "later" => Way::NotDeliveredNorLookedUp,
            "retry" => Way::Unreadable,
            "withdrawal" => Way::Withdrawn,
            "cancel.answered" => Way::Cancelled,
            "purchase" => Way::Purchase,
            "rule_saved" => Way::RuleSaved,
            "rule_switched" => Way::RuleSwitched,
            "customer" | "customer.answered" | "setup" | "setup.answered" | "card.answered"
            | "method" => Way::CardAdded,
            "method_removed" | "detach.answered" => Way::CardRemoved,
            "kill_switch" | "kill_switch_lines" => Way::KillSwitch,
            "kill_switch_line" => Way::KillSwitchLine,
            _ => Way::Dry,
        }
    }

    /// The command that dies, where it is not the server.
    pub(super) fn command(self, mortal: &Mortal) -> Option<Vec<String>> {
        let mut words = vec!["kill-switch", "on"];
        match self {
            Way::KillSwitch => {}
            Way::KillSwitchLine => {
                words.extend(["--line", &mortal.run.town.customers[0].line.iccid]);
            }
            _ => return None,
        }
        Some(words.into_iter().map(str::to_owned).collect())
    }

    /// What has to be there before: a server that dies at nothing is asked for it.
    pub(super) fn prepare(self, mortal: &mut Mortal) {
        let (card, rule) = match self {
            Way::NotDelivered | Way::NotDeliveredNorLookedUp | Way::Cancelled => (true, true),
            Way::RuleSaved | Way::RuleSwitched => (true, true),
            Way::Purchase | Way::CardRemoved => (true, false),
            Way::CardAdded => (false, false),
            Way::Withdrawn => return withdraw(mortal),
            Way::Unreadable => return take_away(mortal),
            Way::Start | Way::Dry | Way::DryAndWait | Way::AnswerKept | Way::ChargeLost => return,
            Way::DeliveryLost | Way::KillSwitch | Way::KillSwitchLine => return,
        };
        mortal.live();
        let guest = mortal.run.town.welcome();
        if card {
            guest.add_card(CARD);
        }
        if rule {
            turn_on_rule(&guest);
        }
        match self {
            Way::NotDelivered => guest.next_charge(NextCharge::NotDelivered),
            Way::NotDeliveredNorLookedUp => {
                guest.next_charge(NextCharge::NotDelivered);
                mortal.run.town.proxy.look_ups_fail(true);
            }
            Way::Cancelled => {
                guest.next_charge(NextCharge::NeedsCustomer);
                mortal.run.spender.spend(&guest.line.iccid, DATA_AT_FIRST);
                wait::until("the bank asks", SOON, || {
                    let all = guest.recharges().expect("the server is there");
                    let asks = |status| status == Status::NeedsCustomer;
                    all.iter().any(|view| asks(view.recharge.status)).then_some(())
                });
            }
            _ => {}
        }
        mortal.guest = Some(guest);
    }

    /// Goes there, for the first time or again.
    pub(super) fn go(self, mortal: &mut Mortal, round: u32) {
        let guest = mortal.guest.clone();
        let guest = guest.as_ref();
        match self {
            Way::Start | Way::Withdrawn | Way::KillSwitch | Way::KillSwitchLine => {}
            Way::Dry => dry(mortal),
            Way::DryAndWait => {
                dry(mortal);
                mortal.run.town.try_to_let_pass(LONG);
            }
            Way::AnswerKept => {
                mortal.run.town.proxy.keep_next_answer();
                dry(mortal);
            }
            Way::ChargeLost => lost(mortal, NextCharge::AnswerLostBeforeCharge),
            Way::DeliveryLost => lost(mortal, NextCharge::DeliveryAnswerLost),
            Way::NotDelivered | Way::NotDeliveredNorLookedUp => {
                if let Some(guest) = guest.filter(|_| round == 0) {
                    mortal.run.spender.spend(&guest.line.iccid, DATA_AT_FIRST);
                }
                // The carrier is asked again for an hour before money goes back.
                if let Some(guest) = guest {
                    try_to_script(guest, NextCharge::NotDelivered);
                }
                mortal.run.town.try_to_let_pass(Duration::from_secs(10 * 60));
            }
            Way::Unreadable => unreadable(mortal),
            Way::Cancelled | Way::RuleSwitched => post(guest, |it| it.of_line("rule/off")),
            Way::Purchase => guest.map_or((), buy),
            Way::RuleSaved => guest.map_or((), save),
            Way::CardAdded => guest.map_or((), add_card),
            Way::CardRemoved => guest.map_or((), remove_card),
        }
    }

    /// What must not last.
    pub(super) fn clear(self, mortal: &mut Mortal) {
        mortal.guest = None;
        mortal.run.town.proxy.look_ups_fail(false);
        match self {
            Way::Withdrawn => drop(mortal.run.town.run(&["kill-switch", "off"])),
            Way::Unreadable => give_back(mortal),
            _ => {}
        }
    }
}

fn dry(mortal: &mut Mortal) {
    mortal.run.town.try_to_let_pass(Duration::from_secs(31 * 60));
    mortal.run.use_up_a_line();
}

fn lost(mortal: &mut Mortal, what: NextCharge) {
    for customer in &mortal.run.town.customers {
        try_to_script(customer, what);
    }
    dry(mortal);
}

/// How somebody's next charge, or its delivery, ends.
fn try_to_script(customer: &Customer, outcome: NextCharge) {
    let next = serde_json::to_value(ScriptedCharge { outcome }).expect("JSON");
    taken(customer.request("POST", "/sandbox/next-charge").json(&next));
}

/// Asks a server that may be dead. One that lives must not turn it away: then nobody comes by the
/// point, and why would be a riddle.
fn taken(request: Request) {
    if let Ok(answer) = request.send() {
        let turned_away = (400..500).contains(&answer.status);
        assert!(!turned_away, "{}: {}", answer.status, answer.text());
    }
}

fn post(guest: Option<&Customer>, path: impl Fn(&Customer) -> String) {
    if let Some(guest) = guest {
        drop(guest.request("POST", &path(guest)).json(&json!({})).send());
    }
}

/// The body of an answer, if one comes.
fn ask(request: Request) -> Option<Value> {
    request.send().ok().map(|answer| answer.json())
}

fn buy(guest: &Customer) {
    let Some(methods) = ask(guest.request("GET", "/payment-methods")) else { return };
    let now = RechargeNow {
        steps: 1,
        amount: guest.line.terms.step.expect("a step to buy").price,
        payment_method_id: serde_json::from_value(methods[0]["id"].clone()).expect("an id"),
    };
    let request = guest.request("POST", &guest.of_line("recharges"));
    let request = request.header("Idempotency-Key", "by-hand");
    drop(request.json(&serde_json::to_value(&now).expect("JSON")).send());
}

fn save(guest: &Customer) {
    let inputs = ask(guest.request("GET", &guest.of_line("preview-inputs")));
    let Some(inputs) = inputs.and_then(|json| serde_json::from_value(json).ok()) else { return };
    let rule = Customer::rule_to_save(&inputs, |draft| {
        draft.low_balance = true;
        draft.threshold = "2".to_owned();
        draft.amount = "5".to_owned();
        draft.cap_per_month = "100000".to_owned();
    });
    let request = guest.request("PUT", &guest.of_line("rule")).header("Idempotency-Key", "again");
    drop(request.json(&serde_json::to_value(&rule).expect("JSON")).send());
}

fn add_card(guest: &Customer) {
    let setup = ask(guest.request("POST", "/payment-methods/setups").json(&json!({})));
    let setup = setup.and_then(|json| serde_json::from_value::<SetupView>(json).ok());
    let Some(setup) = setup else { return };
    let entry = [("number", CARD), ("expiry", "12 / 34"), ("cvc", "123")];
    drop(Request::new("POST", &setup.url).form(&entry).send());
    let path = format!("/payment-methods/setups/{}/complete", setup.setup_id);
    drop(guest.request("POST", &path).json(&json!({})).send());
}

fn remove_card(guest: &Customer) {
    let methods = ask(guest.request("GET", "/payment-methods")).unwrap_or_default();
    if let Some(id) = methods[0]["id"].as_str() {
        drop(guest.request("DELETE", &format!("/payment-methods/{id}")).send());
    }
}

/// A charge waits to be sent, as the server died before it was; then the switch goes on.
fn withdraw(mortal: &mut Mortal) {
    let point = "submission.before";
    mortal.run.town.kill();
    mortal.run.town.start_to_die_at(point);
    let status = wait::until("the server dies before it sends a charge", SOON, || {
        dry(mortal);
        wait::within(Duration::from_millis(500), || mortal.run.town.ended())
    });
    mortal.run.town.bury(status, point);
    mortal.run.town.run(&["kill-switch", "on", "--why", "a charge waits"]);
}

/// A server whose database can be taken away under it.
fn take_away(mortal: &mut Mortal) {
    #[cfg(target_os = "linux")]
    for (name, value) in mortal.machine.env(&mortal.run.town.file()) {
        mortal.run.town.place.set(name, &value);
    }
}

fn give_back(mortal: &mut Mortal) {
    #[cfg(target_os = "linux")]
    for (name, _) in mortal.machine.env(&mortal.run.town.file()) {
        mortal.run.town.place.unset(name);
    }
}

/// Jobs that read a recharge fail for a moment; writing down that they are tried again does not.
fn unreadable(mortal: &mut Mortal) {
    dry(mortal);
    if let Some(database) = &mortal.run.town.database {
        database.ask("ALTER TABLE recharges RENAME TO recharges_away");
        wait::within(Duration::from_secs(2), || mortal.run.town.ended());
        let database = mortal.run.town.database.as_ref().expect("it is there");
        return drop(database.ask("ALTER TABLE recharges_away RENAME TO recharges"));
    }
    #[cfg(target_os = "linux")]
    for _ in 0..20 {
        mortal.machine.reads_fail(true);
        wait::within(Duration::from_millis(20), || mortal.run.town.ended());
        mortal.machine.reads_fail(false);
        wait::within(Duration::from_millis(20), || mortal.run.town.ended());
    }
}
