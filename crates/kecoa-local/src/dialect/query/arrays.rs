//! Arrays that take the type of the column they go into.

use kecoa_grammar::{Kind, NodeId};
use kecoa_sql::TokenKind;

use super::parsed::Query;
use crate::dialect::edit::Edits;
use crate::dialect::plan::Refusal;
use crate::dialect::quote::quote;

/// `ARRAY['a', 'b']` and `ARRAY[]`, where a column's type is wanted, as a literal of no type: so it may be
/// an array of an enum, of dates, of anything.
pub(super) fn rewrite(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) {
    let (tree, statement) = (query.tree, query.statement);
    let Some(around) = tree.parent(node) else { return };
    let empty = tree.children(node).next().is_none();
    let typed_elsewhere = match tree.kind(around) {
        Some(Kind::Assignment) => true,
        Some(Kind::ValuesRow) => tree.ancestors(around).nth(1).is_some_and(|query| {
            tree.parent(query).is_some_and(|insert| tree.is(insert, Kind::Insert))
        }),
        Some(Kind::Binary | Kind::Special | Kind::When | Kind::Case | Kind::IsDistinct) => empty,
        Some(Kind::Paren) => {
            empty && tree.parent(around).is_some_and(|test| tree.is(test, Kind::Quantified))
        }
        _ => false,
    };
    let compared = is_compared(query, around, node);
    if !(typed_elsewhere || compared) || !statement.is(tree.first(node), "ARRAY") {
        return;
    }
    let mut elements = Vec::new();
    for child in tree.children(node) {
        let (first, end) = tree.tokens(child);
        if compared && tree.is(child, Kind::Integer) {
            elements.push(statement.slice(first, end).into_owned());
            continue;
        }
        let plain = end == first + 1 && statement.kind(first) == Some(TokenKind::String);
        let Some(value) = statement.value(first).filter(|_| plain) else { return };
        elements.push(format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")));
    }
    let literal = quote(&format!("{{{}}}", elements.join(",")));
    edits.replace(query.start(node), query.end(node), literal);
}

/// Whether an array is compared with something that has a type, which then is the array's, too: PostgreSQL
/// compares no INT4[] with an INT8[].
fn is_compared(query: &Query<'_, '_>, around: NodeId, node: NodeId) -> bool {
    let tree = query.tree;
    let operator = tree.head(around).map(|head| query.statement.text(head));
    // Operators of arrays alone: with `=` the literal would take a STRING's type, too.
    let compares = matches!(operator, Some(b"@>" | b"<@" | b"&&"));
    let typed = |other: NodeId| {
        matches!(
            tree.kind(other),
            Some(Kind::Column | Kind::Call | Kind::Cast | Kind::Subscript | Kind::Field)
        )
    };
    tree.is(around, Kind::Binary)
        && compares
        && tree.children(around).any(|other| other != node && typed(other))
}

/// CockroachDB has no arrays of arrays.
pub(super) fn nested(query: &Query<'_, '_>, node: NodeId) -> Result<(), Refusal> {
    let (tree, statement) = (query.tree, query.statement);
    let nested = match tree.kind(node) {
        Some(Kind::Array) => tree.children(node).any(|child| tree.is(child, Kind::Array)),
        _ => {
            let (first, end) = tree.tokens(node);
            (first..end).filter(|token| statement.is_mark(*token, "[")).count() > 1
        }
    };
    if nested { Err(Refusal::strict("0A000", "arrays of arrays")) } else { Ok(()) }
}
