//! Differences of a reconciliation, in simplified Chinese.

use super::super::Speech;
use super::super::format::{bytes_exact, money};
use super::credit;
use crate::money::Money;
use crate::reconcile::{Difference, Given, Kind, Remedy};

pub(in crate::say) fn difference(speech: &Speech<'_>, difference: &Difference) -> String {
    let what = what(speech, difference);
    let next = match &difference.remedy {
        Remedy::Refund { amount, .. } => format!("将退回 {}，无需任何操作。", money(*amount)),
        Remedy::NeverCharged => "以后不会为此补扣。".to_owned(),
        Remedy::Case => "已登记待查，人工核实之前不会动用款项。".to_owned(),
    };
    format!("{what}{next}")
}

fn what(speech: &Speech<'_>, difference: &Difference) -> String {
    let none = difference.charged.is_empty();
    let charged = charged(&difference.charged);
    let came = came(&difference.credited);
    let agreed = difference.expected.map_or_else(String::new, money);
    match difference.kind {
        Kind::MissingCredit if none => {
            "记录中有一次充值，但支付服务商和运营商都没有这一笔。".to_owned()
        }
        Kind::MissingCredit => format!("已扣款 {charged}，但运营商没有到账记录。"),
        Kind::MissingCharge => missing_charge(difference, &came, &agreed, &charged),
        Kind::Amount if difference.top_up.is_some() => {
            format!("扣款 {charged}，到账 {came}，与所订的不符。")
        }
        Kind::Amount => format!("扣款 {charged}，与约定的 {agreed} 不符。"),
        Kind::Currency => format!("扣款 {charged}，币种与约定的 {agreed} 不同。"),
        Kind::Duplicate => format!("同一次充值重复扣款：{charged}，应为 {agreed}。"),
        Kind::AfterOff { stopped_at, submitted_at } => format!(
            "{} 已停止扣款，但 {} 仍发出请求，扣款 {charged}。",
            speech.when(stopped_at),
            speech.when(submitted_at)
        ),
        Kind::OverCap { cap, taken } => {
            let (cap, taken) = (money(cap), money(taken));
            format!("扣款 {charged}，超出每月上限：上限 {cap}，当月共 {taken}。")
        }
        Kind::Unknown => format!("扣款 {charged}，没有任何记录可以说明。"),
        Kind::Contradictory => "同一笔有两种说法，其中的数字均不采用。".to_owned(),
    }
}

fn missing_charge(difference: &Difference, came: &str, agreed: &str, charged: &str) -> String {
    if difference.charged.iter().any(|kept| kept.amount_minor < 0) {
        return format!("退回的多于扣款：结余 {charged}。");
    }
    let kept =
        if charged.is_empty() { "未收款".to_owned() } else { format!("实收 {charged}") };
    let free = difference.expected.is_none_or(|expected| expected.amount_minor == 0);
    match (difference.top_up.is_some(), difference.credited.is_empty(), free) {
        (true, _, true) => format!("{came} 已到账，没有对应的扣款。"),
        (true, _, false) => format!("到账多于所订：{came}，{kept}。"),
        (false, true, _) => format!("记录为已扣款 {agreed}，支付服务商{kept}。"),
        (false, false, true) => format!("{came} 已到账，未收款。"),
        (false, false, false) => format!("{came} 已到账，应收 {agreed}，{kept}。"),
    }
}

fn charged(charged: &[Money]) -> String {
    charged.iter().copied().map(money).collect::<Vec<_>>().join("、")
}

fn came(credited: &[Given]) -> String {
    let mut parts = Vec::new();
    for given in credited {
        parts.extend((!given.bytes.is_zero()).then(|| bytes_exact(given.bytes)));
        parts.extend(given.credit.filter(|it| it.amount_minor != 0).map(credit));
    }
    parts.join("、")
}
