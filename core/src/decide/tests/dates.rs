//! Claims about dates and their announcements: what holds what, in which order, and that no date
//! is charged twice.

use super::*;

/// Both the 24th at 09:00 and data that expires, each announced a day before.
fn scheduled_and_expiring() -> (Rule, Account, History) {
    let (mut rule, mut account, history) = scheduled();
    rule.triggers.expiring_days = Some(5);
    account.latest_expiry_at = Some(at("2026-11-29T06:00:00Z"));
    (rule, account, history)
}

fn announced(rule: &Rule, account: &Account, when: &str) -> History {
    let history = History::default();
    let notices = announce(rule, account, &history, at(when));
    History { notices, ..history }
}

#[test]
fn of_two_announcements_the_one_that_ends_first_is_told() {
    let (rule, account, history) = scheduled_and_expiring();
    // Told a day late, the 24th is charged on the 25th; the data is charged for on the 24th.
    let now = at("2026-11-24T10:00:00Z");
    let mut told = announced(&rule, &account, "2026-11-24T10:00:00Z");
    assert_eq!(told.notices.len(), 2);
    for notice in &mut told.notices {
        if matches!(notice.trigger, TriggerDue::Expiring { .. }) {
            notice.charge_at = at("2026-11-24T12:00:00Z");
        }
    }
    assert_eq!(code(&rule, &account, &told, now), "notice_running until 2026-11-24T12:00:00Z");
    assert_eq!(code(&rule, &account, &history, now), "notice_running until 2026-11-25T10:00:00Z");
}

#[test]
fn a_skip_is_told_before_an_announcement_and_takes_no_announced_date_with_it() {
    let (mut rule, account, _) = scheduled();
    rule.triggers.scheduled.as_mut().unwrap_or_else(|| unreachable!()).unit = Unit::Day;
    // The 23rd was told late and waits; the 24th is skipped.
    let history = announced(&rule, &account, "2026-11-23T10:00:00Z");
    rule.skip_at = Some(at("2026-11-24T09:00:00Z"));
    let now = at("2026-11-24T09:00:00Z");
    let decision = decide(&rule, &account, &history, &Cause::Timer, now);
    assert_eq!(decision.reason().map(Reason::code), Some("skipped_once"));
    let gone = consumed_by(&decision, &rule, &account, &history, now);
    assert!(gone < Some(at("2026-11-23T09:00:00Z")), "the 23rd is still to be charged: {gone:?}");
    let due = at("2026-11-24T10:00:00Z");
    assert_eq!(code(&rule, &account, &history, due), "recharge 600");
}

#[test]
fn a_skip_far_ahead_holds_nothing_yet() {
    let (mut rule, account, history) = scheduled();
    rule.skip_at = Some(at("2026-11-24T09:00:00Z"));
    let before = at("2026-11-23T08:59:59Z");
    assert_eq!(code(&rule, &account, &history, before), "not_due next 2026-11-23T09:00:00Z");
    let lead = at("2026-11-23T09:00:00Z");
    assert_eq!(code(&rule, &account, &history, lead), "skipped_once next 2026-11-24T09:00:00Z");
}

#[test]
fn nothing_is_charged_before_its_instant_whatever_was_announced_before_an_edit() {
    let (mut rule, account, _) = scheduled_and_expiring();
    rule.triggers.scheduled = None;
    let history = announced(&rule, &account, "2026-11-23T06:00:00Z");
    assert_eq!(code(&rule, &account, &history, at("2026-11-24T06:00:00Z")), "recharge 600");
    rule.triggers.expiring_days = Some(4);
    let early = at("2026-11-24T06:00:00Z");
    assert_eq!(code(&rule, &account, &history, early), "notice_running until 2026-11-25T06:00:00Z");
}

