//! Chinese: what is wrong with a field, as its error message.

use super::super::format::{bytes_exact, date, money};
use super::rail_name;
use crate::api::Language;
use crate::field::{Field, FieldCode};

#[allow(clippy::wildcard_enum_match_arm, reason = "most fields share one sentence")]
pub(in crate::say) fn field_error(field: Field, code: &FieldCode) -> String {
    match code {
        FieldCode::Required => match field {
            Field::Trigger => "请选择何时充值。".to_owned(),
            Field::CapPerMonth => "请填写每月上限：余额偏低时充值必须有上限。".to_owned(),
            Field::Weekdays => "请至少选择一天。".to_owned(),
            _ => "请填写。".to_owned(),
        },
        FieldCode::NotANumber => "请输入数字，例如 5 或 2.5。".to_owned(),
        FieldCode::AmbiguousNumber => "可能是一千也可能是一：请写 1000 或 1。".to_owned(),
        FieldCode::TooPrecise => "小数位数过多。".to_owned(),
        FieldCode::TooLarge => "数值过大。".to_owned(),
        FieldCode::NotPositive => "请输入大于 0 的数。".to_owned(),
        FieldCode::OutOfRange { min, max } => format!("请输入 {min} 到 {max}。"),
        FieldCode::NotADate => "请输入日期。".to_owned(),
        FieldCode::NotATime => "请输入时间，例如 09:00。".to_owned(),
        FieldCode::TooEarly { first } => {
            format!("请选择 {}或之后。", date(*first, Language::ZhCn))
        }
        FieldCode::NotAPhone => "请输入带国家代码的号码，例如 +86 138 0013 8000。".to_owned(),
        FieldCode::UnknownCallingCode => "没有这个国家代码。".to_owned(),
        FieldCode::PhoneLength { calling_code, digits, min, max } => {
            phone_length(*calling_code, *digits, *min, *max)
        }
        FieldCode::NotAnEmail => "请输入电子邮箱，例如 ana@example.org。".to_owned(),
        FieldCode::TooShort { min } => format!("至少 {min} 个字符。"),
        FieldCode::TooLong { max } => format!("最多 {max} 个字符。"),
        FieldCode::UnusableCharacter { character } => unusable(character),
        FieldCode::SameAsContact => "请勿使用手机号或邮箱作为密码。".to_owned(),
        FieldCode::Breached => "这个密码已在数据泄露中出现，请换一个。".to_owned(),
        FieldCode::NotACode => "验证码为六位数字。".to_owned(),
        FieldCode::WrongCode => "验证码不正确或已失效。请检查，或重新获取。".to_owned(),
        FieldCode::UnknownChoice => "请从列表中选择。".to_owned(),
        FieldCode::UnitNotAdded => "与充入的内容不一致：流量对流量，话费对话费。".to_owned(),
        FieldCode::ThresholdNotBelowTarget { target } => {
            format!("请小于要保留的 {}。", bytes_exact(*target))
        }
        FieldCode::StaysBelowThreshold => {
            "流量用完时充一次仍不高于触发值，会反复充值。请提高数量。".to_owned()
        }
        FieldCode::NotWholeSteps { step } => format!("流量以 {} 为一份。", bytes_exact(*step)),
        FieldCode::BelowOneRecharge { cost } => {
            format!("单次充值最多需 {}，请不低于此数。", money(*cost))
        }
        FieldCode::BelowOneStep { cost } => format!("一份需 {}，请不低于此数。", money(*cost)),
        FieldCode::NeverDue => "开始与结束之间没有任何日期。".to_owned(),
        FieldCode::ValidityTooShort { validity_days } => {
            format!("充入的流量有效 {validity_days} 天，请填更少的天数。")
        }
        FieldCode::EndsBeforeStart => "结束早于开始。".to_owned(),
        FieldCode::NotAutomatic { rail } => {
            format!("{}每次都需要您确认，不能自动扣款。", rail_name(*rail))
        }
        FieldCode::NotOnThatDay { rail, last_day } => {
            format!("{}不在每月 {last_day} 日之后扣款，请选择更早的日期。", rail_name(*rail))
        }
        FieldCode::NotSoOften { rail, days } => {
            format!("{}至少间隔 {days} 天扣款一次，请选择更长的周期。", rail_name(*rail))
        }
        FieldCode::AboveAgreement { rail, most } => {
            let (name, most) = (rail_name(*rail), money(*most));
            format!("您与{name}的协议单次最多 {most}，请减少充值或重新签约。")
        }
        FieldCode::AgreementUsedUp { rail } => {
            format!("您与{}的协议额度已用完，请重新签约。", rail_name(*rail))
        }
    }
}

fn phone_length(calling_code: u16, digits: u32, min: u32, max: u32) -> String {
    let wrong = match () {
        () if digits < min => "位数不足",
        () if digits > max => "位数过多",
        () => "没有这种位数的号码",
    };
    let right = if min == max { min.to_string() } else { format!("{min} 至 {max}") };
    format!("{wrong}：+{calling_code} 之后应为 {right} 位数字，现为 {digits} 位。")
}

fn unusable(character: &str) -> String {
    format!("请删除字符 {character}：它不可见，或会影响旁边的内容。")
}
