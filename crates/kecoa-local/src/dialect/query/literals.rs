//! Strings and parameters whose type CockroachDB says before it looks at what stands beside them, and types
//! that a value cannot be said to have.

use kecoa_grammar::{Kind, NodeId};

use super::parsed::Query;
use crate::dialect::edit::Edits;
use crate::dialect::plan::Refusal;

/// `SELECT 1 UNION SELECT 'a'`: what a query selects is a STRING, whatever the other side has.
pub(super) fn united(query: &Query<'_, '_>, target: NodeId, edits: &mut Edits) {
    let tree = query.tree;
    let Some(text) = tree.children(target).next().filter(|node| tree.is(*node, Kind::Text)) else {
        return;
    };
    let mut around = tree.ancestors(target);
    let select = around.find(|node| tree.is(*node, Kind::Select));
    let set = select.and_then(|select| tree.parent(select));
    if !set.is_some_and(|set| tree.is(set, Kind::SetOperation)) {
        return;
    }
    edits.insert(query.end(text), "::pg_catalog.text");
    if tree.child(target, Kind::Alias).is_none() {
        edits.insert(query.end(target), " AS \"?column?\"");
    }
}

/// `(1 / 5):::INT`: an annotation says what a value is, and changes none.
pub(super) fn annotated(query: &Query<'_, '_>, node: NodeId) -> Result<(), Refusal> {
    let (tree, statement) = (query.tree, query.statement);
    let mut children = tree.children(node);
    let (Some(mut value), Some(kind)) = (children.next(), children.next()) else { return Ok(()) };
    while tree.is(value, Kind::Paren) {
        let Some(inner) = tree.children(value).next() else { return Ok(()) };
        value = inner;
    }
    let operator = match tree.kind(value) {
        Some(Kind::Binary) => tree.head(value).map(|head| statement.text(head)),
        _ => None,
    };
    let (found, fits): (&str, &[&str]) = match operator {
        Some(b"/") => (
            "decimal",
            &[
                "DECIMAL", "NUMERIC", "DEC", "FLOAT", "FLOAT4", "FLOAT8", "REAL", "DOUBLE",
                "INTERVAL",
            ],
        ),
        Some(b"=" | b"<" | b">" | b"<=" | b">=" | b"<>" | b"!=") => ("bool", &["BOOL", "BOOLEAN"]),
        Some(b"||") => {
            let texts = tree.children(value).all(|side| tree.is(side, Kind::Text));
            (
                "string",
                if texts { &["STRING", "TEXT", "VARCHAR", "CHAR", "NAME"] } else { return Ok(()) },
            )
        }
        _ => return Ok(()),
    };
    let (from, to) = tree.tokens(kind);
    if statement.is_any(from, fits) {
        return Ok(());
    }
    let (value, wanted) = {
        let (first, end) = tree.tokens(value);
        (statement.slice(first, end), statement.slice(from, to).to_lowercase())
    };
    let message =
        format!("incompatible type annotation for {value} as {wanted}, found type: {found}");
    Err(Refusal {
        hint: "::, or CAST, changes the type".to_owned(),
        ..Refusal::new("22023", message)
    })
}

/// `$1 % $2`: two parameters that say no type are numbers or an error, and no strings, which trigrams would
/// compare.
pub(super) fn remainder(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) {
    let (tree, statement) = (query.tree, query.statement);
    let Some(head) = tree.head(node).filter(|head| statement.text(*head) == b"%") else { return };
    if tree.children(node).all(|side| tree.is(side, Kind::Parameter)) {
        edits.insert(statement.start(head), "OPERATOR(crdb_internal.");
        edits.insert(statement.end(head), ")");
    }
}

/// `a[1:2]`: CockroachDB has no parts of arrays.
pub(super) fn slice(query: &Query<'_, '_>, node: NodeId) -> Result<(), Refusal> {
    let (tree, statement) = (query.tree, query.statement);
    let Some(open) = tree.head(node) else { return Ok(()) };
    let last = tree.last(node);
    let mut at = open + 1;
    while at < last {
        if statement.is_mark(at, ":") {
            return Err(Refusal::syntax(statement, at, "0A000", "slices of arrays"));
        }
        at = statement.partner(at).filter(|closing| *closing > at).unwrap_or(at) + 1;
    }
    Ok(())
}
