//! Strings that are documents by what is done to them.

use kecoa_grammar::{Kind, NodeId};

use super::parsed::Query;
use crate::dialect::edit::Edits;

/// `'{"a": 1}' -> 'a'` -> `'{"a": 1}'::JSONB -> 'a'`: in CockroachDB these operators have no other left side,
/// while PostgreSQL finds two.
pub(super) fn rewrite(query: &Query<'_, '_>, node: NodeId, edits: &mut Edits) {
    let (tree, statement) = (query.tree, query.statement);
    let reads = tree.head(node).is_some_and(|head| {
        matches!(
            statement.text(head),
            b"->" | b"->>" | b"#>" | b"#>>" | b"?" | b"?|" | b"?&" | b"#-"
        )
    });
    let Some(left) = tree.children(node).next().filter(|_| reads) else { return };
    let mut literal = left;
    while tree.is(literal, Kind::Paren) {
        let Some(inner) = tree.children(literal).next() else { return };
        literal = inner;
    }
    if tree.is(literal, Kind::Text) {
        edits.insert(query.end(literal), "::JSONB");
    }
}
