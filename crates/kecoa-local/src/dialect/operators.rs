//! Operators that stand next to each other: `a!=-1`, `a&~b`. PostgreSQL takes them for one.

use kecoa_sql::{Statement, TokenKind};

use super::edit::Edits;

/// Puts a space between the operator at `at` and one behind it that PostgreSQL would make a part of it.
pub(super) fn apart(statement: &Statement<'_>, at: usize, edits: &mut Edits) {
    let touching = statement.kind(at + 1) == Some(TokenKind::Operator)
        && statement.start(at + 1) == statement.end(at)
        && statement.kind(at) == Some(TokenKind::Operator);
    if touching && [at, at + 1].into_iter().any(|at| is_greedy(statement.text(at))) {
        edits.insert(statement.start(at + 1), " ");
    }
}

/// Whether it has a character that lets PostgreSQL's operators end in a sign.
fn is_greedy(operator: &[u8]) -> bool {
    operator
        .iter()
        .any(|b| matches!(b, b'~' | b'!' | b'@' | b'#' | b'%' | b'^' | b'&' | b'|' | b'`' | b'?'))
}
