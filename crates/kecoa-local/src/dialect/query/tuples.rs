//! Tuples that PostgreSQL's grammar lacks: `()`, `(1,)`, `((1, 2) AS a, b)`, and their fields: `.a`, `.*`, `.@1`.

use kecoa_grammar::{Kind, NodeId};

use super::conditions::compares_nothing;
use super::integers;
use super::parsed::Query;
use crate::dialect::edit::Edits;
use crate::dialect::plan::Refusal;
use crate::dialect::quote::quote_name;

/// `()` -> `ROW()`, `(a,)` -> `ROW(a)`.
pub(super) fn short(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) {
    let (tree, statement) = (query.tree, query.statement);
    let mut values = tree.children(node);
    let (value, more) = (values.next(), values.next());
    // What stands there is a list and no tuple.
    let list = tree.parent(node).is_some_and(|around| {
        matches!(tree.kind(around), Some(Kind::Quantified | Kind::GroupBy | Kind::Assignment))
    });
    let compared = tree.parent(integers::outermost(tree, node));
    let nothing = compared.is_some_and(|around| compares_nothing(query, around).is_some());
    if more.is_some() || list || nothing {
        return;
    }
    edits.insert(query.start(node), "ROW");
    if let Some(value) = value {
        let closing = statement.start(tree.last(node));
        edits.replace(query.end(value), closing, "");
    }
}

/// A string in a row that is selected, or of which a field is taken, is a STRING.
pub(super) fn strings(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) {
    let tree = query.tree;
    let around = tree.parent(integers::outermost(tree, node));
    let seen = around.is_some_and(|around| {
        tree.is(around, Kind::Target) || integers::is_record_there(tree, around)
    });
    for text in tree.children(node).filter(|value| seen && tree.is(*value, Kind::Text)) {
        edits.insert(query.end(text), "::pg_catalog.text");
    }
}

/// A labelled tuple: one of which a field is taken is a plain one; any other is a row of a query, whose columns have the
/// labels: JSON of it has them, too.
pub(super) fn labelled(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) {
    let (tree, statement) = (query.tree, query.statement);
    let Some(tuple) = tree.children(node).next() else { return };
    let labels = labels(query, node);
    let values: Vec<NodeId> = tree.children(tuple).collect();
    if labels.len() != values.len() {
        return; // PostgreSQL says that it is no query
    }
    let closing = statement.start(tree.last(node));
    if let Some(field) = field_of(query, node) {
        if is_all(query, field) && is_target(query, field) {
            let place = query.start(field);
            for (number, (label, value)) in labels.iter().zip(&values).enumerate() {
                let before = if number == 0 { "" } else { ", " };
                let after = format!(" AS {}", quote_name(label));
                edits.relocate((query.start(*value), query.end(*value)), place, before, after);
            }
            edits.replace(place, query.end(field), "");
        } else {
            edits.replace(query.end(tuple), closing, "");
        }
        return;
    }
    if query.is_read(node) {
        edits.replace(query.end(tuple), closing, "");
        return;
    }
    let list: Vec<String> = labels.iter().map(|label| quote_name(label)).collect();
    let (Some(first), Some(end)) = (values.first(), values.last()) else { return };
    edits.replace(query.start(node), query.start(*first), "(SELECT \"?column?\" FROM (VALUES (");
    let close = format!(")) AS \"?column?\" ({}))", list.join(", "));
    edits.replace(query.end(*end), query.end(node), close);
}

/// `.a` and `.@1` of a tuple, here or in a query that this one reads, by its place; `.*` of one there by all places.
pub(super) fn field(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) -> Result<(), Refusal> {
    let (tree, statement) = (query.tree, query.statement);
    let last = tree.last(node);
    let tuple = tuple_of(query, node);
    if statement.is_mark(last - 1, "@") && tuple.is_none() {
        if !edits.settings.strict {
            return Ok(());
        }
        let what = "the number of a field of what is no tuple here";
        return Err(Refusal::syntax(statement, last - 1, "0A000", what));
    }
    let Some(tuple) = tuple else { return Ok(()) };
    if is_all(query, node) {
        let operand = tree.children(node).next();
        let column = operand.map(|operand| query.bare(operand));
        let column = column.filter(|column| tree.is(*column, Kind::Column));
        let labels = labels(query, tuple);
        if let Some(column) = column.filter(|_| !labels.is_empty() && is_target(query, node)) {
            let (from, to) = tree.tokens(column);
            let column = statement.slice(from, to);
            let fields: Vec<String> = labels
                .iter()
                .zip(1..)
                .map(|(label, place)| format!("({column}).f{place} AS {}", quote_name(label)))
                .collect();
            edits.replace(query.start(node), query.end(node), fields.join(", "));
        }
        return Ok(());
    }
    if let Some(place) = place(query, node, tuple) {
        let from = if statement.is_mark(last - 1, "@") { last - 1 } else { last };
        edits.replace(statement.start(from), statement.end(last), format!("f{place}"));
    }
    Ok(())
}

/// The name of a column that is the field of a tuple.
pub(super) fn name_of_field(query: &Query<'_, '_>, field: NodeId) -> Option<String> {
    tuple_of(query, field)?;
    let last = query.tree.last(field);
    if query.statement.is_mark(last - 1, "@") {
        return Some("?column?".to_owned());
    }
    query.statement.name(last).filter(|_| !is_all(query, field))
}

/// The place of the field that `field` takes, from 1.
fn place(query: &Query<'_, '_>, field: NodeId, tuple: NodeId) -> Option<usize> {
    let statement = query.statement;
    let last = query.tree.last(field);
    if statement.is_mark(last - 1, "@") {
        return String::from_utf8_lossy(statement.text(last)).parse().ok();
    }
    let name = statement.name(last)?;
    labels(query, tuple).iter().position(|label| *label == name).map(|at| at + 1)
}

/// The labels of a tuple; none of a plain one.
fn labels(query: &Query<'_, '_>, node: NodeId) -> Vec<String> {
    let tree = query.tree;
    let Some(tuple) = tree.children(node).next().filter(|_| tree.is(node, Kind::LabelledTuple))
    else {
        return Vec::new();
    };
    let as_ = tree.tokens(tuple).1;
    query
        .statement
        .elements(as_ + 1, tree.last(node))
        .into_iter()
        .filter_map(|(at, _)| query.statement.name(at))
        .collect()
}

/// The tuple of which a field is taken: the operand itself, or what a query of this statement calls so.
fn tuple_of(query: &Query<'_, '_>, field: NodeId) -> Option<NodeId> {
    let tree = query.tree;
    let operand = query.bare(tree.children(field).next()?);
    match tree.kind(operand)? {
        Kind::LabelledTuple | Kind::Tuple | Kind::Row => Some(operand),
        Kind::Column => {
            let name = query.statement.name(tree.last(operand))?;
            query.tuple_named(&name)
        }
        _ => None,
    }
}

/// The `.label`, `.*` or `.@1` behind the brackets around it.
fn field_of(query: &Query<'_, '_>, node: NodeId) -> Option<NodeId> {
    let tree = query.tree;
    let around = tree.ancestors(node).find(|id| !tree.is(*id, Kind::Paren))?;
    tree.is(around, Kind::Field).then_some(around)
}

fn is_all(query: &Query<'_, '_>, field: NodeId) -> bool {
    query.statement.text(query.tree.last(field)) == b"*"
}

fn is_target(query: &Query<'_, '_>, field: NodeId) -> bool {
    query.tree.parent(field).is_some_and(|parent| query.tree.is(parent, Kind::Target))
}