#[test]
fn an_agreement_that_waits_for_its_cycle_holds_no_other_method() {
    let (mut rule, mut account, _) = scheduled();
    let agreement = Agreement {
        cycle_days: 30,
        most_per_debit: eur(1500),
        total_left: None,
        debits_left: None,
        debited_at: Some(at("2026-11-20T09:00:00Z")),
    };
    let wallet = MethodFacts {
        rail: Rail::AlipayCycle,
        agreement: Some(agreement),
        ..MethodFacts::card(method("wallet"))
    };
    account.payment_methods.push(wallet);
    rule.payment_methods = vec![method("wallet"), method("card")];
    let history = announced(&rule, &account, "2026-11-23T09:00:00Z");
    assert_eq!(code(&rule, &account, &history, at("2026-11-24T09:00:00Z")), "recharge 600");
    rule.payment_methods = vec![method("wallet")];
    let history = announced(&rule, &account, "2026-11-23T09:00:00Z");
    let early = at("2026-12-10T00:00:00Z");
    assert_eq!(code(&rule, &account, &history, early), "notice_running until 2026-12-20T09:00:00Z");
    let opens = at("2026-12-20T09:00:00Z");
    assert_eq!(
        code(&rule, &account, &history, opens),
        "recharge 600",
        "however late, as announced"
    );
}

#[test]
fn what_no_agreement_covers_is_not_announced() {
    let (mut rule, mut account, history) = scheduled();
    let agreement = Agreement {
        cycle_days: 7,
        most_per_debit: eur(599),
        total_left: None,
        debits_left: None,
        debited_at: None,
    };
    account.payment_methods = vec![MethodFacts {
        rail: Rail::AlipayCycle,
        agreement: Some(agreement),
        ..MethodFacts::card(method("wallet"))
    }];
    rule.payment_methods = vec![method("wallet")];
    let lead = at("2026-11-23T09:00:00Z");
    assert!(announce(&rule, &account, &history, lead).is_empty());
    assert!(code(&rule, &account, &history, lead).starts_with("no_usable_method"));
    account.available_bytes = gb(4);
    assert_eq!(announce(&rule, &account, &history, lead).len(), 1, "one step is covered");
}

#[test]
fn credit_that_is_no_longer_sold_at_that_amount_is_agreed_anew() {
    let (mut rule, mut account, history, now) = world();
    rule.amount = Amount::FixedCredit(eur(2000));
    rule.triggers.low_balance = Some(Threshold::Credit(eur(100)));
    assert_eq!(code(&rule, &account, &history, now), "recharge 2000");
    account.terms.credit_max = eur(1999);
    assert_eq!(code(&rule, &account, &history, now), "terms_changed");
    account.terms.credit_max = eur(2000);
    account.terms.credit_min = eur(2001);
    assert_eq!(code(&rule, &account, &history, now), "terms_changed");
}

#[test]
fn only_the_newest_missed_date_is_announced() {
    let (mut rule, account, _) = scheduled();
    rule.triggers.scheduled.as_mut().unwrap_or_else(|| unreachable!()).unit = Unit::Day;
    // The 24th was announced; the 23rd, missed, was not.
    let mut history = announced(&rule, &account, "2026-11-23T09:00:00Z");
    let now = at("2026-11-24T09:00:00Z");
    history.notices.retain(|notice| notice.trigger == TriggerDue::Scheduled { at: now });
    let decision = decide(&rule, &account, &history, &Cause::Timer, now);
    let Decision::Recharge { order } = decision else { unreachable!("{decision:?}") };
    assert_eq!(order.triggers, [TriggerDue::Scheduled { at: now }]);
    let told: Vec<_> = announce(&rule, &account, &history, now);
    assert!(told.iter().all(|notice| notice.charge_at > now), "only the 25th: {told:?}");
    assert_eq!(told.len(), 1);
}

/// Three hours west of UTC, and three hours east.
fn clocks() -> (Zone, Zone) {
    let zone = |hours: i32| Zone { first_offset_s: hours * 3600, ..Zone::utc() };
    (zone(-3), zone(3))
}

