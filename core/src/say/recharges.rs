//! A recharge as its customer follows it: where it stands, what was seen, what they are told.

use super::Speech;
use super::words::{say, words};
use crate::api::{Returned, ReturnedAs};
use crate::money::Money;
use crate::recharge::{Fact, News, Status};
use crate::rule::Adds;

impl Speech<'_> {
    /// Where a recharge stands, in a word or two.
    pub fn status(&self, status: Status) -> &'static str {
        let words = match status {
            Status::Opened => words!("Starting", "即将开始"),
            Status::Charging => words!("Charging", "正在扣款"),
            Status::Declined => words!("Declined, will try again", "被拒绝，稍后再试"),
            Status::NeedsCustomer => words!("Needs you", "需要确认"),
            Status::Unknown => words!("Checking", "正在查询"),
            Status::Paid => words!("Paid, delivering", "已付款，正在到账"),
            Status::Delivering => words!("Delivering", "正在到账"),
            Status::DeliveryUnknown => words!("Checking the delivery", "正在查询到账"),
            Status::Refunding => words!("Refund under way", "正在退款"),
            Status::Done => words!("Done", "已完成"),
            Status::Failed => words!("Not charged", "未扣款"),
            Status::Cancelled => words!("Cancelled, not charged", "已取消，未扣款"),
            Status::Refunded => words!("Refunded", "已退款"),
        };
        words.of(self.language)
    }

    /// What was seen, as a line of a timeline.
    pub fn fact(&self, fact: &Fact) -> String {
        let l = self.language;
        let words = match fact {
            Fact::Submitted { .. } => words!("Sent to the payment provider", "已发送给支付服务商"),
            Fact::Withdrawn { .. } => {
                words!("Looked again before sending: not sent", "发送前再次判断：不发送")
            }
            Fact::Captured { amount, .. } => {
                return say!(l, "{0} charged", "已扣款 {0}", *amount);
            }
            Fact::Declined { hard: false, .. } => {
                words!("Declined. No money moved", "被拒绝，未扣款")
            }
            Fact::Declined { hard: true, .. } => words!(
                "Declined for good. No money moved; this method is not tried again",
                "被永久拒绝，未扣款；不再尝试这一付款方式"
            ),
            Fact::ActionRequired { .. } => {
                words!("The bank or wallet wants you to confirm", "银行或钱包要求本人确认")
            }
            Fact::Unanswered { .. } => {
                words!("No answer. We check before anything else", "没有结果，先查询再说")
            }
            Fact::NotFound { .. } => {
                words!("The provider has not seen it", "支付服务商没有收到")
            }
            Fact::PaymentCancelled { .. } => {
                words!("Cancelled at the payment provider", "已在支付服务商处取消")
            }
            Fact::Stopped => words!("Stopped by you", "已按要求停止"),
            Fact::Delivered { .. } => words!("Delivered by the carrier", "运营商已到账"),
            Fact::NotDelivered => words!("The carrier did not deliver", "运营商未能到账"),
            Fact::TopUpNotFound => words!("The carrier has not seen it", "运营商没有收到"),
            Fact::DeliveryUnanswered => {
                words!("No answer from the carrier. We check", "运营商没有答复，正在查询")
            }
            Fact::Refunded { .. } => words!("Money given back", "款项已退回"),
            Fact::RefundUnanswered { .. } => {
                return say!(l, "Refund asked for {0}", "{0} 已申请退款", (self, self.now));
            }
        };
        words.of(l).to_owned()
    }

    /// What the customer hears about a recharge.
    pub fn news(&self, news: &News, amount: Money, adds: Adds) -> String {
        let (l, price, adds) = (self.language, amount, &self.adds(adds));
        match news {
            News::Recharged => say!(
                l,
                "{0} was charged and {1} is on your line.",
                "已扣款 {0}，{1} 已到账。",
                price,
                adds
            ),
            News::Declined { next_try_at: Some(at) } => say!(
                l,
                "{0} was declined. No money moved. Next try {1}.",
                "{0} 的扣款被拒绝，未扣款。{1} 再试。",
                price,
                (self, *at)
            ),
            News::Declined { next_try_at: None } => say!(
                l,
                "{0} was declined. No money moved. It is not tried again.",
                "{0} 的扣款被拒绝，未扣款，不再尝试。",
                price
            ),
            News::CustomerNeeded { url, until } => say!(
                l,
                "Your bank or wallet wants you to confirm {0} until {1}: {2}. No money has moved.",
                "银行或钱包要求在 {1} 前本人确认 {0}：{2} 。尚未扣款。",
                price,
                (self, *until),
                url
            ),
            News::Unknown => say!(
                l,
                "A charge of {0} was sent; no answer yet. We are checking. Please do not pay again.",
                "{0} 的扣款请求已发出，尚无结果。正在查询，请勿重复付款。",
                price
            ),
            News::NotCharged => say!(
                l,
                "The recharge of {0} ended. No money moved.",
                "{0} 的充值已结束，未扣款。",
                price
            ),
            News::Refunding => say!(
                l,
                "{1} could not be delivered. {0} is on its way back to you.",
                "{1} 未能到账，{0} 正在退回。",
                price,
                adds
            ),
            News::WronglyTaken { amount } => say!(
                l,
                "{0} was taken that should not have been. All of it goes back to you.",
                "误扣了 {0}，将全额退回。",
                *amount
            ),
            News::Refunded { amount } => say!(l, "{0} was given back.", "{0} 已退回。", *amount),
            News::DeliveredAfterAll => say!(
                l,
                "{1} arrived after all. {0} goes back to you as we said.",
                "{1} 最终还是到账了，{0} 仍会按约退回。",
                price,
                adds
            ),
        }
    }

    /// What a recharge adds.
    pub fn adds(&self, adds: Adds) -> String {
        let l = self.language;
        match adds {
            Adds::Data { bytes, .. } => say!(l, "{0}", "{0}", bytes),
            Adds::Credit(credit) => say!(l, "{0} of credit", "话费 {0}", credit),
        }
    }

    /// What went back beside a recharge, as a line of a timeline.
    pub fn returned(&self, line: &Returned) -> String {
        let words = match line.what {
            ReturnedAs::Refunding => {
                words!("{0} is on its way back to you", "{0} 正在退回", amount)
            }
            ReturnedAs::Refunded => words!("{0} given back", "{0} 已退回", amount),
            ReturnedAs::RefundFailed => words!(
                "{0} could not be given back yet. A person looks at it",
                "{0} 暂未能退回，将由人工处理",
                amount
            ),
            ReturnedAs::Disputed => words!(
                "{0} disputed at the bank; automatic recharges wait",
                "{0} 正在银行争议处理中，自动充值暂停",
                amount
            ),
            ReturnedAs::DisputeWon => words!(
                "The dispute about {0} ended; the charge stays",
                "{0} 的争议已结束，扣款有效",
                amount
            ),
            ReturnedAs::DisputeLost => words!(
                "The dispute about {0} ended; you have it back",
                "{0} 的争议已结束，款项已退回",
                amount
            ),
        };
        words.say(self.language, &[line.amount.into()])
    }

    /// What the customer hears when a dispute begins or the last one has ended.
    pub fn dispute_news(&self, open: bool) -> &'static str {
        let words = match open {
            true => words!(
                "A charge is disputed at your bank. Nothing is recharged automatically until that \
                 is decided.",
                "有一笔扣款正在银行争议处理中。处理结束之前不会自动充值。"
            ),
            false => words!(
                "The dispute about a charge has ended. It no longer holds up automatic recharges.",
                "扣款争议已结束，自动充值不再因此暂停。"
            ),
        };
        words.of(self.language)
    }
}
