//! Numbers that only PostgreSQL writes in this way.

use kecoa_sql::Statement;

use super::plan::Refusal;

/// `1_000`, `0b11`, `0o17`: CockroachDB takes the rest for a name.
pub(super) fn check(statement: &Statement<'_>, at: usize) -> Result<(), Refusal> {
    let text = statement.text(at);
    if text.contains(&b'_') {
        return Err(Refusal::syntax(statement, at, "42601", "numbers with underscores"));
    }
    if matches!(text, [b'0', b'b' | b'B' | b'o' | b'O', ..]) {
        let what = "binary and octal numbers (write decimal or 0x…)";
        return Err(Refusal::syntax(statement, at, "42601", what));
    }
    Ok(())
}
