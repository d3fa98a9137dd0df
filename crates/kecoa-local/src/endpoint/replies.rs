//! What a client sees of PostgreSQL's replies: errors in CockroachDB's words, command tags.

use bytes::{BufMut, Bytes, BytesMut};

use super::context;
use super::messages::{put, put_parts};
use super::origin::Origin;
use super::sqlstates;
use crate::dialect::RETRY_HINT;
use crate::dialect::plan::{OnError, Reply};

/// Schemas that every database has: a name that begins with one names no other database.
const SCHEMAS: [&str; 5] =
    ["public", "pg_catalog", "information_schema", "crdb_internal", "pg_extension"];

/// The fields of an ErrorResponse, in order.
#[derive(Clone, Debug)]
pub(super) struct Fields(Vec<(u8, Bytes)>);

impl Fields {
    /// Reads the body of an ErrorResponse or NoticeResponse; what does not follow the format is
    /// left out.
    pub(super) fn read(body: &Bytes) -> Self {
        let mut fields = Vec::new();
        let mut at = 0;
        while let Some(&code) = body.get(at).filter(|code| **code != 0) {
            let rest = body.get(at + 1..).unwrap_or_default();
            let Some(length) = memchr::memchr(0, rest) else { break };
            fields.push((code, body.slice(at + 1..at + 1 + length)));
            at += length + 2;
        }
        Self(fields)
    }

    /// An error of the endpoint's own.
    pub(super) fn own(severity: &str, code: &str, message: &str) -> Self {
        let mut fields = Self(Vec::new());
        for (name, value) in [(b'S', severity), (b'V', severity), (b'C', code), (b'M', message)] {
            fields.0.push((name, Bytes::copy_from_slice(value.replace('\0', "").as_bytes())));
        }
        fields
    }

    /// The value of a field.
    pub(super) fn get(&self, name: u8) -> Option<&[u8]> {
        self.0.iter().find(|(code, _)| *code == name).map(|(_, value)| value.as_ref())
    }

    /// The SQLSTATE.
    pub(super) fn code(&self) -> &str {
        self.get(b'C').and_then(|code| std::str::from_utf8(code).ok()).unwrap_or("XX000")
    }

    /// Replaces a field, or adds it.
    pub(super) fn set(&mut self, name: u8, value: &str) {
        let value = Bytes::copy_from_slice(value.as_bytes());
        match self.0.iter_mut().find(|(code, _)| *code == name) {
            Some(field) => field.1 = value,
            None => self.0.push((name, value)),
        }
    }

    /// A name with dots that is not found may begin with another database's, unless it begins with a schema
    /// that every database has.
    fn hint_at_database(&mut self) {
        let message = self.get(b'M').unwrap_or_default();
        let starts = |text: &str| message.starts_with(text.as_bytes());
        let meant = match self.code() {
            "42P01" => {
                starts("relation ")
                    && memchr::memchr(b'.', message).is_some()
                    && !SCHEMAS.iter().any(|schema| starts(&format!("relation \"{schema}.")))
            }
            "3F000" => starts("schema "),
            "0A000" => starts("cross-database references"),
            _ => false,
        };
        if meant && self.get(b'H').is_none() {
            let hint = "the local endpoint sees one database at a time: USE another one first";
            self.set(b'H', hint);
        }
    }

    /// Takes out of the context what the endpoint's own functions are: CockroachDB's are no functions.
    fn forget_own_functions(&mut self) {
        let Some(found) = self.get(b'W') else { return };
        match context::of_users(&String::from_utf8_lossy(found)) {
            Some(kept) if kept.is_empty() => self.remove(b"W"),
            Some(kept) => self.set(b'W', &kept),
            None => {}
        }
    }

    pub(super) fn remove(&mut self, names: &[u8]) {
        self.0.retain(|(code, _)| !names.contains(code));
    }

    /// Appends it as a message: `E` or `N`.
    pub(super) fn put(&self, tag: u8, out: &mut BytesMut) {
        let mut body = BytesMut::new();
        for (code, value) in &self.0 {
            body.put_u8(*code);
            body.put_slice(value);
            body.put_u8(0);
        }
        body.put_u8(0);
        put(out, tag, &body);
    }

