//! The whole server with a carrier over HTTP, in every weather: what is paid for is delivered once
//! and credited once, or the money goes back whole.

use std::time::Duration;

use laika_core::api::{NextCharge, ScriptedCharge};
use laika_core::recharge::Status;
use laika_tests::support::carrier::{Carrier, SECRET, Trouble};
use laika_tests::support::customer::Customer;
use laika_tests::support::http::Request;
use laika_tests::support::laika::{Place, Process};
use laika_tests::support::wait;
use serde_json::Value;

const CARD: &str = "4242424242424242";
const SOON: Duration = Duration::from_secs(90);
/// What is left of a new line's data after it has run dry.
const LEFT: u64 = 500_000_000;

/// A server whose carrier is reached over HTTP, and a customer of it.
struct World {
    carrier: Carrier,
    place: Place,
    server: Process,
    customer: Customer,
}

impl World {
    fn new(name: &str) -> World {
        let mut place = Place::new(name);
        let carrier = Carrier::start(&place);
        place.set("LAIKA_CARRIER_URL", &carrier.url);
        place.set("LAIKA_CARRIER_SECRET", SECRET);
        let server = place.start(&["serve"]);
        let customer = Customer::register(&server.origin, 1);
        World { carrier, place, server, customer }
    }

    /// A card, a rule, and usage that makes it charge.
    fn run_dry(&self) {
        self.customer.add_card(CARD);
        self.customer.turn_on_rule(|_| ());
        self.customer.use_data(10_000_000_000 - LEFT);
    }

    fn status(&self) -> Option<Status> {
        let all = self.customer.recharges().expect("the server is there");
        all.first().map(|view| view.recharge.status)
    }

    fn waits_for(&self, status: Status) {
        let what = format!("a recharge that is {status:?}");
        wait::until(&what, SOON, || (self.status() == Some(status)).then_some(()));
    }

    /// The provider's own list: what was taken, and what of it went back.
    fn charges(&self) -> Vec<(i64, i64)> {
        let url = format!("{}/charges", self.customer.provider());
        let all = Request::new("GET", &url).send().expect("the provider").expect(200).json();
        let money = |row: &Value, name: &str| row[name].as_i64().unwrap_or_default();
        let rows = all["charges"].as_array().expect("a list").iter();
        rows.map(|row| (money(row, "captured_minor"), money(row, "refunded_minor"))).collect()
    }

    fn data_bytes(&self) -> u64 {
        let audit = self.place.run(&["audit", "--json"]).expect(0).json_lines();
        assert_eq!(audit[0]["violations"].as_array().map(Vec::len), Some(0), "{audit:?}");
        let lines = self.place.run(&["lines", "--json"]).expect(0).json_lines();
        lines[0]["data_bytes"].as_u64().expect("bytes")
    }

    /// Gateway, carrier and ledger say the same: charged once, delivered once, credited once.
    fn is_delivered_once(&self) {
        let done = self.customer.recharges_done(1);
        assert_eq!(done.len(), 1, "one recharge");
        let order = &done[0].recharge.order;
        assert_eq!(self.charges(), [(order.amount.amount_minor, 0)]);
        let given = self.carrier.given();
        assert_eq!(given.len(), 1, "{given:?}");
        assert_eq!(given[0]["key"], format!("{}-t", done[0].recharge.id));
        assert_eq!(given[0]["iccid"], self.customer.line.iccid.as_str());
        assert_eq!(given[0]["data_bytes"], order.adds.bytes().get());
        assert_eq!(given[0]["metadata"]["recharge_id"], done[0].recharge.id.as_str());
        assert_eq!(self.data_bytes(), LEFT + order.adds.bytes().get());
        assert_eq!(self.carrier.keys(), 1, "one key");
    }

    /// Nothing was given, and all of the money is back.
    fn is_given_back(&self) {
        assert_eq!(self.carrier.given(), Vec::<Value>::new());
        let charges = self.charges();
        assert!(matches!(charges.as_slice(), [(taken, back)] if taken == back), "{charges:?}");
        assert_eq!(self.data_bytes(), LEFT);
        assert_eq!(self.carrier.keys(), 1, "one key");
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.place.folder.file("log")).expect("a log")
    }

    /// Lets time pass, until something is so that happens then.
    fn pass_until(&self, what: &str, seconds: u64, so: impl Fn(&World) -> bool) {
        self.customer.let_pass(Duration::from_secs(seconds));
        wait::until(what, SOON, || so(self).then_some(()));
    }

    /// Lets an hour pass, and some, in which the carrier is asked once what became of it.
    fn pass_an_hour(&self) {
        let before = self.carrier.looked();
        self.pass_until("a look-up", 3_700, |world| world.carrier.looked() > before);
        assert_eq!(self.status(), Some(Status::DeliveryUnknown));
    }
}

#[test]
fn what_is_paid_for_is_delivered_over_http_and_the_secret_stays_where_it_is() {
    let world = World::new("http");
    let session = world.customer.get("/session").expect(200).json();
    let script = ScriptedCharge { outcome: NextCharge::NotDelivered };
    assert_ne!(session["sandbox"], Value::Null, "payments are the sandbox's, and it is said");
    let told = world.customer.post("/sandbox/next-charge", &script);
    assert_eq!(told.expect(409).json()["code"], "not_the_sandbox");
    world.run_dry();
    world.is_delivered_once();
    assert_eq!(world.carrier.asked(), 1);
    for file in ["log", "laika.db", "laika.db-wal"] {
        let bytes = std::fs::read(world.place.folder.file(file)).unwrap_or_default();
        let held = bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
        assert!(!held, "the carrier's secret is in {file}");
    }
}

