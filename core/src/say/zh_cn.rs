//! 简体中文. Subject dropped, full-width marks, a space between characters and figures.

mod differences;
mod fields;
mod findings;
mod returns;
mod waits;

use super::format::{bytes_exact, date, day, money, time};
use super::{Speech, names};
use crate::api::Language;
use crate::decide::{Decision, MethodFacts, Reason, Suspension, TriggerDue};
use crate::forecast::Bound;
use crate::money::Money;
use crate::rail::Rail;
use crate::recharge::{Fact, News, Status};
use crate::rule::{Adds, Amount, Rule, Threshold};
use crate::schedule::{Schedule, Unit, Weekday};
use crate::time::Instant;

pub(super) use differences::difference;
pub(super) use fields::field_error;
pub(super) use findings::finding;
pub(super) use returns::{dispute_news, returned};
pub(super) use waits::{advice, unusable, wait};

/// The name of a zone's place where Chinese has a common one, otherwise as the tz database has it.
fn place(name: &str) -> String {
    let known = match name {
        "Asia/Shanghai" => "北京",
        "Asia/Hong_Kong" => "香港",
        "Asia/Macau" => "澳门",
        "Asia/Taipei" => "台北",
        "Asia/Tokyo" => "东京",
        "Asia/Seoul" => "首尔",
        "Asia/Singapore" => "新加坡",
        "Asia/Bangkok" => "曼谷",
        "Asia/Dubai" => "迪拜",
        "Australia/Sydney" => "悉尼",
        "Europe/London" => "伦敦",
        "Europe/Paris" => "巴黎",
        "Europe/Berlin" => "柏林",
        "Europe/Madrid" => "马德里",
        "Europe/Rome" => "罗马",
        "America/New_York" => "纽约",
        "America/Los_Angeles" => "洛杉矶",
        "UTC" => "世界协调",
        other => {
            return format!("{} ", other.rsplit('/').next().unwrap_or(other).replace('_', " "));
        }
    };
    known.to_owned()
}

fn threshold(threshold: Threshold) -> String {
    match threshold {
        Threshold::Data { bytes } if bytes.is_zero() => "流量用完时".to_owned(),
        Threshold::Data { bytes } => format!("剩余流量不超过 {} 时", bytes_exact(bytes)),
        Threshold::Credit(credit) => format!("话费余额不超过 {} 时", money(credit)),
    }
}

fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "周一",
        Weekday::Tuesday => "周二",
        Weekday::Wednesday => "周三",
        Weekday::Thursday => "周四",
        Weekday::Friday => "周五",
        Weekday::Saturday => "周六",
        Weekday::Sunday => "周日",
    }
}

fn schedule(schedule: &Schedule) -> String {
    let every = schedule.every;
    let when = match &schedule.unit {
        Unit::Day if every == 1 => "每天".to_owned(),
        Unit::Day => format!("每 {every} 天"),
        Unit::Week { weekdays } => {
            let days: Vec<&str> = weekdays.iter().map(|d| weekday(*d)).collect();
            let days = days.join("、");
            if every == 1 {
                format!("每周的{days}")
            } else {
                format!("每 {every} 周的{days}")
            }
        }
        Unit::Month { day } => {
            let short = if *day > 28 { "（较短的月份为最后一天）" } else { "" };
            if every == 1 {
                format!("每月 {day} 日{short}")
            } else {
                format!("每 {every} 个月的 {day} 日{short}")
            }
        }
    };
    format!("从 {} 起，{when} {}", date(schedule.start, Language::ZhCn), schedule.at)
}

