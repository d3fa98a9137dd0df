//! Hints of indexes: they change no result, but an index that is not there is an error.

use kecoa_grammar::{Kind, NodeId};

use super::parsed::Query;
use crate::dialect::catalog::Context;
use crate::dialect::plan::{Refusal, Stop};
use crate::dialect::upsert;

/// Refuses `t@i` and `t@{FORCE_INDEX=i}` where the table `t` has no index `i`.
pub(super) fn check(
    query: &Query<'_, '_>,
    node: NodeId,
    context: &Context<'_>,
) -> Result<(), Stop> {
    let (tree, statement) = (query.tree, query.statement);
    let Some(index) = index(query, node) else { return Ok(()) };
    let Some(name) = tree.parent(node).and_then(|table| tree.child(table, Kind::Name)) else {
        return Ok(());
    };
    let (from, to) = tree.tokens(name);
    let Some(table) = upsert::table_name(statement, from, to, context)? else { return Ok(()) };
    let of_query = tree.ids().any(|cte| {
        tree.is(cte, Kind::Cte) && statement.name(tree.first(cte)) == Some(table.name.clone())
    });
    if of_query {
        return Ok(());
    }
    // Nor is a table looked into that is not there.
    if context.catalog.index(&table, Some(&index))?.is_empty()
        && !context.catalog.table(&table)?.is_empty()
    {
        return Err(Refusal::new("42704", format!("index \"{index}\" not found")).into());
    }
    Ok(())
}

/// The index that a hint names.
fn index(query: &Query<'_, '_>, node: NodeId) -> Option<String> {
    let statement = query.statement;
    let (from, to) = query.tree.tokens(node);
    let name = if statement.is_mark(from + 1, "{") {
        let word = (from..to).find(|at| statement.is(*at, "FORCE_INDEX"))?;
        // With or without blanks around the sign.
        word + 2
    } else {
        from + 1
    };
    statement.name(name).filter(|_| name < to)
}
