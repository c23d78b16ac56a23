//! Chinese: what was looked at for a decision, one line each; it reads as a list.

use super::super::{Speech, format::money, left};
use crate::decide::{Check, Finding};

pub(in crate::say) fn finding(speech: &Speech<'_>, finding: &Finding, names: &[String]) -> String {
    let either = |yes: &str, no: &str| if finding.passed { yes.to_owned() } else { no.to_owned() };
    match &finding.check {
        Check::OneAtATime => either("没有其他进行中的充值。", "另有一笔充值正在进行。"),
        Check::NotStopped => either("扣款未被停用。", "扣款已被停用。"),
        Check::On => either("规则已开启。", "规则已关闭。"),
        Check::InTime { .. } => either("在规则的有效日期内。", "不在规则的有效日期内。"),
        Check::NotWaiting => either("无需等待您处理。", "正在等待您处理。"),
        Check::Terms { present: Some(step), .. } if finding.passed => {
            let (bytes, price) = (super::bytes_exact(step.bytes), money(step.price));
            format!("价格与约定相同或更低：{bytes} 为 {price}。")
        }
        Check::Terms { .. } => either("条款与约定相同。", "条款与约定不同。"),
        Check::Methods { .. } if names.is_empty() => {
            either("有可扣款的付款方式。", "没有可扣款的付款方式。")
        }
        Check::Methods { .. } => format!("可扣款：{}。", names.join("，其次 ")),
        Check::LowBalance { left: has, threshold } => {
            format!("剩余 {}，触发值 {}。", left(*has), left(*threshold))
        }
        Check::Scheduled { at: Some(at) } => format!("已到日期：{}。", speech.when(*at)),
        Check::Scheduled { at: None } => "未到任何日期。".to_owned(),
        Check::Expiring { expires_at: Some(at) } => {
            format!("流量将于 {} 到期。", speech.when(*at))
        }
        Check::Expiring { expires_at: None } => "没有即将到期的流量。".to_owned(),
        Check::Size { amount: Some(amount), adds: Some(adds), .. } => {
            format!("需补充 {}，价格 {}。", speech.adds(*adds), money(*amount))
        }
        Check::Size { .. } => "无需补充。".to_owned(),
        Check::MonthCap { cap, spent, needed } => {
            format!("当月已用 {}，本次需 {}，上限 {}。", money(*spent), money(*needed), money(*cap))
        }
        Check::DayCount { most, count } => format!("当天此前充值 {count} 次，最多 {most} 次。"),
        Check::CoolDown { minutes, last_opened_at: Some(at) } => {
            format!("上一次为 {}，至少间隔 {minutes} 分钟。", speech.when(*at))
        }
        Check::CoolDown { last_opened_at: None, .. } => "此前没有充值。".to_owned(),
        Check::RailOpen => either("这一时间可以扣款。", "这一时间不能扣款。"),
    }
}