#[test]
fn an_answer_that_is_lost_after_delivering_is_looked_up_and_nothing_is_given_again() {
    for trouble in [
        Trouble::ErrorAfter,
        Trouble::LostAfter,
        Trouble::HalfAnAnswer,
        Trouble::Malformed,
        // Why last: it is waited for as long as the server waits.
        Trouble::Held,
    ] {
        let world = World::new("after");
        world.carrier.trouble(&[trouble]);
        world.run_dry();
        world.waits_for(Status::DeliveryUnknown);
        world.customer.let_pass(Duration::from_secs(61));
        world.is_delivered_once();
        assert_eq!(world.carrier.asked(), 1, "{trouble:?}");
    }
}

#[test]
fn what_never_arrived_is_asked_for_again_under_the_same_key() {
    for trouble in [Trouble::ErrorBefore, Trouble::LostBefore, Trouble::RefusedByAProxy] {
        let world = World::new("before");
        world.carrier.trouble(&[trouble]);
        world.run_dry();
        world.waits_for(Status::DeliveryUnknown);
        world.customer.let_pass(Duration::from_secs(61));
        world.is_delivered_once();
        assert_eq!(world.carrier.asked(), 2, "{trouble:?}");
    }
}

#[test]
fn turned_away_it_comes_again_soon() {
    let world = World::new("busy");
    world.carrier.trouble(&[Trouble::TooMany, Trouble::TooMany, Trouble::TooMany]);
    world.run_dry();
    world.is_delivered_once();
    assert_eq!(world.carrier.asked(), 4);
}

#[test]
fn a_definite_no_is_asked_again_for_an_hour_and_then_the_money_goes_back_whole() {
    let world = World::new("refused");
    world.carrier.trouble(&[Trouble::Refused, Trouble::Refused]);
    world.run_dry();
    world.waits_for(Status::Delivering);
    world.pass_until("asked after a minute", 61, |world| world.carrier.asked() == 2);
    world.pass_until("asked after five", 240, |world| world.carrier.asked() == 3);
    world.is_delivered_once();

    let world = World::new("never");
    world.carrier.always(Some(Trouble::Refused));
    world.run_dry();
    world.waits_for(Status::Delivering);
    for (seconds, asked) in [(61, 2), (240, 3), (1_500, 4)] {
        world.pass_until("asked again", seconds, |world| world.carrier.asked() == asked);
        assert_eq!(world.status(), Some(Status::Delivering), "no money goes back yet");
    }
    let refunded = |world: &World| world.status() == Some(Status::Refunded);
    world.pass_until("the money is back after an hour", 1_800, refunded);
    assert_eq!(world.carrier.asked(), 5);
    world.is_given_back();
}

#[test]
fn what_the_carrier_cannot_find_goes_back_when_it_was_sure_of_it_twice() {
    let world = World::new("nothing");
    world.carrier.always(Some(Trouble::LostBefore));
    world.run_dry();
    world.waits_for(Status::DeliveryUnknown);
    for (seconds, asked) in [(61, 2), (240, 3), (1_500, 4)] {
        world.pass_until("asked again", seconds, |world| world.carrier.asked() == asked);
        world.waits_for(Status::DeliveryUnknown);
    }
    world.pass_until("not found for the first time that counts", 5_400, |world| {
        let all = world.customer.recharges().expect("the server is there");
        all[0].recharge.top_up_not_found_at.is_some()
    });
    assert_eq!(world.status(), Some(Status::DeliveryUnknown), "once is not enough");
    let refunded = |world: &World| world.status() == Some(Status::Refunded);
    world.pass_until("the money is back", 3_700, refunded);
    assert_eq!(world.carrier.asked(), 4, "after an hour nothing is asked for any more");
    world.is_given_back();
}

#[test]
fn another_amount_is_neither_delivered_nor_given_back_until_it_is_put_right() {
    let world = World::new("other");
    world.carrier.trouble(&[Trouble::OtherAmount]);
    world.run_dry();
    world.waits_for(Status::DeliveryUnknown);
    for _ in 0..4 {
        world.pass_an_hour();
    }
    let taken = world.charges();
    assert!(matches!(taken.as_slice(), [(1.., 0)]), "{taken:?}");
    assert_eq!(world.data_bytes(), LEFT, "and nothing is credited");
    assert!(world.log().contains("the carrier gave something else"), "{}", world.log());
    world.carrier.mend();
    world.customer.let_pass(Duration::from_secs(3_700));
    world.is_delivered_once();
    assert_eq!(world.carrier.asked(), 1);
}

#[test]
fn a_key_that_was_used_for_something_else_is_for_a_person() {
    let world = World::new("used");
    world.carrier.trouble(&[Trouble::UsedBefore]);
    world.run_dry();
    world.waits_for(Status::DeliveryUnknown);
    for _ in 0..4 {
        world.pass_an_hour();
    }
    let taken = world.charges();
    assert!(matches!(taken.as_slice(), [(1.., 0)]), "{taken:?}");
    assert_eq!((world.carrier.given().len(), world.carrier.asked()), (1, 1));
    let unknown = world.place.run(&["recharges", "--unknown"]).expect(0).stdout;
    assert_eq!(unknown.lines().count(), 1, "{unknown}");
}

#[test]
fn a_server_that_was_killed_before_the_answer_asks_under_the_same_key() {
    let mut world = World::new("killed");
    world.carrier.trouble(&[Trouble::Held]);
    world.run_dry();
    wait::until("it is given", SOON, || (world.carrier.given().len() == 1).then_some(()));
    world.place.set("LAIKA_LISTEN", world.server.listen());
    world.server.kill();
    world.server = world.place.start(&["serve"]);
    world.is_delivered_once();
    assert_eq!(world.carrier.asked(), 2, "the same again");
}
