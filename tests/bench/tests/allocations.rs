//! `decide` asks for no memory where it does not recharge: the server looks after every use of
//! data, and almost every look ends so.

use allocation_counter::measure;

/// How often a thousand decisions of a kind ask for memory.
fn of_a_thousand(kind: &str) -> u64 {
    let count = |decisions: u32| {
        let words = format!("decide {kind} {decisions}");
        measure(|| drop(laika_bench::answer(&words))).count_total
    };
    // Why: the first time makes the worlds; what asking itself takes is the same each time.
    count(1);
    count(2000) - count(1000)
}

#[test]
fn not_recharging_allocates_nothing() {
    for kind in ["not_due", "cap", "cool_down"] {
        assert_eq!(of_a_thousand(kind), 0, "{kind}");
    }
}

#[test]
fn a_recharge_allocates_only_its_order() {
    // The methods to try, the one id among them, and the trigger that it consumes.
    assert_eq!(of_a_thousand("recharge"), 3 * 1000);
}
