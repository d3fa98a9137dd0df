//! Conditions that PostgreSQL has in other words: lists behind ANY, empty lists behind IN, IS NAN.

use kecoa_grammar::{Kind, NodeId};
use kecoa_sql::Statement;

use super::parsed::Query;
use crate::dialect::edit::Edits;
use crate::dialect::plan::Refusal;
use crate::dialect::types;

/// `= ANY (1, 2)` and `= ANY ARRAY[1]`: an array in brackets.
pub(super) fn quantified(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) {
    let Some(operand) = query.tree.children(node).nth(1) else { return };
    match query.tree.kind(operand) {
        Some(Kind::Paren | Kind::Subquery) => {}
        Some(Kind::Tuple) => {
            let (first, end) = query.tree.tokens(operand);
            if query.tree.children(operand).next().is_none() {
                // `ANY ()`: nothing is known of its type.
                edits.replace(query.start(operand), query.end(operand), "('{}')");
                return;
            }
            edits.insert(query.statement.end(first), "ARRAY[");
            let last = end.saturating_sub(1);
            let comma = last.checked_sub(1).filter(|i| query.statement.is_mark(*i, ","));
            let from = query.statement.start(comma.unwrap_or(last));
            edits.replace(from, query.statement.end(last), "])");
        }
        _ => query.wrap(operand, edits),
    }
}

/// `a IN ()` is false, and so it is for NULL.
pub(super) fn empty_list(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) {
    let empty = query.tree.child(node, Kind::InList).is_some_and(|list| {
        let (first, end) = query.tree.tokens(list);
        end == first + 2
    });
    let Some(head) = query.tree.head(node).filter(|_| empty) else { return };
    let found =
        if query.statement.is(head, "NOT") { "IS NULL OR true)" } else { "IS NULL AND false)" };
    edits.insert(query.start(node), "(");
    edits.replace(query.statement.start(head), query.end(node), found);
}

/// `a IN (1,)`: a list of one value.
pub(super) fn list_of_one(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) {
    let (tree, statement) = (query.tree, query.statement);
    let Some(list) = tree.child(node, Kind::InList) else { return };
    let mut values = tree.children(list);
    let (Some(value), None) = (values.next(), values.next()) else { return };
    let comma = tree.tokens(value).1;
    if statement.is_mark(comma, ",") {
        edits.replace(statement.start(comma), statement.end(comma), "");
    }
}

/// `a IS NAN` compares, as it does in CockroachDB: NULL gives NULL.
pub(super) fn is_nan(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) {
    let last = query.tree.last(node);
    let Some(head) = query.tree.head(node).filter(|_| query.statement.is(last, "NAN")) else {
        return;
    };
    let operator = if query.statement.is(last.saturating_sub(1), "NOT") { "<>" } else { "=" };
    edits.insert(query.start(node), "((");
    let text = format!(") {operator} 'NaN')");
    edits.replace(query.statement.start(head), query.end(node), text);
}

/// `a IS OF (INT, STRING)`: whether the value's type is one of these, or of one family with one of them.
pub(super) fn is_of(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) -> Result<(), Refusal> {
    let (tree, statement) = (query.tree, query.statement);
    let Some(head) = tree.head(node) else { return Ok(()) };
    let not = statement.is(head + 1, "NOT");
    if !statement.is(head + 1 + usize::from(not), "OF") {
        return Ok(());
    }
    edits.insert(query.start(node), "(crdb_internal.is_of(pg_catalog.pg_typeof(");
    let mut before = statement.start(head);
    let mut between = "), ARRAY[pg_catalog.pg_typeof(NULL::";
    for kind in tree.children(node).skip(1) {
        edits.replace(before, query.start(kind), between);
        types::rewrite(statement, tree.first(kind), false, edits)?;
        before = query.end(kind);
        between = "), pg_catalog.pg_typeof(NULL::";
    }
    let found = if not { "FALSE" } else { "TRUE" };
    edits.replace(before, query.end(node), format!(")]) IS {found})"));
    Ok(())
}

/// `() = ()`: rows of nothing are equal. PostgreSQL compares none.
pub(super) fn rows_of_nothing(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) {
    if let Some(equal) = compares_nothing(query, node) {
        edits.replace(query.start(node), query.end(node), format!("({equal} IS TRUE)"));
    }
}

/// What comparing two rows of nothing gives; `None` if `node` does not.
pub(super) fn compares_nothing(query: &Query<'_, '_>, node: NodeId) -> Option<bool> {
    let (tree, statement) = (query.tree, query.statement);
    let equal = match tree.head(node).map(|head| statement.text(head)) {
        Some(b"=" | b"<=" | b">=") => true,
        Some(b"<>" | b"!=" | b"<" | b">") => false,
        _ => return None,
    };
    let nothing = |side: NodeId| {
        let row = query.bare(side);
        tree.is(row, Kind::Tuple) && tree.children(row).next().is_none()
    };
    (tree.is(node, Kind::Binary) && tree.children(node).all(nothing)).then_some(equal)
}

