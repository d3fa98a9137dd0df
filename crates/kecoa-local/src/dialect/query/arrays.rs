//! Arrays that take the type of the column they go into.

use kecoa_grammar::{Kind, NodeId};
use kecoa_sql::{Statement, TokenKind};

use super::integers::outermost;
use super::parsed::Query;
use crate::dialect::catalog::Context;
use crate::dialect::edit::Edits;
use crate::dialect::plan::Refusal;
use crate::dialect::quote::quote;
use crate::dialect::types;

/// `ARRAY['a', 'b']`, `ARRAY[NULL]` and `ARRAY[]`, where a column's type is wanted, as a literal of no type: so it may be
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
        if tree.is(child, Kind::Null) {
            elements.push("NULL".to_owned());
            continue;
        }
        if compared && tree.is(child, Kind::Integer) {
            elements.push(statement.slice(first, end).into_owned());
            continue;
        }
        let plain = end == first + 1 && statement.kind(first) == Some(TokenKind::String);
        let Some(value) = statement.value(first).filter(|_| plain) else { return };
        elements.push(element(&value));
    }
    let literal = quote(&format!("{{{}}}", elements.join(",")));
    edits.replace(query.start(node), query.end(node), literal);
}

/// `m mood[] DEFAULT ARRAY['sad']` and `ALTER m SET DEFAULT ARRAY['sad']` of a definition: the array is one of the
/// column's type, where its elements are plain strings.
pub(in crate::dialect) fn in_definition(statement: &Statement<'_>, edits: &mut Edits) {
    for at in 0..statement.len() {
        if !statement.are(at, &["DEFAULT", "ARRAY"]) || !statement.is_mark(at + 2, "[") {
            continue;
        }
        let Some(closing) = statement.partner(at + 2) else { continue };
        let strings = statement
            .elements(at + 3, closing)
            .iter()
            .all(|(from, to)| to - from == 1 && statement.kind(*from) == Some(TokenKind::String));
        let casts = statement.is_mark(closing + 1, "::") || statement.is_mark(closing + 1, ":::");
        if !strings || casts {
            continue;
        }
        if let Some((from, to)) = column_type(statement, at) {
            let text = format!("::{}[]", statement.slice(from, to));
            edits.insert(statement.end(closing), text);
        } else if at > 0 && statement.is(at - 1, "SET") {
            let elements = statement.elements(at + 3, closing);
            let values = elements.iter().filter_map(|(from, _)| statement.value(*from));
            let literal = quote(&array(values));
            edits.replace(statement.start(at + 1), statement.end(closing), literal);
        }
    }
}

/// The type of the elements of a column that is an array and is made with the DEFAULT at `at`; `None` for strings,
/// which the literal is one of already.
fn column_type(statement: &Statement<'_>, at: usize) -> Option<(usize, usize)> {
    // Back to the name of the column: behind a comma, an opening bracket or ADD.
    let mut name = at;
    while let Some(before) = name.checked_sub(1) {
        let ends = statement.is_mark(before, ",")
            || statement.is_mark(before, "(")
            || statement.is_any(before, &["ADD", "COLUMN", "EXISTS"]);
        if ends {
            break;
        }
        // Over what brackets hold.
        name = statement.partner(before).filter(|open| *open < before).unwrap_or(before);
    }
    let from = name + 1;
    let mut to = statement.qualified_name(from).filter(|to| *to < at)?;
    if statement.is_mark(to, "(") {
        to = statement.partner(to)? + 1;
    }
    let is_array =
        statement.is_mark(to, "[") && statement.is_mark(to + 1, "]") || statement.is(to, "ARRAY");
    let known = !types::is_changed_type(statement, from) || statement.is_any(from, &NUMBERS);
    (is_array && known && !statement.is_any(from, &STRINGS)).then_some((from, to))
}

/// Types of numbers that PostgreSQL has by the same names.
const NUMBERS: [&str; 5] = ["INT", "INTEGER", "DECIMAL", "DEC", "FLOAT"];

/// Types of strings that PostgreSQL calls as CockroachDB does.
const STRINGS: [&str; 5] = ["TEXT", "VARCHAR", "CHAR", "CHARACTER", "NAME"];

/// The text of an array of strings.
fn array(values: impl Iterator<Item = String>) -> String {
    let elements: Vec<String> = values.map(|value| element(&value)).collect();
    format!("{{{}}}", elements.join(","))
}

fn element(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
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

/// `a @> $1` and `a = $1`, where a driver says that `$1` is an INT2[] or an INT4[], as one does of small numbers: it
/// becomes an array of the other side's type. PostgreSQL compares arrays of one type only.
pub(super) fn parameter(
    query: &Query<'_, '_>,
    node: NodeId,
    context: &Context<'_>,
    edits: &mut Edits,
) {
    const SMALL: [u32; 2] = [1005, 1007];
    let (tree, statement) = (query.tree, query.statement);
    let name = statement.text(tree.first(node));
    let number = std::str::from_utf8(name).ok().and_then(|name| name.get(1..)?.parse().ok());
    let kind = number
        .and_then(|number: usize| context.parameters?.get(number.checked_sub(1)?))
        .filter(|kind| SMALL.contains(*kind));
    let outer = outermost(tree, node);
    let Some(around) = tree.parent(outer).filter(|_| kind.is_some()) else { return };
    let compares = tree.is(around, Kind::IsDistinct)
        || tree.is(around, Kind::Binary)
            && matches!(
                tree.head(around).map(|head| statement.text(head)),
                Some(b"@>" | b"<@" | b"&&" | b"=" | b"<>" | b"!=" | b"<" | b"<=" | b">" | b">=")
            );
    let Some(other) = tree.children(around).find(|other| *other != outer && compares) else {
        return;
    };
    if tree.is(other, Kind::Column) {
        let (first, end) = tree.tokens(other);
        let other = statement.slice(first, end);
        edits.insert(query.start(node), format!("crdb_internal.alike({other}, "));
        edits.insert(query.end(node), ")");
    } else {
        edits.insert(query.end(node), "::INT8[]");
    }
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
