//! Crash points: every moment at which a process may die with something durable, or not yet, has a
//! name, and a test can have it die exactly there.
//!
//! Two kinds. A [`Kept`] is what one transaction makes durable: `NAME.before` its commit and
//! `NAME.after` it, both by `Tx::commit_as`. A [`Point`] stands between two transactions, where
//! something happened outside that no row says yet, or inside one that is not committed yet.
//!
//! A program without the feature `faults` holds none of this: each point is an `Ok(())` that the
//! compiler removes. With it, `LAIKA_CRASH_AT=NAME[:NTH]` aborts the process at a point, and
//! `LAIKA_STOP_AT` has it stand still there until SIGCONT. In a test, `begin` gives the thread a
//! simulated process: where that dies, the flow call answers an error, and from then on this
//! thread's store begins and commits no transaction, so that whatever handles the error does what a
//! dead process does: nothing.

#[cfg(all(feature = "faults", not(debug_assertions)))]
compile_error!("the feature `faults` is for tests; a release never has it");

use crate::error::Result;

/// An enum of points and, only where there are any, their names.
macro_rules! points {
    ($(#[$of:meta])* $list:ident { $($(#[$doc:meta])* $point:ident = $name:literal,)* }) => {
        $(#[$of])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $list { $($(#[$doc])* $point,)* }

        #[cfg(any(test, feature = "faults"))]
        impl $list {
            const ALL: &'static [$list] = &[$($list::$point,)*];

            fn name(self) -> &'static str {
                match self { $($list::$point => $name,)* }
            }
        }
    };
}

points! {
    /// What one transaction makes durable.
    Kept {
        /// A group of usage: drawn, booked, decided; recharges opened, jobs and messages written.
        Usage = "usage",
        /// A look at a line that was due: as with usage, without any.
        Look = "look",
        /// That an attempt is about to be sent.
        Submission = "submission",
        /// That an attempt is not sent after all.
        Withdrawal = "withdrawal",
        /// Something seen outside, with all that follows from it.
        Fact = "fact",
        /// What was heard of money that goes back after a recharge's end, with all that follows.
        Returned = "returned",
        /// A difference that the nightly check found, with the refund that it asks for.
        Case = "case",
        /// That this process does what one at a time does, or has done it.
        Lease = "lease",
        /// What the auditor found, and how far it has come.
        Audit = "audit",
        /// A look-up, because the gateway's list or a webhook says otherwise than we do.
        LookUpDue = "look_up_due",
        /// That this worker has some jobs.
        Claim = "claim",
        /// That this server holds no job: its worker begins.
        Release = "release",
        /// That something is this server's to do for all of them.
        Turn = "turn",
        /// A job's end that leaves nothing else to write.
        Finish = "finish",
        /// That a job is tried again later: the other side is not ready.
        Later = "later",
        /// The same, because something went wrong on our side.
        Retry = "retry",
        /// A purchase by hand.
        Purchase = "purchase",
        /// A rule's new text.
        RuleSaved = "rule_saved",
        /// A rule on, off, paused, resumed or told to skip.
        RuleSwitched = "rule_switched",
        /// The kill switch of everything.
        KillSwitch = "kill_switch",
        /// That it holds on some lines.
        KillSwitchLines = "kill_switch_lines",
        /// That of one line.
        KillSwitchLine = "kill_switch_line",
        /// Who the account is at the gateway.
        Customer = "customer",
        /// A visit to the gateway's page.
        Setup = "setup",
        /// A payment method.
        Method = "method",
        /// That one is removed.
        MethodRemoved = "method_removed",
        /// That a webhook was acted on.
        Webhook = "webhook",
        /// That messages were sent.
        Messages = "messages",
        /// What is swept away.
        Sweep = "sweep",
        /// What migrations need.
        Prepared = "prepared",
        /// One migration.
        Migration = "migration",
        /// A copy's kill switch, before it comes into the database's place.
        Restored = "restored",
    }
}

points! {
    /// Between two transactions, or within one.
    Point {
        /// A recharge is opened, in a transaction that goes on.
        RechargeOpened = "recharge.opened",
        /// A fact is taken in, in a transaction that goes on.
        FactTakenIn = "fact.taken_in",
        /// The gateway has answered a charge.
        ChargeAnswered = "charge.answered",
        /// The gateway has said how a payment stands.
        PaymentFound = "payment.found",
        /// The gateway has answered a cancellation.
        CancelAnswered = "cancel.answered",
        /// The carrier has answered a top-up.
        TopUpAnswered = "top_up.answered",
        /// The carrier has said whether it delivered.
        TopUpFound = "top_up.found",
        /// The gateway has answered a refund.
        RefundAnswered = "refund.answered",
        /// The gateway has forgotten a method.
        DetachAnswered = "detach.answered",
        /// The gateway knows the account.
        CustomerAnswered = "customer.answered",
        /// The gateway has begun a visit to its page.
        SetupAnswered = "setup.answered",
        /// The gateway has said what came of one.
        CardAnswered = "card.answered",
        /// A webhook is acted on, and its sender not told.
        WebhookActedOn = "webhook.acted_on",
        /// A message is sent, and no row says so yet.
        MessageSent = "message.sent",
        /// A copy is made and checked, under another name.
        BackupCopied = "backup.copied",
        /// It has its name.
        BackupNamed = "backup.named",
        /// The database has its second name, and still its first.
        RestoreSetAside = "restore.set_aside",
        /// The copy is in its place.
        RestoreInPlace = "restore.in_place",
    }
}

#[cfg(not(any(test, feature = "faults")))]
mod inert {
    //! The program that is shipped: no point does anything.

    use super::{Kept, Point, Result};

    /// Nothing.
    #[inline(always)]
    pub fn at(_: Point) -> Result<()> {
        Ok(())
    }

    /// Nothing.
    #[inline(always)]
    pub fn before(_: Kept) -> Result<()> {
        Ok(())
    }

    /// Nothing.
    #[inline(always)]
    pub fn after(_: Kept) -> Result<()> {
        Ok(())
    }

    /// It is.
    #[inline(always)]
    pub fn alive() -> Result<()> {
        Ok(())
    }
}

#[cfg(not(any(test, feature = "faults")))]
pub use inert::{after, alive, at, before};

#[cfg(any(test, feature = "faults"))]
mod live;

#[cfg(any(test, feature = "faults"))]
pub use live::{Fate, after, alive, arm, at, before, begin, died_at, end, names};
