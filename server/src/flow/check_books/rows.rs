//! The rows of both statements, laid to the recharges whose keys they carry, so that some lines at
//! a time can be compared with the rows about them.

use super::Statements;
use laika_core::reconcile::{Decisions, Payment, Statement, TopUp};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Rows about one recharge, or about none that a key names.
#[derive(Default)]
struct About<'a> {
    payments: Vec<&'a Payment>,
    top_ups: Vec<&'a TopUp>,
}

/// All rows, by the recharge that their keys name.
pub(super) struct Rows<'a> {
    named: BTreeMap<&'a str, About<'a>>,
    unnamed: About<'a>,
}

/// The recharge in an attempt's key.
fn of_attempt(key: &str) -> Option<&str> {
    key.rsplit_once("-a").map(|(recharge, _)| recharge)
}

/// The recharge in a top-up's key.
fn of_top_up(key: &str) -> Option<&str> {
    key.strip_suffix("-t")
}

/// The rows of each id with every recharge that one of them names.
///
/// Why by id: rows of one id that name two recharges contradict each other, and about both.
fn by_id<'a, T>(
    rows: &'a [T],
    id: fn(&T) -> &str,
    owner: impl Fn(&'a T) -> Option<&'a str>,
) -> HashMap<&'a str, (BTreeSet<Option<&'a str>>, Vec<&'a T>)> {
    let mut by_id: HashMap<&str, (BTreeSet<Option<&str>>, Vec<&T>)> = HashMap::new();
    for row in rows {
        let (owners, versions) = by_id.entry(id(row)).or_default();
        owners.insert(owner(row));
        versions.push(row);
    }
    by_id
}

impl<'a> Rows<'a> {
    pub(super) fn new(statements: &'a Statements) -> Rows<'a> {
        let mut rows = Rows { named: BTreeMap::new(), unnamed: About::default() };
        let owner = |row: &'a Payment| row.key.as_ref().and_then(|key| of_attempt(key.as_str()));
        for (owners, versions) in
            by_id(&statements.gateway.rows, |row| &row.id, owner).into_values()
        {
            for owner in owners {
                rows.about(owner).payments.extend(&versions);
            }
        }
        let owner = |row: &'a TopUp| row.key.as_ref().and_then(|key| of_top_up(key.as_str()));
        for (owners, versions) in
            by_id(&statements.carrier.rows, |row| &row.id, owner).into_values()
        {
            for owner in owners {
                rows.about(owner).top_ups.extend(&versions);
            }
        }
        rows
    }

    fn about(&mut self, recharge: Option<&'a str>) -> &mut About<'a> {
        match recharge {
            Some(recharge) => self.named.entry(recharge).or_default(),
            None => &mut self.unnamed,
        }
    }

    /// The recharges that rows name and that nobody has asked for yet.
    pub(super) fn recharges(&self) -> Vec<String> {
        self.named.keys().map(|id| (*id).to_owned()).collect()
    }

    /// Leaves out all rows about these recharges.
    pub(super) fn forget(&mut self, recharges: &[String]) {
        for id in recharges {
            self.named.remove(id.as_str());
        }
    }

    /// The rows about these recharges, which no later call gives again.
    pub(super) fn take(
        &mut self,
        statements: &Statements,
        decisions: &Decisions,
    ) -> (Statement<Payment>, Statement<TopUp>) {
        let ids = decisions.recharges.iter().map(|decided| decided.recharge.id.as_str());
        let taken: Vec<About<'_>> = ids.filter_map(|id| self.named.remove(id)).collect();
        only(statements, taken.iter())
    }

    /// The rows that are left: no recharge that is known explains them.
    pub(super) fn rest(&self, statements: &Statements) -> (Statement<Payment>, Statement<TopUp>) {
        only(statements, self.named.values().chain([&self.unnamed]))
    }
}

/// The statements with these rows only.
fn only<'b, 'a: 'b>(
    statements: &Statements,
    about: impl Iterator<Item = &'b About<'a>> + Clone,
) -> (Statement<Payment>, Statement<TopUp>) {
    let payments = about.clone().flat_map(|about| about.payments.iter().copied().cloned());
    let top_ups = about.flat_map(|about| about.top_ups.iter().copied().cloned());
    let (gateway, carrier) = (&statements.gateway, &statements.carrier);
    (
        Statement { from: gateway.from, until: gateway.until, rows: payments.collect() },
        Statement { from: carrier.from, until: carrier.until, rows: top_ups.collect() },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_its_recharge() {
        assert_eq!(of_attempt("line_1-r12-a3"), Some("line_1-r12"));
        assert_eq!(of_top_up("line_1-r12-t"), Some("line_1-r12"));
        assert_eq!((of_attempt("forgotten"), of_top_up("line_1-r12-a3")), (None, None));
    }
}
