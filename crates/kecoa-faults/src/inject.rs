//! Errors that the server did not mean: how statements are recognized, and what is sent instead.
//!
//! An error is raised where a real one would be, by a statement that is sure to fail in the place
//! of the client's; the server's own error for it is then given the SQLSTATE wanted. So the
//! session and its transaction are left as a real error leaves them, whatever the server is.

use bytes::{BufMut, Bytes, BytesMut};
use kecoa_proto::SqlState;
use kecoa_sql::{Statement, split};

/// What the name of anything that is sure not to exist begins with.
const MARKER: &str = "kecoa_fault_";

/// What a statement is to the faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// Where it starts in its message's text, in bytes.
    pub(super) offset: usize,
    /// COMMIT or END.
    pub(super) commit: bool,
    /// It opens, ends or divides a transaction.
    pub(super) control: bool,
    /// Lower case, every run of blanks one blank.
    text: String,
}

impl Seen {
    fn new(statement: &Statement<'_>) -> Seen {
        const CONTROL: [&str; 8] =
            ["begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release"];
        let commit = statement.is_any(0, &["commit", "end"]) && !statement.is(1, "prepared");
        Seen {
            offset: statement.offset(),
            commit,
            control: statement.is_any(0, &CONTROL),
            text: plain(&String::from_utf8_lossy(statement.sql())),
        }
    }

    /// Whether it holds this text, given by [`plain`].
    pub(super) fn holds(&self, plain: &str) -> bool {
        self.text.contains(plain)
    }
}

/// The statements of a message.
pub(super) fn statements(sql: &[u8]) -> Vec<Seen> {
    split(sql, false).iter().map(Seen::new).collect()
}

/// Text as it is compared.
pub(super) fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The statement text in a Query, or in a Parse with the name it gets.
pub(super) fn query_text(body: &[u8]) -> &[u8] {
    until_nul(body).0
}

/// The two strings that Parse (name, text) and Bind (portal, statement) begin with.
pub(super) fn two_strings(body: &[u8]) -> (&[u8], &[u8]) {
    let (first, rest) = until_nul(body);
    (first, until_nul(rest).0)
}

fn until_nul(bytes: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(0, bytes).and_then(|at| bytes.split_at_checked(at)) {
        Some((text, rest)) => (text, rest.get(1..).unwrap_or_default()),
        None => (bytes, &[]),
    }
}

/// A Query whose statements before `offset` are the client's; then comes one that fails.
pub(super) fn failing_query(sql: &[u8], offset: usize, marker: u64) -> Bytes {
    let failing = format!("SELECT {MARKER}{marker}()");
    query(&[sql.get(..offset).unwrap_or_default(), failing.as_bytes()])
}

/// A Query whose statements before `offset` are the client's; then comes ROLLBACK.
pub(super) fn rollback_query(sql: &[u8], offset: usize) -> Bytes {
    query(&[sql.get(..offset).unwrap_or_default(), b"ROLLBACK"])
}

fn query(parts: &[&[u8]]) -> Bytes {
    let mut body = BytesMut::new();
    parts.iter().for_each(|part| body.put_slice(part));
    body.put_u8(0);
    message(b'Q', &body)
}

/// A Bind of a statement that does not exist.
pub(super) fn failing_bind(marker: u64) -> Bytes {
    let mut body = BytesMut::new();
    body.put_u8(0);
    body.put_slice(format!("{MARKER}{marker}").as_bytes());
    body.put_bytes(0, 7);
    message(b'B', &body)
}

/// The marker that an ErrorResponse complains about.
pub(super) fn marker_in(body: &[u8]) -> Option<u64> {
    let at = memchr::memmem::find(body, MARKER.as_bytes())?;
    let digits: String = body
        .get(at + MARKER.len()..)?
        .iter()
        .map_while(|byte| byte.is_ascii_digit().then_some(char::from(*byte)))
        .collect();
    digits.parse().ok()
}

/// Whether a server that reports this error in a session ends the session.
pub(super) fn is_fatal(code: SqlState) -> bool {
    matches!(code.class(), "57" if code.as_str() != "57014")
        || code.class() == "28"
        || matches!(code.as_str(), "53300" | "25P03" | "25P04" | "08P01")
}

/// An ErrorResponse; `what` is the fault that made it.
pub(super) fn error(code: SqlState, fatal: bool, what: &str) -> Bytes {
    // Some clients look for CockroachDB's words rather than for the code.
    let prefix = if code.as_str() == "40001" { "restart transaction: " } else { "" };
    report(code, fatal, &format!("{prefix}injected by the fault harness ({what})"))
}

/// An ErrorResponse with this message.
pub(super) fn report(code: SqlState, fatal: bool, text: &str) -> Bytes {
    let severity = if fatal { "FATAL" } else { "ERROR" };
    let mut body = BytesMut::new();
    for (field, value) in [(b'S', severity), (b'V', severity), (b'C', code.as_str()), (b'M', text)]
    {
        body.put_u8(field);
        body.put_slice(value.replace('\0', "").as_bytes());
        body.put_u8(0);
    }
    body.put_u8(0);
    message(b'E', &body)
}

/// A message: tag, length, body.
fn message(tag: u8, body: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(body.len() + 5);
    out.put_u8(tag);
    // Bodies are at most the head of a message that came, and a few words.
    out.put_u32(u32::try_from(body.len() + 4).unwrap_or(u32::MAX));
    out.put_slice(body);
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_recognized() {
        let seen = statements(
            b"BEGIN; UPDATE  \"A\"\n SET x = ';COMMIT'; commit work; END; COMMIT PREPARED 'x'",
        );
        let commits: Vec<bool> = seen.iter().map(|s| s.commit).collect();
        assert_eq!(commits, [false, false, true, true, false]);
        let control: Vec<bool> = seen.iter().map(|s| s.control).collect();
        assert_eq!(control, [true, false, true, true, true]);
        assert!(seen[1].holds(&plain(" update \"a\" SET ")));
        assert!(!seen[1].holds(&plain("delete")));
    }

    #[test]
    fn what_replaces_a_statement_is_recognized_again() {
        let sql = b"BEGIN;UPDATE t";
        let made = failing_query(sql, 6, 17);
        assert_eq!(&made[..], b"Q\0\0\0\x22BEGIN;SELECT kecoa_fault_17()\0");
        assert_eq!(marker_in(b"SERROR\0Mfunction kecoa_fault_17() does not exist\0"), Some(17));
        assert_eq!(marker_in(b"SERROR\0Mno\0"), None);
        assert_eq!(marker_in(b"kecoa_fault_x"), None);
        assert_eq!(&rollback_query(sql, 0)[..], b"Q\0\0\0\x0dROLLBACK\0");
        assert_eq!(&failing_bind(3)[..], b"B\0\0\0\x19\0kecoa_fault_3\0\0\0\0\0\0\0");
        assert_eq!(two_strings(b"s1\0SELECT 1\0\0\0"), (&b"s1"[..], &b"SELECT 1"[..]));
        assert_eq!(two_strings(b"s1"), (&b"s1"[..], &b""[..]));
    }

    #[test]
    fn errors_that_end_sessions_are_fatal() {
        let code = |text: &str| SqlState::from_bytes(text.as_bytes()).unwrap();
        assert!(is_fatal(code("57P01")) && is_fatal(code("53300")) && is_fatal(code("28000")));
        assert!(!is_fatal(code("40001")) && !is_fatal(code("57014")) && !is_fatal(code("XX000")));
        let body = error(code("40001"), false, "error:40001@commit");
        assert!(body.ends_with(b"fault harness (error:40001@commit)\0\0"));
    }
}