pub(super) fn rule(speech: &Speech<'_>, rule: &Rule, methods: &[MethodFacts]) -> String {
    let mut whens = Vec::new();
    if let Some(low) = rule.triggers.low_balance {
        whens.push(threshold(low));
    }
    if let Some(scheduled) = &rule.triggers.scheduled {
        whens.push(schedule(scheduled));
    }
    if let Some(days) = rule.triggers.expiring_days {
        whens.push(format!("流量到期前 {days} 天"));
    }
    let what = match rule.amount {
        Amount::FixedCredit(credit) => format!("自动充入话费 {}", money(credit)),
        Amount::FixedData { bytes } => format!("自动充入 {}", bytes_exact(bytes)),
        Amount::Target { bytes } => format!("自动补足到 {}", bytes_exact(bytes)),
    };
    let mut text = format!("{}，{what}。", whens.join("；以及"));
    if let Some(step) = rule.step {
        let (step, price, days) = (bytes_exact(step.bytes), money(step.price), step.validity_days);
        text.push_str(&format!("每 {step} 为 {price}，有效期 {days} 天。"));
    }
    let limits = &rule.limits;
    if let Some(cap) = limits.cap_per_month {
        let (zone, cap) = (place(&speech.zone.name), money(cap));
        text.push_str(&format!("每个自然月（{zone}时间）最多扣款 {cap}。"));
    }
    if let Some(most) = limits.max_per_recharge {
        text.push_str(&format!("单次最多 {}。", money(most)));
    }
    if let Some(most) = limits.max_per_day {
        text.push_str(&format!("每天最多 {most} 次。"));
    }
    text.push_str(&format!("两次之间至少间隔 {} 分钟。", limits.cool_down_minutes));
    if let Some(first) = limits.starts_on {
        text.push_str(&format!("{}之前不充值。", date(first, Language::ZhCn)));
    }
    if let Some(last) = limits.ends_on {
        text.push_str(&format!("{}之后不充值。", date(last, Language::ZhCn)));
    }
    match names(&rule.payment_methods, methods).as_slice() {
        [] => {}
        names => text.push_str(&format!("用 {} 付款。", names.join("，失败时用 "))),
    }
    if let Some(alert) = rule.alert {
        text.push_str(&format!("{}提醒我。", threshold(alert)));
    }
    if let Some(until) = rule.paused_until_on {
        text.push_str(&format!("暂停至 {}。", date(until, Language::ZhCn)));
    }
    if let Some(at) = rule.skip_at {
        text.push_str(&format!("跳过 {} 的那一次。", speech.when(at)));
    }
    text
}

pub(super) fn decision(speech: &Speech<'_>, decision: &Decision) -> String {
    match decision {
        Decision::Recharge { order } => {
            let why = match order.triggers.first() {
                Some(TriggerDue::LowBalance) => "余额偏低，",
                Some(TriggerDue::Scheduled { .. }) => "到了约定日期，",
                Some(TriggerDue::Expiring { .. }) => "流量即将到期，",
                None => "",
            };
            let adds = speech.adds(order.adds);
            format!("{why}现在扣款 {}，充入 {adds}。", money(order.amount))
        }
        Decision::Wait { reason, .. } => speech.reason(reason),
        Decision::Skip { reason, next_look_at: Some(at) } => {
            format!("{}下次判断：{}。", speech.reason(reason), speech.when(*at))
        }
        Decision::Skip { reason, next_look_at: None } => speech.reason(reason),
    }
}

