//! What is wrong with a field, as its error message.

use super::waits::rail_name;
use super::words::{Words, say, words};
use crate::api::Language;
use crate::field::{Field, FieldCode};

const CAP_PER_MONTH: Words = words!(
    "Enter a monthly cap: recharging when low needs one.",
    "请填写每月上限：余额偏低时充值必须有上限。"
);
const NOT_A_NUMBER: Words =
    words!("Enter a number, such as 5 or 2.5.", "请输入数字，例如 5 或 2.5。");
const NOT_A_TIME: Words = words!("Enter a time, such as 09:00.", "请输入时间，例如 09:00。");
const AMBIGUOUS_NUMBER: Words = words!(
    "Could mean a thousand or one: write 1000 or 1.",
    "可能是一千也可能是一：请写 1000 或 1。"
);
const NOT_A_PHONE: Words = words!(
    "Enter the number with its country code, such as +34 612 345 678.",
    "请输入带国家代码的号码，例如 +86 138 0013 8000。"
);
const NOT_AN_EMAIL: Words = words!(
    "Enter an e-mail address, such as ana@example.org.",
    "请输入电子邮箱，例如 ana@example.org。"
);
const UNUSABLE_CHARACTER: Words = words!(
    "Take out {0}: it cannot be seen, or changes what is beside it.",
    "请删除字符 {0}：它不可见，或会影响旁边的内容。",
    character
);
const SAME_AS_CONTACT: Words =
    words!("Choose something other than your phone or e-mail.", "请勿使用手机号或邮箱作为密码。");
const BREACHED: Words = words!(
    "This password is known from data leaks. Choose another.",
    "这个密码已在数据泄露中出现，请换一个。"
);
const WRONG_CODE: Words = words!(
    "Not the code we sent, or no longer valid. Check it, or ask for a new one.",
    "验证码不正确或已失效。请检查，或重新获取。"
);
const UNIT_NOT_ADDED: Words = words!(
    "The recharge adds something else: give data for data, credit for credit.",
    "与充入的内容不一致：流量对流量，话费对话费。"
);
const STAYS_BELOW_THRESHOLD: Words = words!(
    "From empty, one recharge would not end above the threshold: it would recharge again \
     and again. Choose more.",
    "流量用完时充一次仍不高于触发值，会反复充值。请提高数量。"
);
const BELOW_ONE_RECHARGE: Words = words!(
    "One recharge costs up to {0}: enter at least that.",
    "单次充值最多需 {0}，请不低于此数。",
    cost
);
const VALIDITY_TOO_SHORT: Words = words!(
    "Bought data is valid for {0} days: choose fewer.",
    "充入的流量有效 {0} 天，请填更少的天数。",
    validity_days
);
const NOT_AUTOMATIC: Words = words!(
    "{0} needs you each time: it cannot be charged by itself.",
    "{0}每次都需要您确认，不能自动扣款。",
    rail
);
const NOT_ON_THAT_DAY: Words = words!(
    "{0} is not charged after day {1} of a month: choose an earlier day.",
    "{0}不在每月 {1} 日之后扣款，请选择更早的日期。",
    rail,
    last_day
);
const NOT_SO_OFTEN: Words = words!(
    "{0} is charged every {1} days at most: choose a longer period.",
    "{0}至少间隔 {1} 天扣款一次，请选择更长的周期。",
    rail,
    days
);
const ABOVE_AGREEMENT: Words = words!(
    "Your agreement with {0} allows {1} at once: recharge less, or renew it.",
    "您与{0}的协议单次最多 {1}，请减少充值或重新签约。",
    rail,
    most
);
const AGREEMENT_USED_UP: Words = words!(
    "Your agreement with {0} is used up: renew it.",
    "您与{0}的协议额度已用完，请重新签约。",
    rail
);

