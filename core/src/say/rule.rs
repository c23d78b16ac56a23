//! The rule's own sentences, the consent built on them, and the announcement of what it charges.

use super::words::{Words, say, words};
use super::{Speech, and, format, list, names};
use crate::api::Language;
use crate::decide::{MethodFacts, Notice, Reason, TriggerDue};
use crate::forecast::Bound;
use crate::rule::{Amount, Limits, Rule, Threshold};
use crate::schedule::{Schedule, Unit, Weekday};
use crate::time::Instant;

impl Speech<'_> {
    /// The whole rule in plain sentences. Changing any field of a rule changes them. `methods` are
    /// the account's; the rule's are named in order.
    pub fn rule(&self, rule: &Rule, methods: &[MethodFacts]) -> String {
        let l = self.language;
        let mut text = capitalised(&whens(l, rule));
        match rule.amount {
            Amount::FixedCredit(credit) => {
                say!(text += l, ", add {0} of credit.", "，自动充入话费 {0}。", credit);
            }
            Amount::FixedData { bytes } => {
                say!(text += l, ", add {0}.", "，自动充入 {0}。", bytes);
            }
            Amount::Target { bytes } => {
                say!(text += l, ", top up to {0}.", "，自动补足到 {0}。", bytes);
            }
        }
        if let Some(step) = rule.step {
            say!(
                text += l,
                " {0} costs {1} and is valid for {2} days.",
                "每 {0} 为 {1}，有效期 {2} 天。",
                step.bytes,
                step.price,
                step.validity_days
            );
        }
        text.push_str(&self.limits(&rule.limits));
        let names = names(&rule.payment_methods, methods);
        if !names.is_empty() {
            let then = words!("; if that fails, to ", "，失败时用 ");
            let names = list(l, &names, then, then);
            say!(text += l, " Charged to {0}.", "用 {0} 付款。", &names);
        }
        if let Some(alert) = rule.alert {
            let low = low(l, alert);
            say!(text += l, " Tell me when {0}.", "{0}提醒我。", &low);
        }
        if let Some(until) = rule.paused_until_on {
            say!(text += l, " Paused until {0}.", "暂停至 {0}。", until);
        }
        if let Some(at) = rule.skip_at {
            say!(text += l, " The one of {0} is skipped.", "跳过 {0} 的那一次。", (self, at));
        }
        text
    }

    fn limits(&self, limits: &Limits) -> String {
        let (l, mut text) = (self.language, String::new());
        if let Some(cap) = limits.cap_per_month {
            let place = place(l, &self.zone.name);
            say!(
                text += l,
                " Never more than {0} in a calendar month ({1} time).",
                "每个自然月（{1}时间）最多扣款 {0}。",
                cap,
                &place
            );
        }
        if let Some(most) = limits.max_per_recharge {
            say!(text += l, " At most {0} in one recharge.", "单次最多 {0}。", most);
        }
        match limits.max_per_day {
            None => {}
            Some(1) => say!(text += l, " At most once a day.", "每天最多 1 次。"),
            Some(most) => say!(text += l, " At most {0} times a day.", "每天最多 {0} 次。", most),
        }
        say!(
            text += l,
            " At least {0} minutes between two.",
            "两次之间至少间隔 {0} 分钟。",
            limits.cool_down_minutes
        );
        if let Some(first) = limits.starts_on {
            say!(text += l, " Not before {0}.", "{0}之前不充值。", first);
        }
        if let Some(last) = limits.ends_on {
            say!(text += l, " Not after {0}.", "{0}之后不充值。", last);
        }
        text
    }

    /// The worst case, in a sentence.
    pub fn bound(&self, bound: &Bound) -> String {
        say!(self.language, "At most {0} a month", "每月最多 {0}", bound.per_month)
    }

    /// The text that turning a rule on agrees to: canonical, hashed and kept.
    pub fn consent(&self, rule: &Rule, methods: &[MethodFacts], bound: &Bound) -> String {
        let rule = self.rule(rule, methods);
        say!(
            self.language,
            "I turn on auto-recharge. {0} It charges my payment methods in the order I gave, \
             without asking each time. It never takes more than {1} in one recharge, {2} in a day \
             and {3} in a calendar month. I can turn it off at any time; then nothing more is \
             charged.",
            "同意开启自动充值。{0}按所排顺序从付款方式扣款，不再逐次询问。单次最多 {1}，每天最多 {2}，\
             每个自然月最多 {3}。可以随时关闭，关闭后不再扣款。",
            &rule,
            bound.per_recharge,
            bound.per_day,
            bound.per_month
        )
    }

    /// The announcement of a charge to come: no more than this, when, to what, and what can be done
    /// about it. `methods` are the account's; only those that the notice names are charged.
    pub fn announcement(&self, notice: &Notice, methods: &[MethodFacts]) -> String {
        let l = self.language;
        let at = format::time(notice.charge_at, self.zone);
        let date = self.zone.date(notice.charge_at);
        let or = words!(" or ", "或");
        let names = list(l, &names(&notice.payment_methods, methods), words!(", ", "、"), or);
        let mut text = String::new();
        if names.is_empty() {
            say!(
                text += l,
                "At most {0} will be charged on {1} at {2}.",
                "将于 {1} {2} 最多扣款 {0}。",
                notice.at_most,
                date,
                &at
            );
        } else {
            say!(
                text += l,
                "At most {0} will be charged to {3} on {1} at {2}.",
                "将于 {1} {2} 用 {3} 最多扣款 {0}。",
                notice.at_most,
                date,
                &at,
                &names
            );
        }
        match notice.trigger {
            TriggerDue::Scheduled { .. } => {
                say!(text += l, " You can skip it on the rule page.", "可在自动充值页面跳过。")
            }
            TriggerDue::LowBalance | TriggerDue::Expiring { .. } => say!(
                text += l,
                " You can pause the rule or turn it off before that.",
                "此前可暂停或关闭自动充值。"
            ),
        }
        text
    }

    /// A scheduled charge that was not made, because it had become too late for it.
    pub fn missed(&self, at: Instant) -> String {
        let time = format::time(at, self.zone);
        say!(
            self.language,
            "The charge planned for {0} at {1} was not made: it had become too late for it. No \
             money moved.",
            "原定 {0} {1} 的扣款因逾期未执行，未扣款。",
            self.zone.date(at),
            &time
        )
    }

    /// An announced charge that was not made when its time had come, and why.
    pub fn not_made(&self, at: Instant, reason: &Reason) -> String {
        let (time, reason) = (format::time(at, self.zone), self.reason(reason));
        say!(
            self.language,
            "The charge planned for {0} at {1} was not made; no money moved. {2}",
            "原定 {0} {1} 的扣款未执行，未扣款。{2}",
            self.zone.date(at),
            &time,
            &reason
        )
    }
}

