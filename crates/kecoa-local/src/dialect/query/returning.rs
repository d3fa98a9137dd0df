//! `old` and `new` in RETURNING, which only PostgreSQL has.

use kecoa_grammar::{Kind, NodeId};

use super::parsed::Query;
use crate::dialect::plan::Refusal;

/// Refuses `old.a` and `new.a` where no table is called so.
pub(super) fn check(query: &Query<'_, '_>, node: NodeId) -> Result<(), Refusal> {
    let (tree, statement) = (query.tree, query.statement);
    let (from, to) = tree.tokens(node);
    let row = |at: usize| {
        let name = statement.name(at).filter(|_| statement.is_mark(at + 1, "."))?;
        matches!(name.as_str(), "old" | "new").then_some(name)
    };
    let found = (from..to).find_map(|at| row(at).filter(|_| !statement.is_mark(at - 1, ".")));
    let Some(name) = found else { return Ok(()) };
    let is_table =
        tree.ids().filter(|id| tree.is(*id, Kind::Alias) || tree.is(*id, Kind::Name)).any(|id| {
            let (first, end) = tree.tokens(id);
            (first..end).any(|at| statement.name(at).as_ref() == Some(&name))
        });
    if is_table {
        return Ok(());
    }
    let hint = "CockroachDB returns a row as it is afterwards; SET kecoa_strict = off lets PostgreSQL return both";
    let message = format!("no data source matches prefix: {name} in this context");
    Err(Refusal { hint: hint.to_owned(), ..Refusal::new("42P01", message) })
}
