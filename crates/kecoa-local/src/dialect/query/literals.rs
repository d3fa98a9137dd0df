//! Strings and parameters whose type CockroachDB says before it looks at what stands beside them, and types
//! that a value cannot be said to have.

use kecoa_grammar::{Kind, NodeId};

use super::parsed::Query;
use crate::dialect::catalog::Context;
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

/// Functions that take a value of any type, and which of their arguments are such. PostgreSQL wants to know the type of
/// these; for its others an untyped literal is a string.
const ANY: [(&str, &[usize]); 11] = [
    ("array_agg", &[0]),
    ("first_value", &[0]),
    ("json_agg", &[0]),
    ("jsonb_agg", &[0]),
    ("lag", &[0, 2]),
    ("last_value", &[0]),
    ("lead", &[0, 2]),
    ("nth_value", &[0]),
    ("pg_typeof", &[0]),
    ("to_json", &[0]),
    ("to_jsonb", &[0]),
];

/// Functions that give a STRING, and in PostgreSQL a NAME or a REGTYPE.
const STRINGS: [(&str, &str); 6] = [
    ("current_database", "::pg_catalog.text"),
    ("current_schema", "::pg_catalog.text"),
    ("current_schemas", "::pg_catalog.text[]"),
    ("getdatabaseencoding", "::pg_catalog.text"),
    ("pg_client_encoding", "::pg_catalog.text"),
    ("pg_typeof", "::pg_catalog.text"),
];

/// `to_jsonb('a')` -> `to_jsonb('a'::text)`: a literal is a STRING where nothing says another type.
pub(super) fn of_any_type(query: &Query<'_, '_>, call: NodeId, edits: &mut Edits) {
    let (tree, statement) = (query.tree, query.statement);
    let name = tree.head(call).and_then(|open| statement.name(open.checked_sub(1)?));
    let Some(name) = name else { return };
    let source = tree.parent(call).is_some_and(|around| {
        matches!(tree.kind(around), Some(Kind::FunctionSource | Kind::RowsFrom))
    });
    let string = STRINGS.iter().find(|(function, _)| *function == name && !source);
    if let Some((_, cast)) = string {
        edits.insert(query.end(call), *cast);
    }
    let places = ANY.iter().find(|(function, _)| *function == name).map(|(_, places)| *places);
    for place in places.unwrap_or_default() {
        if let Some(argument) = tree.children(call).nth(*place) {
            say_string(query, argument, edits);
        }
    }
}

/// `ARRAY['a'] || 'b'`: what stands beside an array of strings is a string, and no array.
pub(super) fn beside_strings(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) {
    let (tree, statement) = (query.tree, query.statement);
    let joins = tree.head(node).is_some_and(|head| statement.text(head) == b"||");
    let strings = |array: NodeId| {
        tree.is(array, Kind::Array)
            && tree.children(array).next().is_some()
            && tree.children(array).all(|element| tree.is(query.bare(element), Kind::Text))
    };
    if joins && tree.children(node).any(strings) {
        for side in tree.children(node) {
            say_string(query, side, edits);
        }
    }
}

/// Says that a literal is a STRING.
fn say_string(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) {
    let inner = query.bare(node);
    if query.tree.is(inner, Kind::Text) {
        edits.insert(query.end(inner), "::pg_catalog.text");
    }
}

/// `SELECT $1`: nothing says what the parameter is. PostgreSQL would take it for a string.
pub(super) fn parameter(
    query: &Query<'_, '_>,
    target: NodeId,
    context: &Context<'_>,
) -> Result<(), Refusal> {
    let (tree, statement) = (query.tree, query.statement);
    let selected = |target: NodeId| {
        let value = tree.children(target).next().map(|value| query.bare(value))?;
        tree.is(value, Kind::Parameter).then_some(value)
    };
    let Some(parameter) = selected(target) else { return Ok(()) };
    let name = statement.text(tree.first(parameter));
    let number = std::str::from_utf8(name).ok().and_then(|name| name.get(1..)?.parse().ok());
    let Some(place) = number.and_then(|number: usize| number.checked_sub(1)) else {
        return Ok(());
    };
    let typed = match context.parameters {
        _ if statement.is(0, "PREPARE") => {
            statement.is_mark(2, "(")
                && statement
                    .partner(2)
                    .is_some_and(|closing| statement.elements(3, closing).len() > place)
        }
        Some(types) => types.get(place).is_some_and(|kind| !matches!(*kind, 0 | UNKNOWN)),
        None => true, // a statement without parameters
    };
    if typed || is_told(query, target) {
        return Ok(());
    }
    // Another place may say the type.
    let elsewhere = tree.ids().any(|node| {
        tree.is(node, Kind::Parameter)
            && statement.text(tree.first(node)) == name
            && !tree
                .ancestors(node)
                .find(|around| !tree.is(*around, Kind::Paren))
                .is_some_and(|around| tree.is(around, Kind::Target))
    });
    if elsewhere {
        return Ok(());
    }
    let name = String::from_utf8_lossy(name);
    let message = format!("could not determine data type of placeholder {name}");
    Err(Refusal {
        hint: format!("write its type, as in {name}::STRING"),
        ..Refusal::new("42P18", message)
    })
}

/// PostgreSQL's type of a literal that has none.
const UNKNOWN: u32 = 705;

/// Whether the column has its type from elsewhere: from the table that it goes into, or from the first query of a UNION.
fn is_told(query: &Query<'_, '_>, target: NodeId) -> bool {
    let tree = query.tree;
    let mut inner = target;
    for around in tree.ancestors(target) {
        match tree.kind(around) {
            Some(Kind::Targets | Kind::Select | Kind::Query | Kind::Subquery) => {}
            Some(Kind::SetOperation) => {
                if tree.children(around).next() != Some(inner) {
                    return true;
                }
            }
            Some(Kind::Insert) => return true,
            _ => return false,
        }
        inner = around;
    }
    false
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
        edits.insert(statement.start(head), " OPERATOR(crdb_internal.");
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