    /// Makes PostgreSQL's error the client's: CockroachDB's words for retry errors, positions in
    /// the client's own text, no trace of how an error of ours was raised. Returns where in the client's
    /// text it lies, in bytes.
    pub(super) fn translate(
        &mut self,
        on_error: OnError,
        origin: Option<&Origin<'_>>,
    ) -> Option<usize> {
        if matches!(on_error, OnError::Raised | OnError::Injected) {
            self.remove(b"WFLRPpq");
        } else if let Some(other) = sqlstates::other(self.code(), |name| self.get(name)) {
            if let Some((theirs, ours)) = other.words {
                let message = String::from_utf8_lossy(self.get(b'M').unwrap_or_default());
                let message = message.replace(theirs, ours);
                self.set(b'M', &message);
            }
            self.set(b'C', other.becomes);
        }
        let position =
            self.get(b'P').and_then(|text| std::str::from_utf8(text).ok()?.parse::<usize>().ok());
        let place = position.zip(origin);
        match place.and_then(|(position, from)| from.sql.client_position(position, from.client)) {
            Some(moved) => self.set(b'P', &moved.to_string()),
            None => self.remove(b"P"),
        }
        self.hint_at_database();
        self.forget_own_functions();
        if matches!(self.code(), "40001" | "40P01") {
            let message = String::from_utf8_lossy(self.get(b'M').unwrap_or_default()).into_owned();
            if !message.starts_with("restart transaction: ") {
                self.set(
                    b'M',
                    &format!(
                        "restart transaction: TransactionRetryWithProtoRefreshError: \
                         TransactionRetryError: retry txn (RETRY_SERIALIZABLE - {message})"
                    ),
                );
            }
            self.set(b'C', "40001");
            self.set(b'H', RETRY_HINT);
        }
        place.and_then(|(position, from)| from.sql.client_byte(position))
    }
}

/// Whether a notice says that there is no transaction, as PostgreSQL does where the endpoint commits what a
/// batch has run.
pub(super) fn is_of_batch(body: &Bytes) -> bool {
    Fields::read(body).code() == "25P01"
}

/// The command tag the client gets for PostgreSQL's, both without the closing NUL; `None` when it
/// gets none.
pub(super) fn tag(reply: &Reply, found: &[u8]) -> Option<Vec<u8>> {
    match reply {
        Reply::Forward | Reply::CopyIn(_) => Some(found.to_vec()),
        Reply::Hide => None,
        Reply::Tag(tag, counted) => {
            let mut text = tag.as_bytes().to_vec();
            if *counted && let Some(count) = found.rsplit(|byte| *byte == b' ').next() {
                text.push(b' ');
                text.extend_from_slice(count);
            }
            Some(text)
        }
    }
}

/// Appends a CommandComplete.
pub(super) fn put_tag(tag: &[u8], out: &mut BytesMut) {
    put_parts(out, b'C', &[tag, &[0]]);
}

/// The string in front of the first NUL, and what follows it.
pub(super) fn string(body: &Bytes) -> Option<(Bytes, Bytes)> {
    let end = memchr::memchr(0, body)?;
    Some((body.slice(..end), body.slice(end + 1..)))
}

/// The columns of a DataRow as text; what does not follow the format ends the row.
pub(super) fn row(body: &Bytes) -> Vec<Option<String>> {
    let mut values = Vec::new();
    let mut rest = body.get(2..).unwrap_or_default();
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let length = i32::from_be_bytes(*length);
        let Ok(length) = usize::try_from(length) else {
            values.push(None);
            rest = tail;
            continue;
        };
        let Some((value, tail)) = tail.split_at_checked(length) else { break };
        values.push(Some(String::from_utf8_lossy(value).into_owned()));
        rest = tail;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(u8, &str)]) -> Fields {
        let mut body = BytesMut::new();
        for (code, value) in pairs {
            body.put_u8(*code);
            body.put_slice(value.as_bytes());
            body.put_u8(0);
        }
        body.put_u8(0);
        Fields::read(&body.freeze())
    }

    #[test]
    fn a_deadlock_is_a_retry_error() {
        let mut error = fields(&[(b'S', "ERROR"), (b'C', "40P01"), (b'M', "deadlock detected")]);
        error.translate(OnError::Fail, None);
        assert_eq!(error.code(), "40001");
        let message = std::str::from_utf8(error.get(b'M').unwrap()).unwrap();
        assert!(message.starts_with("restart transaction: TransactionRetryWithProtoRefreshError"));
        assert!(message.contains("deadlock detected"));
        assert!(error.get(b'H').unwrap().starts_with(b"See: https://www.cockroachlabs.com/docs/"));
    }

    #[test]
    fn a_position_without_a_source_is_dropped() {
        let mut error = fields(&[(b'C', "42601"), (b'M', "x"), (b'P', "8")]);
        error.translate(OnError::Fail, None);
        assert_eq!(error.get(b'P'), None);
    }

    #[test]
    fn tags() {
        let show = Reply::Tag("SHOW TABLES".to_owned(), true);
        assert_eq!(tag(&show, b"SELECT 3").unwrap(), b"SHOW TABLES 3");
        assert_eq!(tag(&Reply::Forward, b"INSERT 0 2").unwrap(), b"INSERT 0 2");
        assert_eq!(tag(&Reply::Hide, b"SELECT 3"), None);
    }

    fn hint(message: &str) -> bool {
        let mut fields = Fields::own("ERROR", "42P01", message);
        fields.hint_at_database();
        fields.get(b'H').is_some()
    }

    #[test]
    fn names_that_may_begin_with_another_database_have_a_hint() {
        assert!(hint("relation \"elsewhere.t\" does not exist"));
        assert!(hint("relation \"publications.t\" does not exist"));
        assert!(!hint("relation \"t\" does not exist"));
        for schema in SCHEMAS {
            assert!(!hint(&format!("relation \"{schema}.t\" does not exist")), "{schema}");
        }
    }
}
