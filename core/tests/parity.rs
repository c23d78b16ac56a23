//! One hash over what thousands of worlds come to: decisions, previews, sentences, every byte. The
//! native and the WASM build must both come to it, so they cannot differ in any of them.

use crate::cases::{money, now, world, zone};
use laika_core::api::Language;
use laika_core::balance::{Balance, Bucket};
use laika_core::bytes::Bytes;
use laika_core::decide::{Cause, PastRecharge, Standing};
use laika_core::forecast::{PastUse, PreviewInputs, preview};
use laika_core::id::{BucketId, RechargeId};
use laika_core::json::read_canonical;
use laika_core::record::{DecisionRecord, canonical, sha256_hex};
use laika_core::rule::{Adds, Amount, Threshold};
use laika_core::say::Speech;
use laika_core::schedule::{Schedule, TimeOfDay, Unit, Weekday};
use laika_core::time::Span;

/// The hash of all of it. It changes with `ENGINE_VERSION` and never otherwise.
const ALL: &str = "6e74a62576aa224397d07fd53eb47d0c211fbc23e73e6f7ec622550bae92a82d";
const WORLDS: u32 = 500;

/// A small generator of its own: the worlds must be the same everywhere and for ever.
/// *Source*: Steele and Vigna, SplitMix64.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }

    fn gb_tenths(&mut self, tenths: u64) -> Bytes {
        Bytes::new(self.roll(tenths) * 100_000_000).expect("few bytes")
    }
}

fn schedule(dice: &mut Dice) -> Schedule {
    let unit = match dice.roll(3) {
        0 => Unit::Day,
        1 => Unit::Week { weekdays: vec![Weekday::ALL[dice.roll(7) as usize]] },
        _ => Unit::Month { day: dice.roll(31) as u32 + 1 },
    };
    Schedule {
        every: dice.roll(3) as u32 + 1,
        unit,
        at: TimeOfDay::parse("09:30").expect("a time"),
        start: zone("Europe/Madrid").date(now()),
    }
}

pub(crate) fn world_of(dice: &mut Dice) -> (DecisionRecord, PreviewInputs) {
    let (mut rule, mut account, mut history) = world();
    let target = Bytes::GB.checked_mul(dice.roll(9) + 2).expect("few bytes");
    rule.amount = match dice.roll(3) {
        0 => Amount::FixedData { bytes: target },
        1 => Amount::FixedCredit(money("20.00")),
        _ => Amount::Target { bytes: target },
    };
    let low = Threshold::Data { bytes: dice.gb_tenths(20) };
    rule.triggers.low_balance = (dice.roll(3) > 0).then_some(low);
    rule.triggers.scheduled = (dice.roll(3) == 0).then(|| schedule(dice));
    rule.triggers.expiring_days = (dice.roll(4) == 0).then_some(3);
    rule.limits.cap_per_month = (dice.roll(4) > 0).then(|| money("60.00"));
    account.available_bytes = dice.gb_tenths(40);
    for number in 0..dice.roll(4) as u32 {
        let opened_at = now().minus(Span::minutes(dice.roll(30_000) as i64));
        let standing = [Standing::Spent, Standing::Spent, Standing::Released, Standing::Open];
        history.recharges.push(PastRecharge {
            id: RechargeId::derive(&account.line_id, number),
            automatic: dice.roll(5) > 0,
            standing: standing[dice.roll(4) as usize],
            opened_at,
            reserved_at: opened_at,
            amount: money("9.00"),
            adds: Adds::Data { bytes: Bytes::GB, steps: 1, validity_days: 30 },
        });
    }
    let mut balance = Balance::default();
    balance.grant(Bucket {
        id: BucketId::first_of(&account.line_id),
        bytes_total: account.available_bytes,
        bytes_left: account.available_bytes,
        expires_at: Some(now().plus(Span::days(dice.roll(60) as i64))),
        granted_at: now(),
        grant_version: 0,
        recharge: None,
    });
    let record = DecisionRecord::make(&rule, &account, &history, &Cause::Usage, now());
    let inputs = PreviewInputs {
        as_of: now(),
        state_version: 1,
        engine_version: record.engine_version.clone(),
        next_version: 2,
        account,
        history,
        balance,
        past_use: past_use(dice),
    };
    (record, inputs)
}

/// Some days of use, now and then an hour of it.
fn past_use(dice: &mut Dice) -> PastUse {
    let hours = dice.roll(40) * 24;
    let hour = |dice: &mut Dice| match dice.roll(9) {
        0 => dice.gb_tenths(6),
        _ => Bytes::ZERO,
    };
    PastUse { hours: (0..hours).map(|_| hour(dice)).collect() }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn every_world_comes_to_the_same_bytes_everywhere() {
    let mut dice = Dice(2026);
    let mut hashes = Vec::new();
    for _ in 0..WORLDS {
        let (record, inputs) = world_of(&mut dice);
        let preview = preview(&record.rule, &inputs);
        let mut sentences = Vec::new();
        for language in [Language::En, Language::ZhCn] {
            let speech = Speech { language, zone: &inputs.account.zone, now: now() };
            sentences.push(speech.consent(
                &preview.rule,
                &inputs.account.payment_methods,
                &preview.bound,
            ));
            sentences.push(speech.decision(&record.decision));
            sentences.push(speech.decision(&preview.at_once));
            let methods = &record.account.payment_methods;
            sentences.extend(record.explain().iter().map(|f| speech.finding(f, methods)));
        }
        hashes.push(sha256_hex(&(&record, &preview, &sentences)));
    }
    assert_eq!(sha256_hex(&hashes), ALL);
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_record_read_back_decides_the_same() {
    let mut dice = Dice(7);
    for _ in 0..WORLDS {
        let (record, inputs) = world_of(&mut dice);
        let text = String::from_utf8(canonical(&record)).expect("UTF-8");
        let read: DecisionRecord = serde_json::from_str(&text).expect("a record");
        assert_eq!(read_canonical(&text).as_ref(), Some(&read), "{text}");
        assert_eq!(canonical(&read), canonical(&record));
        let text = String::from_utf8(canonical(&inputs)).expect("UTF-8");
        assert_eq!(serde_json::to_string(&inputs).ok().as_ref(), Some(&text));
        assert_eq!(read_canonical(&text), Some(inputs), "{text}");
        assert_eq!(read.rerun(), Some(record.decision));
    }
}