pub(super) fn reason(speech: &Speech<'_>, reason: &Reason) -> String {
    match reason {
        Reason::RechargeOpen { unknown: true, .. } => {
            "扣款请求已发出，尚无结果。正在查询，请勿重复付款。".to_owned()
        }
        Reason::RechargeOpen { since, unknown: false } => {
            format!("{} 起有一次充值正在进行，一次只进行一笔。", speech.when(*since))
        }
        Reason::StoppedByOperator => "运营方已暂停自动扣款，不会扣款。".to_owned(),
        Reason::LineClosed => "这条线路已停用，不会扣款。".to_owned(),
        Reason::RuleOff => "自动充值已关闭，不会扣款。".to_owned(),
        Reason::Ended { ended_on } => {
            format!("规则已于 {}结束，不会扣款。", date(*ended_on, Language::ZhCn))
        }
        Reason::NotStarted { starts_on, .. } => {
            format!("规则从 {}开始。", date(*starts_on, Language::ZhCn))
        }
        Reason::Paused { until } => format!("已暂停，{} 恢复。", speech.when(*until)),
        Reason::Suspended { why } => suspension(*why).to_owned(),
        Reason::TermsChanged => "价格与同意时不同，重新同意之前不会扣款。".to_owned(),
        Reason::NoUsableMethod => {
            "没有可扣款的付款方式。请添加，或把有效的一种排在前面。".to_owned()
        }
        Reason::SkippedOnce { at } => format!("已按要求跳过 {} 的那一次。", speech.when(*at)),
        Reason::NoticeRunning { charge_at, at_most } => {
            let (when, most) = (speech.when(*charge_at), money(*at_most));
            format!("已预告：{when} 最多扣款 {most}，可以跳过。")
        }
        Reason::NotDue => "现在不扣款，下次用流量时再判断。".to_owned(),
        Reason::TargetMet => "已达到要保留的流量。".to_owned(),
        Reason::MonthlyCapReached { cap, spent, needed, resets_at } => {
            let again = day(speech.zone.date(*resets_at), Language::ZhCn);
            let (cap, spent, needed) = (money(*cap), money(*spent), money(*needed));
            format!("未扣款：本月上限 {cap}，已用 {spent}，本次需 {needed}。{again}重新计算。")
        }
        Reason::DailyCountReached { resets_at } => {
            format!("未扣款：已达到每天的充值次数。{} 重新计算。", speech.when(*resets_at))
        }
        Reason::CoolingDown { until } => {
            format!("距上次充值的间隔未满，{} 结束。", speech.when(*until))
        }
        Reason::RailClosed { opens_at } => {
            format!("该付款方式从 {} 起才扣款。", speech.when(*opens_at))
        }
    }
}

pub(super) fn suspension(why: Suspension) -> &'static str {
    match why {
        Suspension::Declined => {
            "等待处理：每次尝试都被银行拒绝。请添加其他付款方式，或用这一种手动付款一次。"
        }
        Suspension::CustomerNeeded => {
            "等待处理：银行要求本人确认，但未确认。手动付款一次即可恢复。"
        }
        Suspension::NotDelivered => "等待处理：有一次充值未能到账，已退款。手动付款一次即可恢复。",
        Suspension::Disputed => "等待中：有一笔扣款正在争议处理。",
    }
}

pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Opened => "即将开始",
        Status::Charging => "正在扣款",
        Status::Declined => "被拒绝，稍后再试",
        Status::NeedsCustomer => "需要确认",
        Status::Unknown => "正在查询",
        Status::Paid => "已付款，正在到账",
        Status::Delivering => "正在到账",
        Status::DeliveryUnknown => "正在查询到账",
        Status::Refunding => "正在退款",
        Status::Done => "已完成",
        Status::Failed => "未扣款",
        Status::Cancelled => "已取消，未扣款",
        Status::Refunded => "已退款",
    }
}

pub(super) fn fact(speech: &Speech<'_>, fact: &Fact) -> String {
    match fact {
        Fact::Submitted { .. } => "已发送给支付服务商".to_owned(),
        Fact::Withdrawn { .. } => "发送前再次判断：已不需要".to_owned(),
        Fact::Captured { amount, .. } => format!("已扣款 {}", money(*amount)),
        Fact::Declined { hard: false, .. } => "银行拒绝，未扣款".to_owned(),
        Fact::Declined { hard: true, .. } => {
            "银行永久拒绝，未扣款；不再尝试这一付款方式".to_owned()
        }
        Fact::ActionRequired { .. } => "银行要求本人确认".to_owned(),
        Fact::Unanswered { .. } => "没有结果，先查询再说".to_owned(),
        Fact::NotFound { .. } => "支付服务商没有收到".to_owned(),
        Fact::PaymentCancelled { .. } => "已在支付服务商处取消".to_owned(),
        Fact::Stopped => "已按要求停止".to_owned(),
        Fact::Delivered { .. } => "运营商已到账".to_owned(),
        Fact::NotDelivered => "运营商未能到账".to_owned(),
        Fact::TopUpNotFound => "运营商没有收到".to_owned(),
        Fact::DeliveryUnanswered => "运营商没有答复，正在查询".to_owned(),
        Fact::Refunded { .. } => "款项已退回".to_owned(),
        Fact::RefundUnanswered { .. } => format!("{} 已申请退款", speech.when(speech.now)),
    }
}

