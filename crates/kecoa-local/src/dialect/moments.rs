//! `now():::TIMESTAMP`, as `SHOW CREATE` writes it.

use kecoa_sql::{Statement, TokenKind};

use super::edit::Edits;

/// A default `now():::TIMESTAMP`, as `SHOW CREATE` writes it -> `now()`, which takes the column's type.
pub(super) fn annotated(statement: &Statement<'_>, at: usize, edits: &mut Edits) {
    const MOMENTS: [&str; 7] = [
        "now",
        "current_timestamp",
        "localtimestamp",
        "transaction_timestamp",
        "statement_timestamp",
        "clock_timestamp",
        "current_date",
    ];
    let annotated = statement.is_any(at, &MOMENTS)
        && statement.is_mark(at + 1, "(")
        && statement.partner(at + 1) == Some(at + 2)
        && statement.text(at + 3) == b":::"
        && statement.is_any(at + 4, &["TIMESTAMP", "TIMESTAMPTZ", "DATE"]);
    // What goes on behind it computes with the type.
    let whole = matches!(statement.kind(at + 5), None | Some(TokenKind::Word))
        || [",", ")"].iter().any(|mark| statement.is_mark(at + 5, mark));
    if annotated && whole && !statement.is_any(at + 5, &["AT", "IS", "COLLATE"]) {
        edits.replace(statement.start(at + 3), statement.end(at + 4), "");
    }
}
