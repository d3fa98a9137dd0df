//! What clients said last, in their own words: PostgreSQL knows what it was sent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use kecoa_sql::{TokenKind, lex};

/// So much of a text is kept, in bytes: as much as PostgreSQL keeps (`track_activity_query_size`).
const KEPT: usize = 1024;

/// The texts of all clients, by the number of the PostgreSQL process that serves each.
#[derive(Debug, Default)]
pub(super) struct Texts(Mutex<BTreeMap<i32, Arc<Text>>>);

/// One client's.
#[derive(Debug, Default)]
pub(super) struct Text {
    user: String,
    sql: Mutex<Vec<u8>>,
}

impl Text {
    /// The client says this now.
    pub(super) fn set(&self, sql: &[u8]) {
        // A copy: the client's buffer is to be free for what comes next.
        let mut kept = self.sql.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clear();
        kept.extend_from_slice(sql.get(..KEPT).unwrap_or(sql));
    }

    fn shown(&self) -> String {
        let kept = self.sql.lock().unwrap_or_else(PoisonError::into_inner);
        shown(&kept)
    }
}

impl Texts {
    /// A client whose process is `process`.
    pub(super) fn enter(&self, process: i32, user: &str) -> Arc<Text> {
        let text = Arc::new(Text { user: user.to_owned(), sql: Mutex::default() });
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(process, text.clone());
        text
    }

    /// It left.
    pub(super) fn leave(&self, process: i32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&process);
    }

    /// The texts that `user` may see, as a JSON object: a user's own, or `everyone`'s.
    pub(super) fn json(&self, user: &str, everyone: bool) -> String {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = all.iter().filter(|(_, text)| everyone || text.user == user);
        let object: serde_json::Map<String, serde_json::Value> = seen
            .map(|(process, text)| (process.to_string(), text.shown().into()))
            .filter(|(_, text): &(_, serde_json::Value)| text != "")
            .collect();
        serde_json::Value::Object(object).to_string()
    }
}

/// A text without passwords, and without the semicolon at its end.
fn shown(sql: &[u8]) -> String {
    const HIDDEN: &[u8] = b"*****";
    let is_string = |kind| {
        matches!(
            kind,
            TokenKind::String
                | TokenKind::EscapeString
                | TokenKind::DollarString
                | TokenKind::Unfinished
                | TokenKind::Unknown
        )
    };
    let mut out = Vec::with_capacity(sql.len());
    let mut behind = false;
    for token in lex(sql, false) {
        let text = sql.get(token.start..token.end).unwrap_or_default();
        let holds = matches!(token.kind, TokenKind::DollarString | TokenKind::Unfinished)
            && text.to_ascii_lowercase().windows(8).any(|part| part == b"password");
        if behind && is_string(token.kind) || holds {
            if !out.ends_with(HIDDEN) {
                out.extend_from_slice(HIDDEN);
            }
            continue;
        }
        if !matches!(token.kind, TokenKind::Space | TokenKind::Comment) {
            behind = text.eq_ignore_ascii_case(b"password");
        } else if behind && out.ends_with(HIDDEN) {
            continue;
        }
        out.extend_from_slice(text);
    }
    let text = out.trim_ascii();
    let text = text.strip_suffix(b";").unwrap_or(text);
    // What is cut may end within a character; NUL has no place in JSON's texts.
    String::from_utf8_lossy(text).trim_end_matches('\u{fffd}').replace('\0', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (sql, expected) in [
            ("SELECT 'password'; ", "SELECT 'password'"),
            ("ALTER USER a WITH PASSWORD 'se;cret'", "ALTER USER a WITH PASSWORD *****"),
            ("ALTER USER a PASSWORD 'se'\n'cret' VALID UNTIL '2030-01-01'", ""),
            (
                "CREATE ROLE a LOGIN password E'x' ; SELECT 1",
                "CREATE ROLE a LOGIN password *****; SELECT 1",
            ),
            ("CREATE USER a PASSWORD $x$y$x$", "CREATE USER a PASSWORD *****"),
            ("CREATE USER a PASSWORD NULL", "CREATE USER a PASSWORD NULL"),
            ("ALTER USER a PASSWORD 'cut", "ALTER USER a PASSWORD *****"),
            ("DO $$ BEGIN ALTER USER a PASSWORD 'b'; END $$", "DO *****"),
            ("DO $$ BEGIN ALTER USER a PASSWORD 'b", "DO *****"),
        ] {
            let found = shown(sql.as_bytes());
            if expected.is_empty() {
                assert!(!found.contains("se'") && !found.contains("cret"), "{found}");
            } else {
                assert_eq!(found, expected, "{sql}");
            }
        }
    }

    #[test]
    fn each_sees_its_own() {
        let texts = Texts::default();
        texts.enter(1, "root").set(b"SELECT 1");
        texts.enter(2, "maya").set("SELECT 'é\"'".as_bytes());
        texts.enter(3, "maya");
        assert_eq!(texts.json("maya", false), r#"{"2":"SELECT 'é\"'"}"#);
        assert_eq!(texts.json("root", true), r#"{"1":"SELECT 1","2":"SELECT 'é\"'"}"#);
        texts.leave(2);
        assert_eq!(texts.json("maya", false), "{}");
    }
}
