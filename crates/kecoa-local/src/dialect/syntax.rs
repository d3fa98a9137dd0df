//! Syntax errors in CockroachDB's words: `at or near "x": syntax error`, and the statement with a mark
//! below the place.

use kecoa_sql::{Statement, TokenKind};

/// `at or near "x"`, of the token at byte `at` of the statement's text.
pub(crate) fn near(statement: &Statement<'_>, at: usize) -> String {
    let found = (0..statement.len()).find(|index| statement.end(*index) > at);
    let token = found.map_or_else(|| "EOF".to_owned(), |index| token(statement, index));
    format!("at or near \"{token}\"")
}

/// A token as CockroachDB names it: a word in lower case, a string without its quotes.
fn token(statement: &Statement<'_>, index: usize) -> String {
    match statement.kind(index) {
        Some(TokenKind::Word | TokenKind::QuotedIdentifier | TokenKind::String) => {
            statement.value(index)
        }
        _ => None,
    }
    .unwrap_or_else(|| String::from_utf8_lossy(statement.text(index)).into_owned())
}

/// The statement up to the end of the line that byte `at` is in, and a mark below that byte. `None` for
/// a statement with a password in it: an error ends up in logs.
pub(crate) fn detail(statement: &Statement<'_>, at: usize) -> Option<String> {
    if (0..statement.len()).any(|index| statement.is(index, "PASSWORD")) {
        return None;
    }
    let sql = statement.sql();
    let (before, behind) = sql.split_at_checked(at)?;
    let end = memchr::memchr(b'\n', behind).map_or(sql.len(), |length| at + length);
    let line = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    let text = String::from_utf8_lossy(sql.get(..end)?);
    Some(format!("source SQL:\n{text}\n{}^", " ".repeat(at - line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sql: &str, at: usize) -> (String, Option<String>) {
        let statement = Statement::whole(sql.as_bytes(), false).unwrap();
        (near(&statement, at), detail(&statement, at))
    }

    #[test]
    fn the_place_is_marked_below_its_line() {
        let (near, detail) = of("SELECT 1,\n  FORM t\nWHERE a", 12);
        assert_eq!(near, "at or near \"form\"");
        assert_eq!(detail.unwrap(), "source SQL:\nSELECT 1,\n  FORM t\n  ^");
        let (near, detail) = of("SELECT", 6);
        assert_eq!(near, "at or near \"EOF\"");
        assert_eq!(detail.unwrap(), "source SQL:\nSELECT\n      ^");
        assert_eq!(of("SELECT 'a' 'b c'", 11).0, "at or near \"b c\"");
    }

    #[test]
    fn a_password_is_not_repeated() {
        assert_eq!(of("CREATE USER u WITH PASSWORD 'x' y", 32).1, None);
    }
}
