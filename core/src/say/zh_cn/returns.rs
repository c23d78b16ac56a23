//! What went back after a recharge's end, in simplified Chinese.

use super::super::format::money;
use crate::api::{Returned, ReturnedAs};

pub(in crate::say) fn returned(line: &Returned) -> String {
    let amount = money(line.amount);
    match line.what {
        ReturnedAs::Refunding => format!("{amount} 正在退回"),
        ReturnedAs::Refunded => format!("{amount} 已退回"),
        ReturnedAs::RefundFailed => format!("{amount} 暂未能退回，将由人工处理"),
        ReturnedAs::Disputed => format!("{amount} 正在银行争议处理中，自动充值暂停"),
        ReturnedAs::DisputeWon => format!("{amount} 的争议已结束，扣款有效"),
        ReturnedAs::DisputeLost => format!("{amount} 的争议已结束，款项已退回"),
    }
}

pub(in crate::say) fn dispute_news(open: bool) -> &'static str {
    if open {
        "有一笔扣款正在银行争议处理中。处理结束之前不会自动充值。"
    } else {
        "扣款争议已结束，自动充值不再因此暂停。"
    }
}