/// When it recharges, not yet as the beginning of a sentence.
fn whens(language: Language, rule: &Rule) -> String {
    let triggers = &rule.triggers;
    let mut whens = Vec::new();
    if let Some(threshold) = triggers.low_balance {
        let low = low(language, threshold);
        whens.push(say!(language, "when {0}", "{0}", &low));
    }
    whens.extend(triggers.scheduled.as_ref().map(|it| schedule(language, it)));
    match triggers.expiring_days {
        None => {}
        Some(1) => {
            whens.push(say!(language, "1 day before the data expires", "流量到期前 1 天"));
        }
        Some(days) => whens.push(say!(
            language,
            "{0} days before the data expires",
            "流量到期前 {0} 天",
            days
        )),
    }
    list(language, &whens, words!(", ", "；以及"), words!(" and ", "；以及"))
}

/// That little is left.
pub(super) fn low(language: Language, threshold: Threshold) -> String {
    match threshold {
        Threshold::Data { bytes } if bytes.is_zero() => {
            say!(language, "no data is left", "流量用完时")
        }
        Threshold::Data { bytes } => {
            say!(language, "{0} or less is left", "剩余流量不超过 {0} 时", bytes)
        }
        Threshold::Credit(credit) => {
            say!(language, "{0} of credit or less is left", "话费余额不超过 {0} 时", credit)
        }
    }
}

