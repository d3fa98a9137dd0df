//! PostgreSQL's system columns, of which CockroachDB has `tableoid` alone.

use kecoa_grammar::{Kind, NodeId};
use kecoa_sql::Statement;

use super::parsed::Query;
use crate::dialect::catalog::Context;
use crate::dialect::plan::{Refusal, Stop};
use crate::dialect::upsert;

const NAMES: [&str; 5] = ["cmax", "cmin", "ctid", "xmax", "xmin"];

/// The error for a column that every table of PostgreSQL's has, unless the statement gives its name to something.
pub(super) fn check(
    query: &Query<'_, '_>,
    node: NodeId,
    context: &Context<'_>,
) -> Result<(), Stop> {
    let (statement, last) = (query.statement, query.tree.last(node));
    let Some(name) = NAMES.into_iter().find(|name| is(statement, last, name)) else {
        return Ok(());
    };
    if (0..statement.len()).any(|at| is(statement, at, name) && is_given(statement, at)) {
        return Ok(());
    }
    let tree = query.tree;
    let alias = |node| tree.is(node, Kind::Alias) && is(statement, tree.last(node), name);
    if tree.ids().any(alias) {
        return Ok(());
    }
    // A view may have a column called so, a table cannot.
    for source in tree.ids().filter(|node| tree.is(*node, Kind::Table)) {
        let Some(table) = tree.child(source, Kind::Name) else { continue };
        let (from, to) = tree.tokens(table);
        if let Some(table) = upsert::table_name(statement, from, to, context)?
            && context.catalog.table(&table)?.iter().any(|column| column.name == name)
        {
            return Ok(());
        }
    }
    let hint = "PostgreSQL has it in every table, CockroachDB in none; SET kecoa_strict = off lets it through";
    let message = format!("column \"{name}\" does not exist");
    Err(Refusal { hint: hint.to_owned(), ..Refusal::new("42703", message) }.into())
}

fn is(statement: &Statement<'_>, at: usize, name: &str) -> bool {
    statement.is_name(at) && statement.name(at).as_deref() == Some(name)
}

/// Whether the name at `at` is one that is given: behind AS, in a list of columns behind a name, behind an expression.
fn is_given(statement: &Statement<'_>, at: usize) -> bool {
    let Some(before) = at.checked_sub(1) else { return false };
    if statement.is(before, "AS") || statement.is_mark(before, ")") {
        return true;
    }
    // `AS t (a, xmin)`, `WITH q (xmin)`
    let listed = statement.is_mark(before, "(") || statement.is_mark(before, ",");
    let open = (0..at).rev().find(|open| {
        statement.is_mark(*open, "(")
            && statement.partner(*open).is_some_and(|closing| closing > at)
    });
    listed
        && open.is_some_and(|open| {
            open > 1
                && statement.is_name(open - 1)
                && statement.is_any(open - 2, &["AS", "WITH", "RECURSIVE"])
        })
}
