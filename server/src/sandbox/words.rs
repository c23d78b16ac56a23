//! The words of the hosted pages, complete in each language: a missing one does not compile.
//!
//! Place in the flow: `pages` only. These are the provider's words, not the app's: the app never
//! shows a card form.

use super::cards::{Decline, FieldError};
use laika_core::{api::Language, rail::Wallet};

/// Everything the pages say.
pub(super) struct Words {
    pub(super) sandbox: &'static str,
    pub(super) add_card: &'static str,
    pub(super) add_card_lead: &'static str,
    pub(super) number: &'static str,
    pub(super) expiry: &'static str,
    pub(super) expiry_hint: &'static str,
    pub(super) cvc: &'static str,
    pub(super) cvc_hint: &'static str,
    pub(super) save: &'static str,
    pub(super) back: &'static str,
    pub(super) wrong: &'static str,
    pub(super) test_cards: &'static str,
    pub(super) test_cards_lead: &'static str,
    pub(super) bank: &'static str,
    pub(super) bank_card: &'static str,
    pub(super) bank_payment: &'static str,
    pub(super) pay_once: &'static str,
    pub(super) approve: &'static str,
    pub(super) refuse: &'static str,
    pub(super) closed: &'static str,
    pub(super) closed_lead: &'static str,
    pub(super) other_language: &'static str,
    pub(super) other_ways: &'static str,
    pub(super) alipay: &'static str,
    pub(super) wechat: &'static str,
    pub(super) agreement_lead: &'static str,
    pub(super) agreement_limits: &'static str,
    pub(super) wechat_notice: &'static str,
    pub(super) agree: &'static str,
}

impl Words {
    /// What a wallet is called here.
    pub(super) fn wallet(&self, kind: Wallet) -> &'static str {
        match kind {
            Wallet::Alipay => self.alipay,
            Wallet::WechatPay => self.wechat,
        }
    }
}

/// The words of a language.
pub(super) fn words(language: Language) -> &'static Words {
    match language {
        Language::En => &EN,
        Language::ZhCn => &ZH_CN,
    }
}

static EN: Words = Words {
    sandbox: "Sandbox payment provider — no real money",
    add_card: "Add a card",
    add_card_lead: "Nothing is charged now. The card number stays on this page: the app gets only \
                    the brand, the last four digits and the date.",
    number: "Card number",
    expiry: "Valid until",
    expiry_hint: "Month and year, for example 12 / 34",
    cvc: "Security code",
    cvc_hint: "Three digits, four on American Express",
    save: "Save card",
    back: "Back without saving",
    wrong: "The card was not saved",
    test_cards: "Test cards",
    test_cards_lead: "Tap one to fill in the form. Real cards are refused here.",
    bank: "Your bank asks: is this you?",
    bank_card: "The shop wants to keep the card ending in {last4} for later charges.",
    bank_payment: "The shop wants to charge {amount} to the card ending in {last4}.",
    pay_once: "The shop asks you to pay {amount}. Nothing is taken unless you confirm.",
    approve: "Yes, confirm",
    refuse: "No, refuse",
    closed: "This page is closed",
    closed_lead: "It was used already, or it is too old. Go back to the app and start again.",
    other_language: "中文",
    other_ways: "Other ways of paying",
    alipay: "Alipay (sandbox)",
    wechat: "WeChat Pay (sandbox)",
    agreement_lead: "The shop may debit you while you are away, within these limits. Nothing is \
                     charged now.",
    agreement_limits: "At most {most} in one debit, {total} and {count} debits in all, and at least \
                       {days} days from one debit to the next.",
    wechat_notice: "Each debit is announced first. It is made from the third to the ninth day, \
                    between 7:00 and 22:00 Beijing time.",
    agree: "Agree",
};