/// `(1, 2) = (SELECT (1, 2))` and `(1, 2) IN (SELECT (1, 2))`: a query that gives one row of values gives these
/// values, which is what PostgreSQL compares with a row.
pub(super) fn with_row(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) {
    let (tree, statement) = (query.tree, query.statement);
    let compares = tree.is(node, Kind::In)
        || matches!(
            tree.head(node).map(|head| statement.text(head)),
            Some(b"=" | b"<>" | b"!=" | b"<" | b"<=" | b">" | b">=")
        );
    let mut sides = tree.children(node);
    let (Some(row), Some(other), true) = (sides.next(), sides.next(), compares) else { return };
    let width = tree.children(query.bare(row)).count();
    if !matches!(tree.kind(query.bare(row)), Some(Kind::Tuple | Kind::Row)) || width < 2 {
        return;
    }
    let mut inner = query.bare(other);
    if !tree.is(inner, Kind::Subquery) {
        return;
    }
    while matches!(tree.kind(inner), Some(Kind::Subquery | Kind::Query)) {
        let Some(child) = tree.children(inner).next() else { return };
        inner = child;
    }
    let targets = tree.child(inner, Kind::Targets).filter(|_| tree.is(inner, Kind::Select));
    let mut targets = targets.map(|targets| tree.children(targets)).into_iter().flatten();
    let (Some(target), None) = (targets.next(), targets.next()) else { return };
    let Some(values) = tree.children(target).next().map(|value| query.bare(value)) else { return };
    if tree.is(values, Kind::Tuple)
        && tree.children(values).count() == width
        && tree.child(target, Kind::Alias).is_none()
    {
        let (first, last) = (tree.first(target), tree.last(target));
        let (open, closing) = (tree.first(values), tree.last(values));
        edits.replace(statement.start(first), statement.end(open), "");
        edits.replace(statement.start(closing), statement.end(last), "");
    }
}

/// The same in a definition, which has no tree: in checks, defaults, computed columns, indexes, policies.
pub(in crate::dialect) fn in_definition(statement: &Statement<'_>, edits: &mut Edits) {
    for at in 0..statement.len() {
        if statement.is_any(at, &["ANY", "SOME", "ALL"]) && at > 0 {
            quantified_in_definition(statement, at + 1, edits);
        } else if statement.is(at, "IN")
            && statement.is_mark(at + 1, "(")
            && statement.partner(at + 1) == Some(at + 2)
        {
            // No array has what it compares with, whatever that is.
            let not = at.checked_sub(1).filter(|before| statement.is(*before, "NOT"));
            let test = if not.is_some() { "<> ALL ('{}')" } else { "= ANY ('{}')" };
            edits.replace(statement.start(not.unwrap_or(at)), statement.end(at + 2), test);
        } else if statement.is(at, "IS") {
            let last = at + 1 + usize::from(statement.is(at + 1, "NOT"));
            if statement.is(last, "NAN") {
                let test = if last == at + 1 { "= 'NaN'" } else { "<> 'NaN'" };
                edits.replace(statement.start(at), statement.end(last), test);
            }
        }
    }
}

/// What stands behind ANY, at `at`: an array or a list.
fn quantified_in_definition(statement: &Statement<'_>, at: usize, edits: &mut Edits) {
    if statement.is(at, "ARRAY") && statement.is_mark(at + 1, "[") {
        let Some(mut last) = statement.partner(at + 1) else { return };
        while statement.is_mark(last + 1, "::") || statement.is_mark(last + 1, ":::") {
            let Some(mut end) = statement.qualified_name(last + 2) else { return };
            while statement.is_mark(end, "(") || statement.is_mark(end, "[") {
                let Some(closing) = statement.partner(end) else { return };
                end = closing + 1;
            }
            last = end - 1;
        }
        edits.insert(statement.start(at), "(");
        if statement.partner(at + 1) == Some(last) {
            // In place of the bracket: what stands at the end of a definition may be moved out of it.
            edits.replace(statement.start(last), statement.end(last), "])");
        } else {
            edits.insert(statement.end(last), ")");
        }
    } else if statement.is_mark(at, "(")
        && let Some(closing) = statement.partner(at)
        && statement.elements(at + 1, closing).len() > 1
        && !statement.is_any(at + 1, &["SELECT", "WITH", "VALUES", "TABLE"])
    {
        edits.insert(statement.end(at), "ARRAY[");
        edits.insert(statement.start(closing), "]");
    }
}
