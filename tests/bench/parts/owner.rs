//! To whom a function belongs, by its name.

use std::fmt;

/// To whom code or data belongs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    /// A module of the rules.
    Core(String),
    /// A crate that is there for the rules.
    Brought(&'static str),
    /// Everything else.
    Rest,
}

const CORE: &str = "laika_core";

/// Crates that would not be there without the rules, with what those bring.
const BROUGHT: [(&str, &str); 7] = [
    ("chrono", "chrono"),
    ("num_traits", "chrono"),
    ("rust_decimal", "rust_decimal"),
    ("sha2", "sha2"),
    ("digest", "sha2"),
    ("block_buffer", "sha2"),
    ("generic_array", "sha2"),
];

/// Crates of general use: what they make of a type of the rules belongs to the rules, and what is
/// written into a function of somebody's belongs to that one.
const GENERAL: [&str; 9] =
    ["core", "alloc", "std", "serde", "serde_core", "serde_json", "hashbrown", "itoa", "memchr"];

impl Owner {
    /// By a mangled name, generic arguments and all; nothing where it serves whoever calls it.
    pub(crate) fn of(mangled: &str) -> Option<Owner> {
        Owner::by_name(&format!("{:#}", rustc_demangle::demangle(mangled)))
    }

    fn by_name(name: &str) -> Option<Owner> {
        let crates = crates(name);
        let module = |at: usize| {
            let path = name[at + CORE.len()..].trim_start_matches("::");
            let module = path.split(|c: char| !is_word(c)).next().filter(|it| !it.is_empty());
            Owner::Core(module.unwrap_or("lib").to_owned())
        };
        let (own, at) = *crates.first()?;
        if own == CORE {
            return Some(module(at));
        }
        if let Some((_, brought)) = BROUGHT.iter().find(|(it, _)| *it == own) {
            return Some(Owner::Brought(brought));
        }
        let other = |name: &str| {
            !GENERAL.contains(&name) && name != CORE && BROUGHT.iter().all(|(it, _)| *it != name)
        };
        if crates.iter().any(|(name, _)| other(name)) {
            return Some(Owner::Rest);
        }
        crates.iter().find(|(name, _)| *name == CORE).map(|(_, at)| module(*at))
    }

    /// Whether it is a module of the rules.
    pub(crate) fn is_core(&self) -> bool {
        matches!(self, Owner::Core(_))
    }

    /// Whether it is a crate that is there for the rules.
    pub(crate) fn is_brought(&self) -> bool {
        matches!(self, Owner::Brought(_))
    }

    /// Whether it would not be there without the rules.
    pub(crate) fn is_of_core(&self) -> bool {
        self.is_core() || self.is_brought()
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Owner::Core(module) => f.pad(module),
            Owner::Brought(name) => f.pad(&format!("crate {name}")),
            Owner::Rest => f.pad("the rest"),
        }
    }
}

/// The crates that a demangled name names, in order, each with its place: the first words of paths.
fn crates(name: &str) -> Vec<(&str, usize)> {
    let mut found = vec![];
    let mut at = 0;
    while let Some(start) = name[at..].find(is_word).map(|it| it + at) {
        let end = name[start..].find(|c: char| !is_word(c)).map_or(name.len(), |it| it + start);
        let begins_a_path = !name[..start].ends_with("::") && name[end..].starts_with("::");
        if begins_a_path {
            found.push((&name[start..end], start));
        }
        at = end;
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_owner() {
        let core = |module: &str| Some(Owner::Core(module.to_owned()));
        for (name, owner) in [
            ("laika_core::decide::due::find", core("decide")),
            ("<laika_core::money::Money>::parse", core("money")),
            ("<laika_core::rule::Rule as serde_core::ser::Serialize>::serialize", core("rule")),
            ("<alloc::vec::Vec<laika_core::api::Line> as core::clone::Clone>::clone", core("api")),
            ("core::ptr::drop_in_place::<laika_core::draft::RuleDraft>", core("draft")),
            ("chrono::naive::date::NaiveDate::from_ymd_opt", Some(Owner::Brought("chrono"))),
            ("sha2::sha256::compress256", Some(Owner::Brought("sha2"))),
            ("laika_app::page::rule::view::<laika_core::rule::Rule>", Some(Owner::Rest)),
            ("<leptos::Signal<laika_core::api::LineView>>::get", Some(Owner::Rest)),
            ("core::fmt::write", None),
            ("memcpy", None),
        ] {
            assert_eq!(Owner::by_name(name), owner, "{name}");
        }
    }
}