/// What is wrong with a field, as its error message.
pub fn field_error(language: Language, field: Field, code: &FieldCode) -> String {
    let l = language;
    match code {
        FieldCode::Required => required(field).of(l).to_owned(),
        FieldCode::NotANumber => say!(l, NOT_A_NUMBER),
        FieldCode::AmbiguousNumber => say!(l, AMBIGUOUS_NUMBER),
        FieldCode::TooPrecise => say!(l, "Too many decimals.", "小数位数过多。"),
        FieldCode::TooLarge => say!(l, "That is too large.", "数值过大。"),
        FieldCode::NotPositive => say!(l, "Enter more than 0.", "请输入大于 0 的数。"),
        FieldCode::OutOfRange { min, max } => {
            say!(l, "Enter {0} to {1}.", "请输入 {0} 到 {1}。", *min, *max)
        }
        FieldCode::NotADate => say!(l, "Enter a date.", "请输入日期。"),
        FieldCode::NotATime => say!(l, NOT_A_TIME),
        FieldCode::TooEarly { first } => {
            say!(l, "Choose {0} or later.", "请选择 {0}或之后。", *first)
        }
        FieldCode::NotAPhone => say!(l, NOT_A_PHONE),
        FieldCode::UnknownCallingCode => {
            say!(l, "No country has this code.", "没有这个国家代码。")
        }
        FieldCode::PhoneLength { calling_code, digits, min, max } => {
            phone_length(l, *calling_code, *digits, *min, *max)
        }
        FieldCode::NotAnEmail => say!(l, NOT_AN_EMAIL),
        FieldCode::TooShort { min } => {
            say!(l, "Use at least {0} characters.", "至少 {0} 个字符。", *min)
        }
        FieldCode::TooLong { max } => {
            say!(l, "Use at most {0} characters.", "最多 {0} 个字符。", *max)
        }
        FieldCode::UnusableCharacter { character } => {
            say!(l, UNUSABLE_CHARACTER, &character.to_string())
        }
        FieldCode::SameAsContact => say!(l, SAME_AS_CONTACT),
        FieldCode::Breached => say!(l, BREACHED),
        FieldCode::NotACode => say!(l, "The code has six digits.", "验证码为六位数字。"),
        FieldCode::WrongCode => say!(l, WRONG_CODE),
        FieldCode::UnknownChoice => say!(l, "Choose one of the list.", "请从列表中选择。"),
        FieldCode::UnitNotAdded => say!(l, UNIT_NOT_ADDED),
        FieldCode::ThresholdNotBelowTarget { target } => {
            say!(l, "Choose less than the {0} to keep.", "请小于要保留的 {0}。", *target)
        }
        FieldCode::StaysBelowThreshold => say!(l, STAYS_BELOW_THRESHOLD),
        FieldCode::NotWholeSteps { step } => {
            say!(l, "Data comes in steps of {0}.", "流量以 {0} 为一份。", *step)
        }
        FieldCode::BelowOneRecharge { cost } => say!(l, BELOW_ONE_RECHARGE, *cost),
        FieldCode::BelowOneStep { cost } => {
            say!(l, "One step costs {0}: enter at least that.", "一份需 {0}，请不低于此数。", *cost)
        }
        FieldCode::NeverDue => {
            say!(l, "No date lies between start and end.", "开始与结束之间没有任何日期。")
        }
        FieldCode::ValidityTooShort { validity_days } => {
            say!(l, VALIDITY_TOO_SHORT, *validity_days)
        }
        FieldCode::EndsBeforeStart => say!(l, "The end is before the start.", "结束早于开始。"),
        FieldCode::NotAutomatic { rail } => say!(l, NOT_AUTOMATIC, rail_name(*rail)),
        FieldCode::NotOnThatDay { rail, last_day } => {
            say!(l, NOT_ON_THAT_DAY, rail_name(*rail), *last_day)
        }
        FieldCode::NotSoOften { rail, days } => say!(l, NOT_SO_OFTEN, rail_name(*rail), *days),
        FieldCode::AboveAgreement { rail, most } => {
            say!(l, ABOVE_AGREEMENT, rail_name(*rail), *most)
        }
        FieldCode::AgreementUsedUp { rail } => say!(l, AGREEMENT_USED_UP, rail_name(*rail)),
    }
}

#[allow(clippy::wildcard_enum_match_arm, reason = "most fields share one sentence")]
fn required(field: Field) -> Words {
    match field {
        Field::Trigger => words!("Choose when to recharge.", "请选择何时充值。"),
        Field::CapPerMonth => CAP_PER_MONTH,
        Field::Weekdays => words!("Choose at least one day.", "请至少选择一天。"),
        _ => words!("Fill this in.", "请填写。"),
    }
}

fn phone_length(language: Language, code: u16, digits: u32, min: u32, max: u32) -> String {
    let wrong = match () {
        () if digits < min => words!("Too short", "位数不足"),
        () if digits > max => words!("Too long", "位数过多"),
        () => words!("No number has this length", "没有这种位数的号码"),
    };
    let right = if min == max {
        min.to_string()
    } else {
        say!(language, "{0} to {1}", "{0} 至 {1}", min, max)
    };
    say!(
        language,
        "{0}: {1} digits come after +{2}, here {3}.",
        "{0}：+{2} 之后应为 {1} 位数字，现为 {3} 位。",
        wrong,
        &right,
        code,
        digits
    )
}
