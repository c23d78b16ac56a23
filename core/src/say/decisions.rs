//! What is decided, or why nothing is charged; and what a low balance is announced with.

use super::Speech;
use super::rule::low;
use super::words::{Gap, Words, say, words};
use crate::decide::{Decision, Reason, Suspension, TriggerDue, telling};
use crate::rule::Rule;

const CHARGE_UNKNOWN: Words = words!(
    "The charge was sent; no answer yet. We are checking. Please do not pay again.",
    "扣款请求已发出，尚无结果。正在查询，请勿重复付款。"
);
const RECHARGE_UNDER_WAY: Words = words!(
    "A recharge is under way since {0}. One at a time.",
    "{0} 起有一次充值正在进行，一次只进行一笔。",
    since
);
const STOPPED_BY_OPERATOR: Words = words!(
    "Automatic charging is stopped by the operator. Nothing is charged.",
    "运营方已暂停自动扣款，不会扣款。"
);
const ENDED: Words =
    words!("The rule ended on {0}. Nothing is charged.", "规则已于 {0}结束，不会扣款。", ended_on);
const TERMS_CHANGED: Words = words!(
    "The price changed since you agreed. Nothing is charged until you agree to the \
     new one.",
    "价格与同意时不同，重新同意之前不会扣款。"
);
const NO_USABLE_METHOD: Words = words!(
    "No payment method can be charged. Add one, or put a valid one first.",
    "没有可扣款的付款方式。请添加，或把有效的一种排在前面。"
);
const SKIPPED_ONCE: Words =
    words!("Skipped as you asked: the one of {0}.", "已按要求跳过 {0} 的那一次。", at);
const NOTICE_RUNNING: Words = words!(
    "Announced: at most {1} will be charged {0}. You can skip it.",
    "已预告：{0} 最多扣款 {1}，可以跳过。",
    charge_at,
    at_most
);
const NOT_DUE: Words = words!(
    "Nothing is charged now; the next look is at your next use.",
    "现在不扣款，下次用流量时再判断。"
);
const MONTHLY_CAP_REACHED: Words = words!(
    "Not charged: {1} of this month's {0} is used and {2} was needed. Starts again {3}.",
    "未扣款：本月上限 {0}，已用 {1}，本次需 {2}。{3}重新计算。",
    cap,
    spent,
    needed,
    resets_at
);
const DAILY_COUNT_REACHED: Words = words!(
    "Not charged: the day has had as many recharges as you allow. Starts again {0}.",
    "未扣款：已达到每天的充值次数。{0} 重新计算。",
    resets_at
);
const COOLING_DOWN: Words = words!(
    "The pause after the last recharge ends {0}.",
    "距上次充值的间隔未满，{0} 结束。",
    until
);
const RAIL_CLOSED: Words =
    words!("The payment method is charged from {0} on.", "该付款方式从 {0} 起才扣款。", opens_at);

