//! The names of columns that a statement gives none, where CockroachDB has others than PostgreSQL.

use kecoa_grammar::{Kind, NodeId};
use kecoa_sql::TokenKind;

use super::parsed::Query;
use super::tuples;
use crate::dialect::edit::Edits;

/// `SELECT true` is called `bool`, `IF(a, b, c)` `if`, `POSITION(a IN b)` `strpos`, `USER` `current_user`,
/// `crdb_internal.f()` by all of its name, and a tuple nothing.
pub(super) fn rewrite(query: &Query<'_, '_>, target: NodeId, edits: &mut Edits) {
    let tree = query.tree;
    if tree.child(target, Kind::Alias).is_some() {
        return;
    }
    if let Some(label) = tree.children(target).next().and_then(|node| label(query, node)) {
        edits.insert(query.end(target), format!(" AS \"{label}\""));
    }
}

/// CockroachDB's name of an expression; `None` where PostgreSQL's is the same.
fn label(query: &Query<'_, '_>, node: NodeId) -> Option<String> {
    let (tree, statement) = (query.tree, query.statement);
    match tree.kind(node)? {
        Kind::Boolean => Some("bool".to_owned()),
        Kind::Tuple => {
            let mut values = tree.children(node);
            match (values.next(), values.next()) {
                (Some(value), None) => Some(own_name(query, value)),
                _ => Some("?column?".to_owned()),
            }
        }
        Kind::LabelledTuple => {
            let tuple = tree.children(node).next()?;
            let single = tree.children(tuple).nth(1).is_none();
            Some(match tree.kind(tuple)? {
                Kind::Row => "row".to_owned(),
                _ if single => statement.name(tree.last(node) - 1)?,
                _ => "?column?".to_owned(),
            })
        }
        Kind::Field => tuples::name_of_field(query, node),
        Kind::Paren | Kind::Subscript | Kind::Collate => {
            tree.children(node).next().and_then(|inner| label(query, inner))
        }
        // A type gives its name only to what has none.
        Kind::Cast | Kind::CastCall | Kind::Annotation => {
            let inner = tree.children(node).next()?;
            let bare = |node: NodeId| {
                let mut node = node;
                while tree.is(node, Kind::Paren) {
                    node = tree.children(node).next()?;
                }
                Some(node)
            };
            let weak = bare(inner).is_some_and(|inner| {
                matches!(
                    tree.kind(inner),
                    Some(Kind::Boolean | Kind::Tuple | Kind::LabelledTuple | Kind::Cast)
                )
            });
            if weak { None } else { label(query, inner) }
        }
        Kind::Special => {
            let word = tree.first(node);
            const OTHERS: [(&str, &str); 5] = [
                ("IF", "if"),
                ("POSITION", "strpos"),
                ("USER", "current_user"),
                ("CURRENT_ROLE", "current_user"),
                ("CURRENT_CATALOG", "current_database"),
            ];
            let found = OTHERS.into_iter().find(|(special, _)| statement.is(word, special));
            found.map(|(_, label)| label.to_owned())
        }
        Kind::Call => {
            let open = tree.head(node)?;
            let schema = tree.first(node);
            let function = (open == schema + 3
                && statement.kind(schema) == Some(TokenKind::Word)
                && statement.name(schema).as_deref() == Some("crdb_internal"))
            .then(|| statement.name(schema + 2))??;
            (!function.contains('"')).then(|| format!("crdb_internal.{function}"))
        }
        _ => None,
    }
}

/// What the only value of a tuple calls the tuple.
fn own_name(query: &Query<'_, '_>, value: NodeId) -> String {
    let (tree, statement) = (query.tree, query.statement);
    let name = match tree.kind(value) {
        Some(Kind::Column) => statement.name(tree.last(value)),
        Some(Kind::Call) => tree.head(value).and_then(|open| statement.name(open.checked_sub(1)?)),
        _ => label(query, value),
    };
    name.filter(|name| !name.contains('"')).unwrap_or_else(|| "?column?".to_owned())
}
