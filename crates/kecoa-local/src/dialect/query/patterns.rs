//! Patterns of LIKE that CockroachDB refuses whatever they are compared with.

use kecoa_grammar::{Kind, NodeId};
use kecoa_sql::TokenKind;

use super::parsed::Query;
use crate::dialect::plan::Refusal;

/// `a LIKE 'b\'`: PostgreSQL finds out only where the rest of the pattern fits.
pub(super) fn check(query: &Query<'_, '_>, node: NodeId) -> Result<(), Refusal> {
    let (tree, statement) = (query.tree, query.statement);
    let like = tree.head(node).is_some_and(|head| {
        (head..tree.last(node)).take(2).any(|at| statement.is_any(at, &["LIKE", "ILIKE"]))
    });
    let mut operands = tree.children(node).skip(1);
    let (Some(pattern), None, true) = (operands.next(), operands.next(), like) else {
        return Ok(());
    };
    let at = tree.first(pattern);
    let literal = tree.is(pattern, Kind::Text)
        && tree.last(pattern) == at
        && statement.kind(at) == Some(TokenKind::String);
    let Some(text) = statement.value(at).filter(|_| literal) else { return Ok(()) };
    let escapes = text.len() - text.trim_end_matches('\\').len();
    if escapes.is_multiple_of(2) {
        return Ok(());
    }
    Err(Refusal::new("22025", "LIKE pattern must not end with escape character"))
}
