//! Known defects of others, to be planted one at a time. Each stands at its real place in the flow,
//! behind `#[cfg(test)]` and [`planted`]: this module is not there in any other build, so neither
//! is a defect.

use std::cell::Cell;

/// A defect that was somebody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    /// A declined card is tried for ever: nothing is remembered of its declines.
    DeclinedForEver,
    /// What is on its way does not count, for the next decision.
    PendingNotCounted,
    /// The idempotency key is the job's, not the attempt's.
    KeyOfTheJob,
    /// A decline lets go of the job, which does the same again.
    ClaimReleasedOnFailure,
    /// A usage event's name is taken in a transaction before the one that counts it.
    ClaimedBeforeTheWrite,
    /// A webhook for what is settled settles it again.
    SettledTwice,
    /// "Not found" is believed at once, and the next attempt made.
    NotFoundBelieved,
    /// A rule's new version begins with an empty cap and no cool-down.
    CapOfTheVersion,
    /// "Off" leaves open what is open, and nothing looks at the rule again before it is sent.
    DisableRacesEnable,
    /// News of an attempt that failed makes a paid recharge failed.
    LateFailure,
    /// No answer is taken for a decline.
    NoAnswerIsADecline,
    /// What goes back is booked twice.
    RefundBookedTwice,
    /// After twenty hours an attempt is sent again, under another key.
    ResentTooLate,
    /// What a webhook says is believed.
    WebhookBelieved,
    /// The same card added again is another one.
    SameCardIsAnother,
    /// What is not answered is forgotten.
    UnansweredForgotten,
    /// The kill switch holds for new recharges, not for those that are open.
    KillSwitchTooLate,
    /// Limits are counted in UTC.
    MonthOfUtc,
    /// Without its webhook nothing is ever looked up.
    OnlyWebhooks,
    /// Nobody is told of a decline.
    SilentDecline,
    /// A currency without minor units is multiplied by a hundred.
    TimesAHundred,
    /// A second announcement of low data is taken for the first one, and not told.
    AnnouncedOnce,
}

/// All of them: whose each was, and a seed that found it.
pub(super) const ALL: [(Defect, &str, u64); 22] = [
    (Defect::DeclinedForEver, "Lago 6176, Akash 3760", 15),
    (Defect::PendingNotCounted, "Lago 1962", 3),
    (Defect::KeyOfTheJob, "Akash 3660, Akash 3449", 3),
    (Defect::ClaimReleasedOnFailure, "Akash 3756", 3),
    (Defect::ClaimedBeforeTheWrite, "OpenMeter 5118, LibreChat 13812", 1),
    (Defect::SettledTwice, "Lago 3618, Lago 2243", 2),
    (Defect::NotFoundBelieved, "Kill Bill 1015", 425),
    (Defect::CapOfTheVersion, "LIT 447", 10),
    (Defect::DisableRacesEnable, "Akash 3560, Autumn 3339", 7),
    (Defect::LateFailure, "a late \"failed\"", 7),
    (Defect::NoAnswerIsADecline, "ever-works 2251", 12),
    (Defect::RefundBookedTwice, "Hyperswitch 13182", 3),
    (Defect::WebhookBelieved, "forged webhooks", 23),
    (Defect::UnansweredForgotten, "medusa 16292", 3),
    (Defect::KillSwitchTooLate, "a switch beside the claim", 12),
    (Defect::OnlyWebhooks, "recoup 1858", 2),
    (Defect::SilentDecline, "Akash 3769", 7),
    (Defect::TimesAHundred, "zero-decimal currency x100", 16),
    (Defect::ResentTooLate, "keys forgotten after 24 h", 32),
    (Defect::SameCardIsAnother, "Autumn 870cad5", 23),
    (Defect::MonthOfUtc, "UTC month for a local rule", 7),
    (Defect::AnnouncedOnce, "ours, found by a seed", 1303),
];

thread_local! {
    static PLANTED: Cell<Option<Defect>> = const { Cell::new(None) };
}

/// From now on this thread has this defect; or none.
pub(super) fn plant(defect: Option<Defect>) {
    PLANTED.with(|planted| planted.set(defect));
}

/// Whether this thread has it.
pub(crate) fn planted(defect: Defect) -> bool {
    PLANTED.with(|planted| planted.get() == Some(defect))
}