pub(super) fn credit(credit: Money) -> String {
    format!("话费 {}", money(credit))
}

pub(super) fn news(speech: &Speech<'_>, news: &News, amount: Money, adds: Adds) -> String {
    let (price, adds) = (money(amount), speech.adds(adds));
    match news {
        News::Recharged => format!("已扣款 {price}，{adds} 已到账。"),
        News::Declined { next_try_at: Some(at) } => {
            format!("银行拒绝了 {price}，未扣款。{} 再试。", speech.when(*at))
        }
        News::Declined { next_try_at: None } => format!("银行拒绝了 {price}，未扣款，不再尝试。"),
        News::CustomerNeeded { url, until } => {
            let until = speech.when(*until);
            format!("银行要求在 {until} 前本人确认 {price}：{url} 。尚未扣款。")
        }
        News::Unknown => format!("{price} 的扣款请求已发出，尚无结果。正在查询，请勿重复付款。"),
        News::NotCharged => format!("{price} 的充值已结束，未扣款。"),
        News::Refunding => format!("{adds} 未能到账，{price} 正在退回。"),
        News::WronglyTaken { amount } => format!("误扣了 {}，将全额退回。", money(*amount)),
        News::Refunded { amount } => format!("{} 已退回。", money(*amount)),
        News::DeliveredAfterAll => format!("{adds} 最终还是到账了，{price} 仍会按约退回。"),
    }
}

pub(super) fn bound(bound: &Bound) -> String {
    format!("每月最多 {}", money(bound.per_month))
}

pub(super) fn consent(
    speech: &Speech<'_>,
    rule: &Rule,
    methods: &[MethodFacts],
    bound: &Bound,
) -> String {
    format!(
        "同意开启自动充值。{}按所排顺序从付款方式扣款，不再逐次询问。单次最多 {}，每天最多 {}，\
         每个自然月最多 {}。可以随时关闭，关闭后不再扣款。",
        self::rule(speech, rule, methods),
        money(bound.per_recharge),
        money(bound.per_day),
        money(bound.per_month),
    )
}

pub(super) fn alert(speech: &Speech<'_>, left: &str, decision: &Decision) -> String {
    format!("剩余 {left}。{}", speech.decision(decision))
}

pub(super) fn announcement(speech: &Speech<'_>, charge_at: Instant, at_most: Money) -> String {
    let on = date(speech.zone.date(charge_at), Language::ZhCn);
    let at = time(charge_at, speech.zone);
    format!("将于 {on} {at} 最多扣款 {}。可在自动充值页面跳过。", money(at_most))
}

/// What people call a rail.
pub(super) fn rail_name(rail: Rail) -> &'static str {
    match rail {
        Rail::Card => "银行卡",
        Rail::AlipayCycle => "支付宝",
        Rail::WechatDeduction => "微信支付",
        Rail::OnSession => "这一付款方式",
    }
}

pub(super) fn one_time_code(brand: &str, code: &str) -> String {
    format!("{code}（{brand} 验证码），5 分钟内有效，请勿告诉任何人。")
}

pub(super) fn already_registered(brand: &str) -> String {
    format!("有人用这一联系方式注册 {brand}，但它已有账户。如是本人，请直接登录；否则无需处理。")
}
