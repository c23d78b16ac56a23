//! The labels of the screens: one struct, so that a language with a label missing does not compile.
//! Sentences about rules, money and reasons are not here: `core::say` makes those, for screens and
//! messages alike.

mod en;
mod zh_cn;

use laika_core::api::{Language, NextCharge};
use laika_core::field::Field;

/// All labels in one language.
pub(crate) struct Words {
    pub(crate) common: Common,
    pub(crate) nav: Nav,
    pub(crate) enter: Enter,
    pub(crate) home: Home,
    pub(crate) guide: Guide,
    pub(crate) rule: Rule,
    pub(crate) history: History,
    pub(crate) payment: Payment,
    pub(crate) me: Me,
    pub(crate) sandbox: Sandbox,
    pub(crate) failure: Failure,
    /// What a field is called: on its label and in the error summary.
    pub(crate) field: fn(Field) -> &'static str,
}

/// The labels in a language.
pub(crate) fn words(language: Language) -> &'static Words {
    match language {
        Language::En => &en::WORDS,
        Language::ZhCn => &zh_cn::WORDS,
    }
}

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty,)* })*) => {$(
        $(#[$doc])*
        pub(crate) struct $name {
            $(pub(crate) $field: $kind,)*
        }
    )*};
}

type S = &'static str;

