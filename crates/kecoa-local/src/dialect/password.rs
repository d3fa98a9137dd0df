//! Passwords of roles, as PostgreSQL keeps them.
//!
//! PostgreSQL shows the text of statements in `pg_stat_activity`, which `SHOW STATEMENTS` reads, and in its log: a
//! password is not sent as it was written, but as what it is checked by.

use kecoa_server::scram::Verifier;
use kecoa_sql::{Statement, TokenKind};

use super::edit::Edits;
use super::escapes;
use super::quote::quote;

/// Puts a verifier instead of the password behind the word at `at`. What is no password, or one that PostgreSQL
/// refuses, stays.
pub(super) fn rewrite(statement: &Statement<'_>, at: usize, edits: &mut Edits) {
    let Some((password, last)) = literal(statement, at + 1) else { return };
    if !is_password(&password) {
        return;
    }
    // What cannot be prepared is taken as it is, by clients and by PostgreSQL.
    let prepared = match stringprep::saslprep(&password) {
        Ok(prepared) if !password.is_ascii() && !prepared.is_empty() => prepared,
        _ => password.as_str().into(),
    };
    // Without random bytes PostgreSQL makes the verifier.
    if let Ok(verifier) = Verifier::new(&prepared) {
        edits.replace(statement.start(at + 1), statement.end(last), quote(&verifier.text()));
    }
}

/// The value of a literal, which may go on behind the end of a line, and its last token.
fn literal(statement: &Statement<'_>, at: usize) -> Option<(String, usize)> {
    let mut value = part(statement, at)?;
    let kind = statement.kind(at);
    let mut last = at;
    // A string of the other kind, a dollar-quoted one, or a name does not go on.
    let goes_on = matches!(kind, Some(TokenKind::String | TokenKind::EscapeString));
    while goes_on && statement.kind(last + 1) == kind {
        last += 1;
        value.push_str(&part(statement, last)?);
    }
    Some((value, last))
}

fn part(statement: &Statement<'_>, at: usize) -> Option<String> {
    let text = String::from_utf8_lossy(statement.text(at));
    match statement.kind(at)? {
        TokenKind::String => statement.value(at),
        // CockroachDB takes a name for a password, too.
        TokenKind::Word if !statement.is(at, "NULL") => statement.name(at),
        TokenKind::EscapeString => {
            let text = text.strip_prefix(['e', 'E']).unwrap_or(&text);
            escapes::value(text.strip_prefix('\'')?.strip_suffix('\'')?)
        }
        TokenKind::DollarString => {
            let tag = text.get(..=text.get(1..)?.find('$')? + 1)?;
            Some(text.strip_prefix(tag)?.strip_suffix(tag)?.to_owned())
        }
        _ => None,
    }
}

/// Whether it is a password, and no verifier already.
fn is_password(text: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let hash =
        text.strip_prefix("md5").is_some_and(|hash| hash.len() == 32 && hash.bytes().all(is_digit));
    !text.is_empty() && !hash && !text.starts_with("SCRAM-SHA-256$")
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
            "ALTER ROLE u PASSWORD 'sec'\n'ret' CREATEDB",
            "ALTER ROLE u PASSWORD E'sec\\162et' CREATEDB",
            "ALTER ROLE u PASSWORD E'sec'\n'\\u0072et' CREATEDB",
            "ALTER ROLE u PASSWORD 'sec\u{e9}t' CREATEDB",
            "ALTER ROLE u PASSWORD secret CREATEDB",
            "ALTER ROLE u PASSWORD 'md5secretsecretsecretsecretsecretse' CREATEDB",
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
            ("'a'\n'b'", "ab"),
            ("E'\\x41'\n'\\n'", "A\n"),
        ] {
            let statement = Statement::whole(sql.as_bytes(), false).unwrap();
            let last = statement.len() - 1;
            assert_eq!(literal(&statement, 0), Some((value.to_owned(), last)), "{sql}");
        }
    }

    #[test]
    fn what_is_no_plain_password_stays() {
        for sql in [
            "ALTER ROLE u PASSWORD NULL",
            "ALTER ROLE u PASSWORD ''",
            "ALTER ROLE u PASSWORD E'\\xc3'",
            "ALTER ROLE u PASSWORD 'SCRAM-SHA-256$4096:a$b:c'",
            "ALTER ROLE u PASSWORD 'md5c20ad4d76fe97759aa27a0c99bff6710'",
        ] {
            assert_eq!(rewritten(sql), sql);
        }
    }
}
