//! Chinese: what a payment method makes a rule wait for, why one cannot be charged, and what past
//! use suggests.

use super::super::{Speech, format::bytes, format::bytes_exact, format::money};
use super::rail_name;
use crate::decide::Unusable;
use crate::forecast::{Advice, Wait};
use crate::rail::Rail;

pub(in crate::say) fn wait(speech: &Speech<'_>, wait: &Wait) -> String {
    let name = rail_name(wait.rail);
    let mut text = match wait.rail {
        Rail::WechatDeduction => format!(
            "{name}每次扣款前先通知，最早两天后的北京时间 07:00 至 22:00 扣款：余额偏低后最长 {} 小时。",
            wait.longest_hours
        ),
        Rail::AlipayCycle => format!("{name}每 {} 天最多扣款一次。", wait.cycle_days),
        Rail::Card | Rail::OnSession => {
            format!("{name}最早于 {} 扣款。", speech.when(wait.charged_at))
        }
    };
    if let Some(safer) = wait.safer_threshold {
        let safer = bytes_exact(safer);
        text.push_str(&format!("按您的用量，剩 {safer} 时就充值才够用到那时。"));
    }
    text
}

pub(in crate::say) fn unusable(speech: &Speech<'_>, why: Unusable) -> String {
    match why {
        Unusable::OnSessionOnly => "每次都需本人确认，不能自动扣款。".to_owned(),
        Unusable::Expired => "已过期，请添加新的。".to_owned(),
        Unusable::Barred => "银行已永久拒绝，不再自动扣款。请添加其他付款方式。".to_owned(),
        Unusable::TriedOut => "每次尝试都被银行拒绝。用它手动付款一次即可恢复。".to_owned(),
        Unusable::DeclinedTooOften { until } => {
            format!("被拒绝次数过多，{} 起可以再试。", speech.when(until))
        }
        Unusable::AgreementUsedUp => "协议额度已用完，请重新签约。".to_owned(),
    }
}

pub(in crate::say) fn advice(advice: &Advice) -> String {
    let (high, average) = (bytes(advice.high_day), bytes(advice.average_day));
    let (threshold, amount) = (bytes_exact(advice.threshold), bytes_exact(advice.amount));
    let month = money(advice.per_month);
    format!(
        "您平均每天用 {average}，多时 {high}。剩 {threshold} 时充值、每次 {amount} 即可：\
         每次约用两周，每月约 {month}。"
    )
}