labels! {
    /// Said in many places.
    Common {
        skip: S, again: S, cancel: S, undo: S, save: S, not_yet: S, not_loaded: S,
        as_table: S, offline: S, sep: S, colon: S, none: S, language: S, password_again: S,
        password_again_why: S, go_on: S,
    }
    /// The five places, and the frame.
    Nav {
        label: S, home: S, rule: S, history: S, payment: S, me: S, not_found: S, not_found_why: S,
        to_home: S,
    }
    /// Welcome, register, sign in.
    Enter {
        welcome_title: S, welcome_lead: S, promise_1: S, promise_2: S, promise_3: S, register: S,
        sign_in: S, sign_in_title: S, register_title: S, register_lead: S, phone_hint: S,
        email_hint: S, password_hint: S, contact_hint: S, have_account: S, no_account: S,
        send_codes: S, confirm_title: S, confirm_lead: fn(&str, &str) -> String, confirm: S,
        resend: S, resent: S, change_contacts: S, welcome_in: S, zone: fn(&str) -> String,
        codes_in_outbox: S,
    }
    /// The line.
    Home {
        title: S, data_left: S, gb_left: fn(&str) -> String, no_data: S, of: fn(&str) -> String,
        until: fn(&str) -> String, as_of: fn(&str) -> String, credit: fn(&str) -> String, next: S,
        no_rule: S, no_rule_why: S, set_rule: S, recharge_now: S, today: S, today_none: S,
        today_columns: [S; 2], last: S, last_none: S, all_history: S, threshold: fn(&str) -> String,
        target: fn(&str) -> String, adds: fn(&str) -> String, no_line: S, no_line_why: S,
        which_line: S, overrun: fn(&str) -> String, buy_title: S,
        buy_lead: S, buy_amount: S, buy_confirm: fn(&str) -> String, buy_sent: S, buy_link: S,
        buy_no_method: S, to_guide: S,
    }
    /// The newcomer's checklist.
    Guide {
        title: S, lead: S, done: S, to_do: S, contacts: S, contacts_why: fn(&str, &str) -> String,
        line: S, line_why: fn(&str) -> String, method: S, method_why: S, method_do: S, rule: S,
        rule_why: S, rule_do: S, on: S, on_why: S, on_do: S, all_done: S, all_done_why: S,
    }
    /// The auto-recharge rule.
    Rule {
        title: S, lead: S, is_on: S, is_off: S, is_paused: S, turn_off: S, turned_off: S,
        pause: S, resume: S, resumed: S, paused: S, skip: S, skipped: S, when: S, how_much: S,
        never_more: S, pay_with: S, tell_me: S, low: S, low_example: fn(&str) -> String,
        scheduled: S, scheduled_example: S, expiring: S, expiring_example: S, unit: S,
        every_unit: S, days: S, weeks: S, months: S, weekdays: [S; 7], weekdays_label: S,
        fixed_money: S, fixed_money_example: S, fixed_data: S, fixed_data_example: S, target: S,
        target_example: S, cap_hint: S, more_limits: S, minutes: S, times: S, optional: S,
        alert_hint: S, methods_hint: S, no_methods: S, add_method: S, earlier: S, preview: S,
        worst: S, worst_month: fn(&str) -> String, no_worst: S, dates: S, dates_none: S,
        saved: S, review: S, sheet_title: S, sheet_lead: S, turn_on: S, turned_on: S,
        stale_same: S, stale_other: S, mismatch: fn(&str, &str) -> String, unsaved: S,
        incomplete: S, status: S, needs_save: S, date_said: fn(&str) -> String, log: S,
        step: fn(&str, &str) -> String, dates_expected: S, each: fn(&str) -> String,
        at_once: S, in_recharge: S, in_day: S, in_month: S, in_year: S, already_sent: S,
        pause_hint: S, edit_turns_off: S, alert: S, alert_example: S, add_first: S,
        replay: fn(&str) -> String, replay_lead: S, replay_none: S, replay_credit: S,
        replay_caption: S, replay_columns: [S; 3], replay_count: S, replay_total: S,
        replay_lowest: S, replay_hours: S, replay_parked: S, replay_bars: S, replay_mark: S,
        replay_dry: S, replay_incomplete: S, replay_capped: fn(&str) -> String,
        replay_without: fn(&str) -> String, advice: S, advice_try: S, advice_tried: S,
        use_value: fn(&str) -> String,
        log_saved: S, log_on: S, log_off: S, log_paused: S, log_resumed: S, log_skipped: S,
        receipt: S,
    }
    /// Recharges and looks that did not charge.
    History {
        title: S, lead: S, recharges: S, none: S, none_do: S, expected: S, charged: S,
        credited: S, confirm: S, confirm_until: fn(&str) -> String,
        why: S, why_hide: S, why_tried: S, same: S, other: S,
        other_version: fn(&str) -> String, checking: S, looks: S, looks_lead: S, looks_none: S,
        decided: S, nothing: S, not_yet: S, version: fn(&str, &str) -> String,
        found: S, found_first: fn(&str) -> String, found_yes: S, found_no: S, found_stop: S,
        before_after: S, manual: S, automatic: S,
    }
    /// Payment methods.
    Payment {
        title: S, lead: S, none: S, none_why: S, add: S, adding: S, added: S, added_wallet: S,
        wallets: S, wallets_lead: S, wallet_add: fn(&str) -> String, not_added: S,
        remove: S, removed: S, remove_title: fn(&str) -> String, remove_rule: S, remove_other: S,
        remove_nothing: S, first: S, up: fn(&str) -> String, down: fn(&str) -> String,
        expires: fn(&str) -> String, unusable: S, ours_never: S, keep: S,
        credit: S, debit: S, rail_card: S, rail_wallet: S, rail_each_time: S,
        by_link: fn(&str) -> String,
    }
    /// Language, zone, log out.
    Me {
        title: S, contacts: S, language: S, zone: S, zone_hint: S,
        zone_device: fn(&str) -> String, saved: S, log_out: S, engine: fn(&str) -> String,
    }
    /// The sandbox bar and its outbox.
    Sandbox {
        name: S, no_money: S, use_data: S, use_now: S, used: fn(&str) -> String, time: S, pass: S,
        hour: S, day: S, week: S, month: S, passed: S, ahead: fn(&str) -> String, next: S, arm: S,
        armed: S, outbox: S, outbox_title: S, outbox_lead: S, outbox_none: S, sms: S, email: S,
        to: S, ending: fn(NextCharge) -> &'static str,
    }
    /// What did not work, whether anything changed, what to do.
    Failure {
        no_answer: S, no_answer_money: S, unreadable: S, other: S, reference: fn(&str) -> String,
        wrong_sign_in: S, not_signed_in: S, step_up: S, too_many: S, wrong_password: S,
        expired: S, in_use: S, gone: S, stopped: S, clock: S, price: S, no_method: S,
    }
}
