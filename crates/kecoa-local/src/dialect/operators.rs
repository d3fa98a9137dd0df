//! Operators that stand next to each other: `a!=-1`, `a&~b`. PostgreSQL takes them for one.

use kecoa_sql::{Statement, TokenKind};

use super::edit::Edits;
use super::plan::Refusal;

/// Puts a space between the operator at `at` and one behind it that PostgreSQL would make a part of it.
pub(super) fn apart(statement: &Statement<'_>, at: usize, edits: &mut Edits) {
    let touching = statement.kind(at + 1) == Some(TokenKind::Operator)
        && statement.start(at + 1) == statement.end(at)
        && statement.kind(at) == Some(TokenKind::Operator);
    if touching && [at, at + 1].into_iter().any(|at| is_greedy(statement.text(at))) {
        edits.insert(statement.start(at + 1), " ");
    }
    // `~~5` is `~ (~ 5)`.
    if statement.text(at) == b"~~" && !has_operand(statement, at) {
        edits.insert(statement.start(at) + 1, " ");
    }
}

/// Operators between two operands that PostgreSQL or its extensions have and CockroachDB has not.
const FOREIGN: &[&[u8]] = &[
    b"!~~", b"!~~*", b"##", b"%>", b"%>>", b"&<", b"&<|", b"&>", b"*<", b"*<=", b"*<>", b"*=",
    b"*>", b"*>=", b"-|-", b"<%", b"<+>", b"<->>", b"<->>>", b"<<%", b"<<->", b"<<<->", b"<<|",
    b"<^", b"<~>", b"<%>", b">^", b"?#", b"?-", b"?-|", b"?||", b"@?", b"@@@", b"^@", b"|&>",
    b"|>>", b"~<=~", b"~<~", b"~=", b"~>=~", b"~>~", b"~~", b"~~*",
];

/// The error for the operator at `at`, if CockroachDB has no such operator.
pub(super) fn foreign(statement: &Statement<'_>, at: usize) -> Option<Refusal> {
    let text = statement.text(at);
    let prefix = text == b"!!";
    if !prefix && !FOREIGN.contains(&text) {
        return None;
    }
    if !prefix && !has_operand(statement, at) {
        return None;
    }
    let name = String::from_utf8_lossy(text);
    let hint = match text {
        b"~~" | b"~~*" => "write LIKE or ILIKE",
        b"!~~" | b"!~~*" => "write NOT LIKE or NOT ILIKE",
        b"^@" => "write starts_with()",
        b"@?" => "write jsonb_path_exists()",
        _ => "SET kecoa_strict = off lets PostgreSQL do it, and fails on a cluster",
    };
    let refusal = Refusal::syntax(statement, at, "42601", "this operator");
    let message = refusal.message.replace("this operator", &format!("the operator {name}"));
    Some(Refusal { message, hint: hint.to_owned(), ..refusal })
}

/// Whether an operand stands before the operator at `at`.
fn has_operand(statement: &Statement<'_>, at: usize) -> bool {
    at.checked_sub(1).is_some_and(|before| match statement.kind(before) {
        Some(TokenKind::Operator) => false,
        Some(TokenKind::Punctuation) => {
            statement.is_mark(before, ")") || statement.is_mark(before, "]")
        }
        Some(TokenKind::Word) => !statement.is_any(
            before,
            &["SELECT", "WHERE", "AND", "OR", "NOT", "ON", "WHEN", "THEN", "ELSE", "RETURNING"],
        ),
        _ => true,
    })
}

/// Whether it has a character that lets PostgreSQL's operators end in a sign.
fn is_greedy(operator: &[u8]) -> bool {
    operator
        .iter()
        .any(|b| matches!(b, b'~' | b'!' | b'@' | b'#' | b'%' | b'^' | b'&' | b'|' | b'`' | b'?'))
}
