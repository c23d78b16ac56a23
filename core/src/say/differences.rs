//! Differences of a reconciliation: what happened, and what follows.

use super::words::{Words, say, words};
use super::{Speech, and};
use crate::money::Money;
use crate::reconcile::{Difference, Given, Kind, Remedy};

const MISSING_BOTH: Words = words!(
    "A recharge is on record that neither the payment provider nor the carrier has.",
    "记录中有一次充值，但支付服务商和运营商都没有这一笔。"
);
const MISSING_CREDIT: Words = words!(
    "{0} was charged, and the carrier shows no delivery for it.",
    "已扣款 {0}，但运营商没有到账记录。",
    charged
);
const AMOUNT_DELIVERED: Words = words!(
    "{1} was delivered for {0}, which is not what was ordered.",
    "扣款 {0}，到账 {1}，与所订的不符。",
    charged,
    came
);
const AMOUNT_CHARGED: Words = words!(
    "{0} was charged where {1} was agreed.",
    "扣款 {0}，与约定的 {1} 不符。",
    charged,
    agreed
);
const CURRENCY: Words = words!(
    "{0} was charged in another currency than agreed ({1}).",
    "扣款 {0}，币种与约定的 {1} 不同。",
    charged,
    agreed
);
const DUPLICATE: Words = words!(
    "One recharge was charged more than once: {0}, where {1} is right.",
    "同一次充值重复扣款：{0}，应为 {1}。",
    charged,
    agreed
);
const AFTER_OFF: Words = words!(
    "{0} was charged by a request of {1}, although charging was stopped at {2}.",
    "{2} 已停止扣款，但 {1} 仍发出请求，扣款 {0}。",
    charged,
    submitted_at,
    stopped_at
);
const OVER_CAP: Words = words!(
    "{0} was charged above the monthly cap: {1} in all, where {2} was agreed.",
    "扣款 {0}，超出每月上限：上限 {2}，当月共 {1}。",
    charged,
    taken,
    cap
);
const UNKNOWN: Words = words!(
    "{0} was charged, and nothing on record explains it.",
    "扣款 {0}，没有任何记录可以说明。",
    charged
);
const CONTRADICTORY: Words = words!(
    "The same thing is told in two ways, so none of its figures is relied on.",
    "同一笔有两种说法，其中的数字均不采用。"
);

/// What a difference is about, in words.
struct Told<'a> {
    charged: &'a str,
    came: &'a str,
    /// Nothing where no amount was agreed.
    agreed: &'a str,
}

impl Speech<'_> {
    /// What a reconciliation found, and what follows.
    pub fn difference(&self, difference: &Difference) -> String {
        let l = self.language;
        let mut text = self.found(difference);
        match &difference.remedy {
            Remedy::Refund { amount, .. } => say!(
                text += l,
                " {0} is given back; nothing needs to be done.",
                "将退回 {0}，无需任何操作。",
                *amount
            ),
            Remedy::NeverCharged => {
                say!(text += l, " Nothing is charged for it later.", "以后不会为此补扣。");
            }
            Remedy::Case => say!(
                text += l,
                " A case is open. No money moves until a person has looked.",
                "已登记待查，人工核实之前不会动用款项。"
            ),
        }
        text
    }

    fn found(&self, difference: &Difference) -> String {
        let l = self.language;
        let charged = &self.charged(&difference.charged);
        let came = &self.came(&difference.credited);
        let nothing = words!("nothing", "").of(l);
        let agreed = difference.expected.map_or(nothing.to_owned(), super::money);
        let agreed = &agreed;
        match difference.kind {
            Kind::MissingCredit if difference.charged.is_empty() => say!(l, MISSING_BOTH),
            Kind::MissingCredit => say!(l, MISSING_CREDIT, charged),
            Kind::MissingCharge => self.missing_charge(difference, &Told { charged, came, agreed }),
            Kind::Amount if difference.top_up.is_some() => say!(l, AMOUNT_DELIVERED, charged, came),
            Kind::Amount => say!(l, AMOUNT_CHARGED, charged, agreed),
            Kind::Currency => say!(l, CURRENCY, charged, agreed),
            Kind::Duplicate => say!(l, DUPLICATE, charged, agreed),
            Kind::AfterOff { stopped_at, submitted_at } => {
                say!(l, AFTER_OFF, charged, (self, submitted_at), (self, stopped_at))
            }
            Kind::OverCap { cap, taken } => say!(l, OVER_CAP, charged, taken, cap),
            Kind::Unknown => say!(l, UNKNOWN, charged),
            Kind::Contradictory => say!(l, CONTRADICTORY),
        }
    }

    fn missing_charge(&self, difference: &Difference, told: &Told<'_>) -> String {
        let (l, Told { charged, came, agreed }) = (self.language, told);
        if difference.charged.iter().any(|kept| kept.amount_minor < 0) {
            return say!(
                l,
                "More was given back than was charged: {0} is left of it.",
                "退回的多于扣款：结余 {0}。",
                *charged
            );
        }
        let kept = match difference.charged.is_empty() {
            true => words!("nothing", "未收款").of(l).to_owned(),
            false => say!(l, "{0}", "实收 {0}", *charged),
        };
        let kept = &kept;
        let free = difference.expected.is_none_or(|expected| expected.amount_minor == 0);
        match (difference.top_up.is_some(), difference.credited.is_empty(), free) {
            (true, _, true) => say!(
                l,
                "{0} was delivered, and no charge explains it.",
                "{0} 已到账，没有对应的扣款。",
                *came
            ),
            (true, _, false) => say!(
                l,
                "More was delivered than was ordered: {0}, and {1} is kept for it.",
                "到账多于所订：{0}，{1}。",
                *came,
                kept
            ),
            (false, true, _) => say!(
                l,
                "{0} is on record as charged, and the payment provider keeps {1}.",
                "记录为已扣款 {0}，支付服务商{1}。",
                *agreed,
                kept
            ),
            (false, false, true) => say!(
                l,
                "{0} was delivered, and no money is kept for it.",
                "{0} 已到账，未收款。",
                *came
            ),
            (false, false, false) => say!(
                l,
                "{0} was delivered for {1}, and {2} is kept for it.",
                "{0} 已到账，应收 {1}，{2}。",
                *came,
                *agreed,
                kept
            ),
        }
    }

    fn charged(&self, charged: &[Money]) -> String {
        let amounts: Vec<String> = charged.iter().copied().map(super::money).collect();
        match amounts.is_empty() {
            true => words!("nothing", "").of(self.language).to_owned(),
            false => and(self.language, &amounts),
        }
    }

    fn came(&self, credited: &[Given]) -> String {
        let mut parts = Vec::new();
        for given in credited {
            parts.extend((!given.bytes.is_zero()).then(|| super::bytes_exact(given.bytes)));
            let credit = given.credit.filter(|it| it.amount_minor != 0);
            parts.extend(credit.map(|it| self.adds(crate::rule::Adds::Credit(it))));
        }
        and(self.language, &parts)
    }
}
