//! What was looked at for a decision, one line each, in the past: it reads as a list.

use super::words::{Words, say, words};
use super::{Speech, left, list, names};
use crate::decide::{Check, Finding, MethodFacts};

const ONE_AT_A_TIME: Words = words!("No other recharge was on its way.", "没有其他进行中的充值。");
const ANOTHER_UNDER_WAY: Words =
    words!("Another recharge was on its way.", "另有一笔充值正在进行。");
const NOT_STOPPED: Words = words!("Charging was not stopped.", "扣款未被停用。");
const STOPPED: Words = words!("Charging was stopped.", "扣款已被停用。");
const ON: Words = words!("The rule was on.", "规则已开启。");
const OFF: Words = words!("The rule was off.", "规则已关闭。");
const IN_TIME: Words = words!("It was one of the rule's days.", "在规则的有效日期内。");
const OUT_OF_TIME: Words = words!("It was not one of the rule's days.", "不在规则的有效日期内。");
const NOT_WAITING: Words = words!("It was not waiting for you.", "无需等待您处理。");
const WAITING: Words = words!("It was waiting for you.", "正在等待您处理。");
const PRICE_AGREED: Words = words!(
    "The price was as agreed or lower: {0} for {1}.",
    "价格与约定相同或更低：{0} 为 {1}。",
    bytes,
    price
);
const TERMS_AGREED: Words = words!("The terms were as agreed.", "条款与约定相同。");
const TERMS_CHANGED: Words = words!("The terms were not as agreed.", "条款与约定不同。");
const METHODS_NAMED: Words = words!(", then ", "，其次 ");
const METHOD_USABLE: Words = words!("A payment method could be charged.", "有可扣款的付款方式。");
const NO_METHOD_USABLE: Words =
    words!("No payment method could be charged.", "没有可扣款的付款方式。");
const LOW_BALANCE: Words =
    words!("{0} left; the threshold is {1}.", "剩余 {0}，触发值 {1}。", left_has, left_threshold);
const SCHEDULED: Words = words!("No date had come.", "未到任何日期。");
const EXPIRING: Words = words!("No data was about to expire.", "没有即将到期的流量。");
const SIZE: Words =
    words!("What was missing: {0} for {1}.", "需补充 {0}，价格 {1}。", adds, amount);
const NOTHING_MISSING: Words = words!("Nothing was missing.", "无需补充。");
const MONTH_CAP: Words = words!(
    "{0} spent that month and {1} needed; the cap is {2}.",
    "当月已用 {0}，本次需 {1}，上限 {2}。",
    spent,
    needed,
    cap
);
const DAY_COUNT: Words = words!(
    "Recharges that day before it: {0}; at most {1}.",
    "当天此前充值 {0} 次，最多 {1} 次。",
    count,
    most
);
const COOL_DOWN: Words = words!(
    "The last one was {0}; {1} minutes have to pass.",
    "上一次为 {0}，至少间隔 {1} 分钟。",
    at,
    minutes
);
const NONE_BEFORE: Words = words!("There was none before.", "此前没有充值。");
const RAIL_OPEN: Words = words!("It could be charged at that hour.", "这一时间可以扣款。");
const RAIL_CLOSED: Words = words!("It is not charged at that hour.", "这一时间不能扣款。");

impl Speech<'_> {
    /// One thing that was looked at for a decision. `methods` are those of the record.
    pub fn finding(&self, finding: &Finding, methods: &[MethodFacts]) -> String {
        let l = self.language;
        let either = |yes: Words, no: Words| if finding.passed { yes } else { no };
        let words = match &finding.check {
            Check::OneAtATime => either(ONE_AT_A_TIME, ANOTHER_UNDER_WAY),
            Check::NotStopped => either(NOT_STOPPED, STOPPED),
            Check::On => either(ON, OFF),
            Check::InTime { .. } => either(IN_TIME, OUT_OF_TIME),
            Check::NotWaiting => either(NOT_WAITING, WAITING),
            Check::Terms { present: Some(step), .. } if finding.passed => {
                return say!(l, PRICE_AGREED, step.bytes, step.price);
            }
            Check::Terms { .. } => either(TERMS_AGREED, TERMS_CHANGED),
            Check::Methods { usable } => {
                let names = names(usable, methods);
                if !names.is_empty() {
                    let then = METHODS_NAMED;
                    let names = list(l, &names, then, then);
                    return say!(l, "To be charged: {0}.", "可扣款：{0}。", &names);
                }
                either(METHOD_USABLE, NO_METHOD_USABLE)
            }
            Check::LowBalance { left: has, threshold } => {
                return say!(l, LOW_BALANCE, left(*has), left(*threshold));
            }
            Check::Scheduled { at: Some(at) } => {
                return say!(l, "Its date had come: {0}.", "已到日期：{0}。", (self, *at));
            }
            Check::Scheduled { at: None } => SCHEDULED,
            Check::Expiring { expires_at: Some(at) } => {
                return say!(l, "The data was to expire {0}.", "流量将于 {0} 到期。", (self, *at));
            }
            Check::Expiring { expires_at: None } => EXPIRING,
            Check::Size { amount: Some(amount), adds: Some(adds), .. } => {
                let adds = self.adds(*adds);
                return say!(l, SIZE, &adds, *amount);
            }
            Check::Size { .. } => NOTHING_MISSING,
            Check::MonthCap { cap, spent, needed } => {
                return say!(l, MONTH_CAP, *spent, *needed, *cap);
            }
            Check::DayCount { most, count } => {
                return say!(l, DAY_COUNT, *count, *most);
            }
            Check::CoolDown { minutes, last_opened_at: Some(at) } => {
                return say!(l, COOL_DOWN, (self, *at), *minutes);
            }
            Check::CoolDown { last_opened_at: None, .. } => NONE_BEFORE,
            Check::RailOpen => either(RAIL_OPEN, RAIL_CLOSED),
        };
        words.of(l).to_owned()
    }
}
