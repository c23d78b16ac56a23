//! What a payment method makes a rule wait for, why one cannot be charged, and what past use
//! suggests.

use super::Speech;
use super::words::{Gap, Words, say, words};
use crate::decide::Unusable;
use crate::forecast::{Advice, Wait};
use crate::rail::{Rail, Wallet};

/// What people call a rail.
pub(super) fn rail_name(rail: Rail) -> Words {
    match rail {
        Rail::Card => words!("A card", "银行卡"),
        Rail::AlipayCycle => words!("Alipay", "支付宝"),
        Rail::WechatDeduction => words!("WeChat Pay", "微信支付"),
        Rail::OnSession => words!("This payment method", "这一付款方式"),
    }
}

impl Speech<'_> {
    /// What people call a wallet.
    pub fn wallet(&self, wallet: Wallet) -> &'static str {
        rail_name(wallet.agreed_rail()).of(self.language)
    }

    /// What a payment method makes a rule wait for.
    pub fn wait(&self, wait: &Wait) -> String {
        let (l, name) = (self.language, rail_name(wait.rail));
        let mut text = match wait.rail {
            Rail::WechatDeduction => say!(
                l,
                "{0} announces each charge and takes it two days later at the earliest, from 07:00 \
                 to 22:00 in Beijing: up to {1} hours after the balance is low.",
                "{0}每次扣款前先通知，最早两天后的北京时间 07:00 至 22:00 扣款：余额偏低后最长 {1} 小时。",
                name,
                wait.longest_hours
            ),
            Rail::AlipayCycle => say!(
                l,
                "{0} is charged once in {1} days at most.",
                "{0}每 {1} 天最多扣款一次。",
                name,
                wait.cycle_days
            ),
            Rail::Card | Rail::OnSession => say!(
                l,
                "{0} is charged {1} at the earliest.",
                "{0}最早于 {1} 扣款。",
                name,
                (self, wait.charged_at)
            ),
        };
        if let Some(safer) = wait.safer_threshold {
            say!(
                text += l,
                " With your use, recharge at {0} so that it lasts as long.",
                "按您的用量，剩 {0} 时就充值才够用到那时。",
                safer
            );
        }
        text
    }

    /// Why a payment method cannot be charged by itself, and what helps.
    pub fn unusable(&self, why: Unusable) -> String {
        let l = self.language;
        match why {
            Unusable::OnSessionOnly => say!(
                l,
                "It needs you each time: it cannot be charged automatically.",
                "每次都需本人确认，不能自动扣款。"
            ),
            Unusable::Expired => {
                say!(l, "It has expired. Add the new one.", "已过期，请添加新的。")
            }
            Unusable::Barred => say!(
                l,
                "The bank declined it for good, so it is never charged automatically again. Add \
                 another one.",
                "银行已永久拒绝，不再自动扣款。请添加其他付款方式。"
            ),
            Unusable::TriedOut => say!(
                l,
                "The bank declined it at every try. Pay once by hand with it to use it again.",
                "每次尝试都被银行拒绝。用它手动付款一次即可恢复。"
            ),
            Unusable::DeclinedTooOften { until } => say!(
                l,
                "It was declined too often. It can be tried again from {0} on.",
                "被拒绝次数过多，{0} 起可以再试。",
                (self, until)
            ),
            Unusable::AgreementUsedUp => say!(
                l,
                "Its agreement is used up. Renew it to go on.",
                "协议额度已用完，请重新签约。"
            ),
        }
    }

    /// What past use suggests.
    pub fn advice(&self, advice: &Advice) -> String {
        say!(
            self.language,
            "You use {0} on an average day and {1} on a busy one. Recharging at {2}, {3} at a \
             time, would do: each time lasts about two weeks. A month takes about {4}.",
            "您平均每天用 {0}，多时 {1}。剩 {2} 时充值、每次 {3} 即可：每次约用两周，每月约 {4}。",
            Gap::About(advice.average_day),
            Gap::About(advice.high_day),
            advice.threshold,
            advice.amount,
            advice.per_month
        )
    }
}
