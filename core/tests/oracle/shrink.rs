//! Makes a world in which both disagree as small as it gets: whatever can go without ending the
//! disagreement goes, so that a person can read what is left.

use super::naive::World;
use laika_core::decide::Cause;
use laika_core::retry::Ladder;
use laika_core::zone::Zone;

/// Simplifies, again and again, while `fails` says that the world still does.
pub(crate) fn shrink(mut world: World, fails: impl Fn(&World) -> bool) -> World {
    loop {
        let smaller = candidates(&world).into_iter().find(|smaller| fails(smaller));
        match smaller {
            Some(smaller) => world = smaller,
            None => return world,
        }
    }
}

/// Everything that is simpler by one thing.
fn candidates(world: &World) -> Vec<World> {
    let mut found = Vec::new();
    let mut offer = |change: &dyn Fn(&mut World)| {
        let mut smaller = world.clone();
        change(&mut smaller);
        if format!("{smaller:?}") != format!("{world:?}") {
            found.push(smaller);
        }
    };
    for n in 0..world.history.recharges.len() {
        offer(&|w| drop(w.history.recharges.remove(n)));
    }
    for n in 0..world.history.notices.len() {
        offer(&|w| drop(w.history.notices.remove(n)));
        offer(&|w| w.history.notices[n].lapses_at = None);
    }
    for n in 0..world.rule.payment_methods.len() {
        offer(&|w| drop(w.rule.payment_methods.remove(n)));
    }
    for n in 0..world.account.payment_methods.len() {
        offer(&|w| drop(w.account.payment_methods.remove(n)));
        offer(&|w| w.account.payment_methods[n].agreement = None);
        offer(&|w| w.account.payment_methods[n].declined_at.clear());
        offer(&|w| w.account.payment_methods[n].ladder = Ladder::default());
        offer(&|w| w.account.payment_methods[n].expires_at = None);
        offer(&|w| w.account.payment_methods[n].rail = laika_core::rail::Rail::Card);
    }
    offer(&|w| w.cause = Cause::Timer);
    offer(&|w| w.rule.triggers.low_balance = None);
    offer(&|w| w.rule.triggers.scheduled = None);
    offer(&|w| w.rule.triggers.expiring_days = None);
    offer(&|w| w.rule.skip_at = None);
    offer(&|w| w.rule.paused_until_on = None);
    offer(&|w| w.rule.limits.starts_on = None);
    offer(&|w| w.rule.limits.ends_on = None);
    offer(&|w| w.rule.limits.max_per_recharge = None);
    offer(&|w| w.rule.limits.max_per_day = None);
    offer(&|w| w.rule.limits.cap_per_month = None);
    offer(&|w| w.account.kept_periods = None);
    offer(&|w| w.account.zone = Zone::utc());
    offer(&|w| w.account.latest_expiry_at = None);
    offer(&|w| w.account.notice_lead_hours = 24);
    offer(&|w| w.history.consumed_through = None);
    offer(&|w| w.history.consumed_expiry_at = None);
    found
}

/// The world in a few lines of JSON, without what is absent.
pub(crate) fn show(world: &World) -> String {
    let mut account = serde_json::to_value(&world.account).expect("JSON");
    account["zone"] = world.account.zone.name.clone().into();
    let parts = [
        ("rule", serde_json::to_value(&world.rule)),
        ("account", Ok(account)),
        ("history", serde_json::to_value(&world.history)),
        ("cause", serde_json::to_value(&world.cause)),
    ];
    let mut text = format!("now {}\n", world.now);
    for (name, part) in parts {
        let part = bare(part.expect("JSON"));
        text.push_str(&format!("{name} {part}\n"));
    }
    text
}

fn bare(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, field)| (name, bare(field)));
            let empty = |field: &Value| {
                field.is_null() || *field == false || field.as_array().is_some_and(Vec::is_empty)
            };
            Value::Object(fields.filter(|(_, field)| !empty(field)).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(bare).collect()),
        other => other,
    }
}
