//! What `decide` and `preview` are asked with, read from the store: one place, so that the preview,
//! the evaluation and the check before every submission see the same figures.

#[cfg(test)]
use crate::simulator::defects::{Defect, planted};
use crate::{
    error::{Error, Result},
    store::{
        Conn, accounts, balances, inbox,
        lines::Line,
        looks::{self, Seen},
        payment_methods, recharges, returns,
        rules::{self, Stored},
        settings,
    },
    zones,
};
use laika_core::{
    ENGINE_VERSION,
    balance::Balance,
    decide::{Account, History},
    forecast::PreviewInputs,
    time::Instant,
    zone::Zone,
};
use std::collections::{BTreeSet, HashMap, hash_map::Entry};

/// How long before a scheduled charge it is announced, in hours,
const NOTICE_HOURS: u32 = 24;
/// and where the account's country asks for five working days' worth: mainland China.
const NOTICE_HOURS_CN: u32 = 120;

/// Everything known of a line at one instant.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// Whose line it is.
    pub owner: accounts::Account,
    /// What it has.
    pub balance: Balance,
    /// Its rule, if it has one.
    pub stored: Option<Stored>,
    /// For `decide`.
    pub account: Account,
    /// For `decide`.
    pub history: History,
}

impl Inputs {
    /// The same with another balance, later.
    pub fn stand_at(&mut self, balance: Balance, now: Instant) {
        let Seen { bytes, credit_minor, expiry_at, .. } = Seen::of(&balance, now);
        self.account.available_bytes = bytes;
        self.account.credit_minor = credit_minor;
        self.account.latest_expiry_at = expiry_at;
        self.balance = balance;
    }
}

/// A line to read everything of, as of an instant, with what is known already.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// Which.
    pub line: &'a Line,
    /// What it has.
    pub balance: Balance,
    /// Its rule, if it has one.
    pub stored: Option<Stored>,
    /// As of when.
    pub now: Instant,
}

/// Reads everything, as of `now`. The same database and the same `now` give the same inputs.
pub async fn load(conn: &mut Conn, line: &Line, now: Instant) -> Result<Inputs> {
    let balance = balances::load(conn, line).await?;
    let stored = rules::get(conn, line).await?;
    let inputs = load_all(conn, vec![Asked { line, balance, stored, now }]).await?.pop();
    inputs.ok_or_else(|| Error::internal("a line without inputs"))
}

/// Reads everything of some lines, in their order.
pub async fn load_all(conn: &mut Conn, asked: Vec<Asked<'_>>) -> Result<Vec<Inputs>> {
    let ids: BTreeSet<&str> = asked.iter().map(|it| it.line.account_id.as_str()).collect();
    let owners = accounts::get_all(conn, &ids).await?;
    let stopped = settings::charging_stopped(conn).await?;
    let instants: Vec<_> = asked.iter().map(|it| (it.line, it.now)).collect();
    let lines: Vec<_> = asked.iter().map(|it| it.line).collect();
    let methods = payment_methods::facts_all(conn, &instants).await?;
    let past = recharges::past(conn, &instants).await?;
    let notices = looks::notices(conn, &lines).await?;
    let disputes = returns::disputes_open(conn, &lines).await?;
    let mut zones: HashMap<(String, Instant), Zone> = HashMap::new();
    let mut all = Vec::with_capacity(asked.len());
    for ((((asked, payment_methods), recharges), notices), open_disputes) in
        asked.into_iter().zip(methods).zip(past).zip(notices).zip(disputes)
    {
        let Asked { line, balance, stored, now } = asked;
        let owner = owners.get(line.account_id.as_str()).cloned();
        let owner = owner.ok_or_else(|| Error::internal("a line without an account"))?;
        let zone = match zones.entry((owner.time_zone.clone(), now)) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(new) => new.insert(zone(&owner, now)?).clone(),
        };
        let seen = Seen::of(&balance, now);
        let account = Account {
            line_id: line.id.clone(),
            zone,
            kept_periods: owner.kept_periods,
            stopped_by_operator: line.stopped || stopped,
            line_closed: line.closed,
            available_bytes: seen.bytes,
            credit_minor: seen.credit_minor,
            latest_expiry_at: seen.expiry_at,
            terms: line.terms(),
            payment_methods,
            notice_lead_hours: notice_hours(&owner),
        };
        let mut history = History { recharges, open_disputes, ..History::default() };
        #[cfg(test)]
        forget(&mut history, stored.as_ref());
        if let Some(stored) = &stored {
            history.consumed_through = stored.consumed_through;
            history.consumed_expiry_at = stored.consumed_expiry_at;
            history.suspended = stored.suspended;
            history.notices = notices;
        }
        all.push(Inputs { owner, balance, stored, account, history });
    }
    Ok(all)
}

/// What the planted defects do not see.
#[cfg(test)]
fn forget(history: &mut History, stored: Option<&Stored>) {
    use laika_core::decide::Standing;
    if planted(Defect::PendingNotCounted) {
        history.recharges.retain(|it| !matches!(it.standing, Standing::Open | Standing::Unknown));
    }
    if planted(Defect::CapOfTheVersion)
        && let Some(stored) = stored
    {
        let open = |standing| matches!(standing, Standing::Open | Standing::Unknown);
        let since = stored.rule.armed_at;
        history.recharges.retain(|it| it.opened_at >= since || open(it.standing));
    }
}

/// What a preview is computed from, as of an instant that the line has not moved since.
pub async fn preview(conn: &mut Conn, line: &Line, as_of: Instant) -> Result<PreviewInputs> {
    let inputs = load(conn, line, as_of).await?;
    let version = inputs.stored.as_ref().map_or(0, |stored| stored.rule.version);
    Ok(PreviewInputs {
        as_of,
        state_version: line.version,
        engine_version: ENGINE_VERSION.to_string(),
        next_version: version.saturating_add(1),
        account: inputs.account,
        history: inputs.history,
        balance: inputs.balance,
        past_use: inbox::past_use(conn, line, as_of).await?,
    })
}

/// The zone in which the account counts days and months.
pub fn zone(owner: &accounts::Account, now: Instant) -> Result<Zone> {
    #[cfg(test)]
    if planted(Defect::MonthOfUtc) {
        return Ok(Zone::utc());
    }
    zones::zone(&owner.time_zone, now)
        .ok_or_else(|| Error::internal(format!("the database holds zone {}", owner.time_zone)))
}

/// *Source*: rules.md, "Notices before a charge". The country is the phone number's.
fn notice_hours(owner: &accounts::Account) -> u32 {
    if owner.phone.starts_with("+86") { NOTICE_HOURS_CN } else { NOTICE_HOURS }
}