static ZH_CN: Words = Words {
    sandbox: "沙盒支付机构：不涉及真实资金",
    add_card: "添加银行卡",
    add_card_lead: "现在不扣款。卡号只留在本页：应用只会得到卡组织、末四位和有效期。",
    number: "卡号",
    expiry: "有效期",
    expiry_hint: "月和年，例如 12 / 34",
    cvc: "安全码",
    cvc_hint: "三位数字，美国运通为四位",
    save: "保存银行卡",
    back: "不保存，返回",
    wrong: "银行卡未保存",
    test_cards: "测试卡",
    test_cards_lead: "点一张即可填入。这里不接受真实银行卡。",
    bank: "银行确认：是本人操作吗？",
    bank_card: "商户请求保存尾号 {last4} 的银行卡，用于以后扣款。",
    bank_payment: "商户请求从尾号 {last4} 的银行卡扣款 {amount}。",
    pay_once: "商户请您支付 {amount}。未经您确认不会扣款。",
    approve: "是，确认",
    refuse: "不是，拒绝",
    closed: "本页已关闭",
    closed_lead: "本页已经用过，或时间过久。请回到应用重新开始。",
    other_language: "English",
    other_ways: "其他支付方式",
    alipay: "支付宝（沙盒）",
    wechat: "微信支付（沙盒）",
    agreement_lead: "同意后，商户可在下列限额内自动扣款。现在不扣款。",
    agreement_limits: "每次最多 {most}，累计最多 {total}、最多 {count} 次，两次扣款至少间隔 {days} 天。",
    wechat_notice: "每次扣款前先通知您，并在第三天至第九天的北京时间 7:00 至 22:00 之间扣款。",
    agree: "同意签约",
};

/// What is wrong with a field.
pub(super) fn field_error(error: FieldError, language: Language) -> &'static str {
    let (en, zh) = match error {
        FieldError::NumberMissing => ("Enter the card number.", "请输入卡号。"),
        FieldError::NumberWrong => {
            ("This card number is incomplete or mistyped.", "卡号不完整或有误。")
        }
        FieldError::ExpiryWrong => {
            ("Enter month and year, for example 12 / 34.", "请输入月和年，例如 12 / 34。")
        }
        FieldError::ExpiryPast => ("This date is in the past.", "该日期已过。"),
        FieldError::CvcWrong => {
            ("Enter the three or four digits of the security code.", "请输入三位或四位安全码。")
        }
    };
    choose(language, en, zh)
}

/// Why the bank refused.
pub(super) fn decline(decline: Decline, language: Language) -> &'static str {
    let (en, zh) = match decline {
        Decline::GenericDecline => {
            ("The bank declined this card. Try another one.", "银行拒绝了这张卡，请换一张。")
        }
        Decline::InsufficientFunds => {
            ("There is not enough money on this card.", "这张卡余额不足。")
        }
        Decline::ExpiredCard => ("The bank says this card has expired.", "银行表示这张卡已过期。"),
        Decline::IncorrectCvc => {
            ("The bank says the security code is wrong.", "银行表示安全码不正确。")
        }
        Decline::ProcessingError => {
            ("The banks could not be reached. Try again.", "暂时无法连接银行，请重试。")
        }
        Decline::LostCard => ("This card was reported lost.", "这张卡已挂失。"),
        Decline::StolenCard => ("This card was reported stolen.", "这张卡已报失窃。"),
        Decline::TestModeLiveCard => {
            ("Only the published test cards work here.", "这里只能使用公布的测试卡。")
        }
        Decline::AuthenticationFailed => (
            "Refused at the bank's page. Try again or use another card.",
            "已在银行页面拒绝。可重试或换卡。",
        ),
    };
    choose(language, en, zh)
}

/// What a test card does, by its name in `TEST_CARDS`.
pub(super) fn test_card(name: &str, language: Language) -> &'static str {
    let (en, zh) = match name {
        "works" => ("Works", "可用"),
        "debit" => ("Works, debit card", "可用，借记卡"),
        "mastercard" => ("Works, Mastercard", "可用，万事达"),
        "unionpay" => ("Works, UnionPay", "可用，银联"),
        "sca_once" => ("Bank asks now, later charges work", "现在需验证，以后扣款可用"),
        "sca_always" => ("Bank asks at every charge", "每次扣款都需验证"),
        "sca_no_funds" => ("Bank asks now, later no money on it", "现在需验证，以后余额不足"),
        "later_declined" => ("Saves, later charges are declined", "可保存，以后扣款被拒"),
        "declined" => ("Declined now", "现在被拒"),
        "no_funds" => ("Declined now, not enough money", "现在被拒，余额不足"),
        "expired" => ("Declined now, expired", "现在被拒，已过期"),
        "wrong_cvc" => ("Declined now, wrong security code", "现在被拒，安全码错误"),
        "processing" => ("Declined now, processing error", "现在被拒，处理出错"),
        "lost" => ("Declined now, reported lost", "现在被拒，已挂失"),
        "stolen" => ("Declined now, reported stolen", "现在被拒，已报失窃"),
        _ => ("Works", "可用"),
    };
    choose(language, en, zh)
}

fn choose(language: Language, en: &'static str, zh: &'static str) -> &'static str {
    match language {
        Language::En => en,
        Language::ZhCn => zh,
    }
}
