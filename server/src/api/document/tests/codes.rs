//! Every problem code that the sources name: the text at its place in each call that makes a
//! problem, and in each problem that is written out.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};
use syn::{Expr, ExprCall, ExprPath, FieldValue, Lit, Member};

/// The codes of a file: in calls, in fields called `code`, and calls that do not write it out.
#[derive(Default)]
pub(super) struct Codes {
    pub(super) named: BTreeSet<String>,
    pub(super) fields: BTreeSet<String>,
    pub(super) elsewhere: Vec<String>,
}

impl Codes {
    pub(super) fn of(text: &str) -> Codes {
        let mut codes = Codes::default();
        codes.visit_file(&syn::parse_file(text).expect("a source"));
        codes
    }
}

fn text(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Lit(it) => match &it.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

impl<'a> Visit<'a> for Codes {
    fn visit_expr_call(&mut self, call: &'a ExprCall) {
        if let Expr::Path(ExprPath { path, .. }) = &*call.func {
            let mut names = path.segments.iter().rev().map(|it| it.ident.to_string());
            let (name, of) = (names.next().unwrap_or_default(), names.next());
            let place = match (name.as_str(), of.as_deref()) {
                ("problem", Some("Error")) => Some(1),
                ("conflict" | "forbidden" | "bad_request", Some("Error")) => Some(0),
                _ => None,
            };
            if let Some(place) = place {
                match call.args.get(place).and_then(text) {
                    Some(code) => drop(self.named.insert(code)),
                    None => self.elsewhere.push(name),
                }
            }
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_field_value(&mut self, field: &'a FieldValue) {
        let is_code = matches!(&field.member, Member::Named(name) if name == "code");
        if let Some(code) = text(&field.expr).filter(|_| is_code) {
            self.fields.insert(code);
        }
        visit::visit_field_value(self, field);
    }

    fn visit_item_mod(&mut self, module: &'a syn::ItemMod) {
        // What tests name is not answered by anybody.
        let of_tests = |it: &syn::Attribute| it.path().is_ident("cfg");
        if !module.attrs.iter().any(of_tests) {
            visit::visit_item_mod(self, module);
        }
    }
}