impl Speech<'_> {
    /// What is decided: what will be charged, or why nothing is, and the next look.
    pub fn decision(&self, decision: &Decision) -> String {
        let l = self.language;
        match decision {
            Decision::Recharge { order } => {
                let why = match order.triggers.first() {
                    Some(TriggerDue::LowBalance) => {
                        words!(" because the balance is low", "余额偏低，")
                    }
                    Some(TriggerDue::Scheduled { .. }) => words!(" by its date", "到了约定日期，"),
                    Some(TriggerDue::Expiring { .. }) => {
                        words!(" before the data expires", "流量即将到期，")
                    }
                    None => words!("", ""),
                };
                let adds = self.adds(order.adds);
                say!(
                    l,
                    "{0} is charged now for {1}{2}.",
                    "{2}现在扣款 {0}，充入 {1}。",
                    order.amount,
                    &adds,
                    why
                )
            }
            Decision::Wait { reason, .. } => self.reason(reason),
            Decision::Skip { reason, next_look_at } => {
                let mut text = self.reason(reason);
                if let Some(at) = next_look_at {
                    say!(text += l, " Next look {0}.", "下次判断：{0}。", (self, *at));
                }
                text
            }
        }
    }

    /// Why nothing is charged.
    pub fn reason(&self, reason: &Reason) -> String {
        let l = self.language;
        match reason {
            Reason::RechargeOpen { unknown: true, .. } => say!(l, CHARGE_UNKNOWN),
            Reason::RechargeOpen { since, unknown: false } => {
                say!(l, RECHARGE_UNDER_WAY, (self, *since))
            }
            Reason::StoppedByOperator => say!(l, STOPPED_BY_OPERATOR),
            Reason::LineClosed => {
                say!(l, "This line is closed. Nothing is charged.", "这条线路已停用，不会扣款。")
            }
            Reason::RuleOff => {
                say!(l, "Auto-recharge is off. Nothing is charged.", "自动充值已关闭，不会扣款。")
            }
            Reason::Ended { ended_on } => say!(l, ENDED, *ended_on),
            Reason::NotStarted { starts_on, .. } => {
                say!(l, "The rule starts on {0}.", "规则从 {0}开始。", *starts_on)
            }
            Reason::Paused { until } => {
                say!(l, "Paused. It goes on {0}.", "已暂停，{0} 恢复。", (self, *until))
            }
            Reason::Suspended { why } => self.suspension(*why).to_owned(),
            Reason::TermsChanged => say!(l, TERMS_CHANGED),
            Reason::NoUsableMethod => say!(l, NO_USABLE_METHOD),
            Reason::SkippedOnce { at } => say!(l, SKIPPED_ONCE, (self, *at)),
            Reason::NoticeRunning { charge_at, at_most } => {
                say!(l, NOTICE_RUNNING, (self, *charge_at), *at_most)
            }
            Reason::NotDue => say!(l, NOT_DUE),
            Reason::TargetMet => {
                say!(l, "There is as much as you want to keep.", "已达到要保留的流量。")
            }
            Reason::MonthlyCapReached { cap, spent, needed, resets_at } => say!(
                l,
                MONTHLY_CAP_REACHED,
                *cap,
                *spent,
                *needed,
                Gap::Day(self.zone.date(*resets_at))
            ),
            Reason::DailyCountReached { resets_at } => {
                say!(l, DAILY_COUNT_REACHED, (self, *resets_at))
            }
            Reason::CoolingDown { until } => say!(l, COOLING_DOWN, (self, *until)),
            Reason::RailClosed { opens_at } => say!(l, RAIL_CLOSED, (self, *opens_at)),
        }
    }

    /// Why a rule waits for the customer, and what ends it.
    pub fn suspension(&self, why: Suspension) -> &'static str {
        let words = match why {
            Suspension::Declined => words!(
                "Waiting for you: every try was declined. Add another payment method, or pay once \
     by hand with this one.",
                "等待处理：每次尝试都被银行拒绝。请添加其他付款方式，或用这一种手动付款一次。"
            ),
            Suspension::CustomerNeeded => words!(
                "Waiting for you: the bank wanted you to confirm and nobody did. Pay once by hand \
     to go on.",
                "等待处理：银行要求本人确认，但未确认。手动付款一次即可恢复。"
            ),
            Suspension::NotDelivered => words!(
                "Waiting for you: a recharge could not be delivered and was refunded. Pay once by \
     hand to go on.",
                "等待处理：有一次充值未能到账，已退款。手动付款一次即可恢复。"
            ),
            Suspension::Disputed => words!(
                "Waiting: a dispute about a charge is open.",
                "等待中：有一笔扣款正在争议处理。"
            ),
        };
        words.of(self.language)
    }

    /// The low-balance alert: what is left, and whether a recharge comes, when, or why not. `now`
    /// and `as_if_due` are what is decided on the line.
    ///
    /// *Source*: `rules.md`, "A rule": the alert.
    pub fn alert(&self, left: &str, rule: &Rule, now: &Decision, as_if_due: &Decision) -> String {
        let l = self.language;
        let comes = match (now.reason(), as_if_due, rule.triggers.low_balance) {
            (Some(Reason::NotDue), Decision::Recharge { .. }, Some(threshold)) => Some(threshold),
            _ => None,
        };
        let told = match comes {
            Some(threshold) => {
                say!(l, "A recharge comes when {0}.", "{0}自动充值。", &low(l, threshold))
            }
            None => self.decision(telling(now, as_if_due)),
        };
        say!(l, "{0} left. {1}", "剩余 {0}。{1}", left, &told)
    }
}