fn schedule(language: Language, schedule: &Schedule) -> String {
    let (l, every) = (language, schedule.every);
    let when = match &schedule.unit {
        Unit::Day if every == 1 => say!(l, "every day", "每天"),
        Unit::Day => say!(l, "every {0} days", "每 {0} 天", every),
        Unit::Week { weekdays } => {
            let days: Vec<String> =
                weekdays.iter().map(|day| weekday(*day).of(l).to_owned()).collect();
            let days = and(l, &days);
            match every {
                1 => say!(l, "every week on {0}", "每周的{0}", &days),
                _ => say!(l, "every {0} weeks on {1}", "每 {0} 周的{1}", every, &days),
            }
        }
        Unit::Month { day } => {
            let short = match *day > 28 {
                true => words!(" or the last day of a shorter month", "（较短的月份为最后一天）"),
                false => words!("", ""),
            };
            match every {
                1 => say!(l, "every month on day {0}{1}", "每月 {0} 日{1}", *day, short),
                _ => say!(
                    l,
                    "every {0} months on day {1}{2}",
                    "每 {0} 个月的 {1} 日{2}",
                    every,
                    *day,
                    short
                ),
            }
        }
    };
    let at = schedule.at.to_string();
    say!(l, "{0} at {1}, from {2} on", "从 {2} 起，{0} {1}", &when, &at, schedule.start)
}

fn weekday(day: Weekday) -> Words {
    match day {
        Weekday::Monday => words!("Monday", "周一"),
        Weekday::Tuesday => words!("Tuesday", "周二"),
        Weekday::Wednesday => words!("Wednesday", "周三"),
        Weekday::Thursday => words!("Thursday", "周四"),
        Weekday::Friday => words!("Friday", "周五"),
        Weekday::Saturday => words!("Saturday", "周六"),
        Weekday::Sunday => words!("Sunday", "周日"),
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

/// Zones whose place has a common name in Chinese. *Source*: Unicode CLDR's exemplar cities, but
/// for the one that people call Beijing's.
const PLACES: [(&str, &str); 18] = [
    ("Asia/Shanghai", "北京"),
    ("Asia/Hong_Kong", "香港"),
    ("Asia/Macau", "澳门"),
    ("Asia/Taipei", "台北"),
    ("Asia/Tokyo", "东京"),
    ("Asia/Seoul", "首尔"),
    ("Asia/Singapore", "新加坡"),
    ("Asia/Bangkok", "曼谷"),
    ("Asia/Dubai", "迪拜"),
    ("Australia/Sydney", "悉尼"),
    ("Europe/London", "伦敦"),
    ("Europe/Paris", "巴黎"),
    ("Europe/Berlin", "柏林"),
    ("Europe/Madrid", "马德里"),
    ("Europe/Rome", "罗马"),
    ("America/New_York", "纽约"),
    ("America/Los_Angeles", "洛杉矶"),
    ("UTC", "世界协调"),
];

/// The name of a zone's place: `Madrid`, `马德里`; as the tz database has it where there is no other.
fn place(language: Language, zone: &str) -> String {
    let known = PLACES.iter().find(|(name, _)| *name == zone);
    let written = || zone.rsplit('/').next().unwrap_or(zone).replace('_', " ");
    match (language, known) {
        (Language::ZhCn, Some((_, place))) => (*place).to_owned(),
        (Language::ZhCn, None) => written() + " ",
        (Language::En, _) => written(),
    }
}