#[test]
fn a_charged_date_is_not_charged_again_on_another_clock() {
    let (rule, mut account, mut history) = scheduled();
    let (west, east) = clocks();
    let charged = at("2026-11-24T09:00:00Z");
    let moved = |zone: &Zone| consumed_after_move(&rule, charged, &Zone::utc(), zone);
    assert_eq!(moved(&west), at("2026-11-24T12:00:00Z"), "09:00 there");
    assert_eq!(moved(&east), charged, "09:00 there was before");
    history.consumed_through = Some(moved(&west));
    account.zone = west.clone();
    assert_eq!(code(&rule, &account, &history, charged), "not_due next 2026-12-23T12:00:00Z");
    let before = at("2026-11-24T08:00:00Z");
    assert_eq!(consumed_after_move(&rule, before, &Zone::utc(), &west), before, "not over yet");
    let after = at("2026-11-24T10:00:00Z");
    let gone = consumed_after_move(&rule, after, &Zone::utc(), &west);
    assert_eq!(gone, at("2026-11-24T12:00:00Z"), "over, whenever it was looked at");
}

#[test]
fn an_announced_date_takes_its_other_clocks_instant_with_it() {
    let (rule, mut account, _) = scheduled();
    let history = announced(&rule, &account, "2026-11-23T09:00:00Z");
    (account.zone, _) = clocks();
    let due = at("2026-11-24T09:00:00Z");
    assert_eq!(code(&rule, &account, &history, due), "recharge 600");
    assert_eq!(consumed_with(&rule, &account, due), at("2026-11-24T12:00:00Z"));
    account.zone = Zone::utc();
    assert_eq!(consumed_with(&rule, &account, due), due, "nothing moved");
}

#[test]
fn a_skipped_date_stays_skipped_on_another_clock() {
    let (mut rule, mut account, history) = scheduled();
    rule.skip_at = Some(at("2026-11-24T09:00:00Z"));
    (account.zone, _) = clocks();
    let there = at("2026-11-24T12:00:00Z");
    assert!(code(&rule, &account, &history, there).starts_with("skipped_once"));
    let next = at("2026-12-23T12:00:00Z");
    assert!(code(&rule, &account, &history, next).starts_with("notice_running"));
}

#[test]
fn what_is_too_late_to_charge_is_told_once_it_is() {
    let (mut rule, account, mut history) = scheduled();
    let due = at("2026-11-24T09:00:00Z");
    let held = at("2026-11-28T08:59:59Z");
    let gone = at("2026-11-28T09:00:00Z");
    assert_eq!(missed(&rule, &account, &history, held), None, "72 hours and its announcement");
    assert_eq!(missed(&rule, &account, &history, gone), Some(due));
    let later = at("2027-01-28T09:00:00Z");
    let newest = at("2027-01-24T09:00:00Z");
    assert_eq!(missed(&rule, &account, &history, later), Some(newest), "the newest alone");
    assert_eq!(missed(&rule, &account, &history, newest), None, "which is charged");
    history.consumed_through = Some(due);
    assert_eq!(missed(&rule, &account, &history, gone), None);
    history.consumed_through = None;
    rule.skip_at = Some(due);
    assert_eq!(missed(&rule, &account, &history, gone), None, "skipped by the customer");
    (rule.skip_at, rule.on) = (None, false);
    assert_eq!(missed(&rule, &account, &history, gone), None);
}

#[test]
fn data_bought_meanwhile_leaves_nothing_to_expire() {
    let (rule, mut account, history, now) = world();
    let expires_at = now.plus(Span::days(2));
    let triggers = vec![TriggerDue::Expiring { expires_at }];
    let cause = Cause::Submission { triggers };
    let again = |account: &Account| decide(&rule, account, &history, &cause, now);
    account.latest_expiry_at = Some(expires_at);
    assert!(matches!(again(&account), Decision::Recharge { .. }));
    account.latest_expiry_at = Some(expires_at.plus(Span::days(30)));
    assert_eq!(again(&account).reason(), Some(&Reason::NotDue));
}
