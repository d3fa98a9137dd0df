//! Passwords of roles, as PostgreSQL keeps them.
//!
//! PostgreSQL shows the text of statements in `pg_stat_activity`, which `SHOW STATEMENTS` reads, and in its log: a
//! password is not sent as it was written, but as what it is checked by.

use kecoa_server::scram::Verifier;
use kecoa_sql::{Statement, TokenKind};

use super::edit::Edits;
use super::quote::quote;

/// Puts a verifier instead of the password behind the word at `at`, if it is a literal of ASCII characters.
/// Any other has to be prepared first, by rules that PostgreSQL knows.
pub(super) fn rewrite(statement: &Statement<'_>, at: usize, edits: &mut Edits) {
    let password = literal(statement, at + 1).filter(|text| is_plain(text));
    // Without random bytes PostgreSQL makes the verifier.
    if let Some(verifier) = password.and_then(|text| Verifier::new(&text).ok()) {
        edits.replace(statement.start(at + 1), statement.end(at + 1), quote(&verifier.text()));
    }
}

/// The value of a literal that is one token, if it is told without a look at the rarer escapes.
fn literal(statement: &Statement<'_>, at: usize) -> Option<String> {
    if statement.kind(at + 1) == Some(TokenKind::String) {
        return None; // it goes on there
    }
    let text = String::from_utf8_lossy(statement.text(at));
    match statement.kind(at)? {
        TokenKind::String => statement.value(at),
        TokenKind::EscapeString => {
            let inner = text.get(1..)?.strip_prefix('\'')?.strip_suffix('\'')?;
            let mut value = String::new();
            let mut letters = inner.chars();
            while let Some(letter) = letters.next() {
                match (letter, letter == '\\' || letter == '\'') {
                    (_, true) => value.push(letters.next().filter(|l| matches!(l, '\\' | '\''))?),
                    (letter, false) => value.push(letter),
                }
            }
            Some(value)
        }
        TokenKind::DollarString => {
            let tag = text.get(..=text.get(1..)?.find('$')? + 1)?;
            Some(text.strip_prefix(tag)?.strip_suffix(tag)?.to_owned())
        }
        _ => None,
    }
}

/// Whether it is a password, and no verifier already, of which PostgreSQL makes one without changing it.
fn is_plain(text: &str) -> bool {
    let hash = text.strip_prefix("md5").is_some_and(|hash| hash.len() == 32);
    !text.is_empty()
        && !hash
        && !text.starts_with("SCRAM-SHA-256$")
        && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(sql: &str) -> String {
        let statement = Statement::whole(sql.as_bytes(), false).unwrap();
        let at = (0..statement.len()).find(|at| statement.is(*at, "PASSWORD")).unwrap();
        let mut edits = Edits::default();
        rewrite(&statement, at, &mut edits);
        String::from_utf8(edits.apply(sql.as_bytes(), 0).text).unwrap()
    }

    #[test]
    fn a_password_is_not_sent() {
        for sql in [
            "CREATE USER u WITH PASSWORD 'secret' CREATEDB",
            "ALTER ROLE u ENCRYPTED PASSWORD E'sec\\\\ret''s' CREATEDB",
            "ALTER ROLE u PASSWORD $p$secret$p$ CREATEDB",
            "ALTER ROLE u PASSWORD $$secret$$ CREATEDB",
        ] {
            let text = rewritten(sql);
            assert!(!text.contains("sec"), "{text}");
            let verifier = text.split('\'').nth(1).unwrap();
            assert!(Verifier::parse(verifier).is_some(), "{text}");
            assert!(text.ends_with("' CREATEDB"), "{text}");
        }
    }

    #[test]
    fn literals() {
        for (sql, value) in [
            ("'it''s'", "it's"),
            (r"E'a\\b\'c''d'", r"a\b'c'd"),
            ("$$a'b$$", "a'b"),
            ("$x$a$$b$x$", "a$$b"),
        ] {
            let statement = Statement::whole(sql.as_bytes(), false).unwrap();
            assert_eq!(literal(&statement, 0).as_deref(), Some(value), "{sql}");
        }
    }

    #[test]
    fn what_is_no_plain_password_stays() {
        for sql in [
            "ALTER ROLE u PASSWORD NULL",
            "ALTER ROLE u PASSWORD ''",
            "ALTER ROLE u PASSWORD 'a'\n'b'",
            "ALTER ROLE u PASSWORD E'\\162'",
            "ALTER ROLE u PASSWORD 's\u{e9}cret'",
            "ALTER ROLE u PASSWORD 'SCRAM-SHA-256$4096:a$b:c'",
            "ALTER ROLE u PASSWORD 'md5c20ad4d76fe97759aa27a0c99bff6710'",
        ] {
            assert_eq!(rewritten(sql), sql);
        }
    }
}
