//! Errors and notices of the server, as data.

use std::borrow::Cow;
use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use memchr::memchr;

use crate::error::{ProtocolError, UsageError};
use crate::message::tags::backend as tags;
use crate::message::write;
use crate::sqlstate::SqlState;

/// All fields of an ErrorResponse or NoticeResponse, those with unknown codes too.
///
/// Texts are in the client's encoding. The accessors replace what is not UTF-8;
/// [`field`](ServerError::field) has the bytes as they came.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerError {
    /// The message's body, checked: fields of a code and a string each, and a NUL.
    body: Bytes,
    sqlstate: SqlState,
}

/// What stands for a SQLSTATE that is missing or none: `XX000`, an internal error.
const NO_SQLSTATE: SqlState = SqlState::INTERNAL_ERROR;

impl ServerError {
    /// Starts an error or notice for a client. `severity` is `ERROR`, `FATAL`, `PANIC`, `WARNING`,
    /// `NOTICE`, `DEBUG`, `INFO` or `LOG`.
    #[must_use]
    pub fn builder(severity: &str, sqlstate: SqlState, message: &str) -> ServerErrorBuilder {
        let builder = ServerErrorBuilder { fields: BytesMut::new(), sqlstate, failed: None };
        builder
            .field(b'S', severity.as_bytes())
            .field(b'V', severity.as_bytes())
            .field(b'C', sqlstate.as_bytes())
            .field(b'M', message.as_bytes())
    }

    /// Reads the body of the message called `message`. It is copied, so that a kept error does not
    /// pin the buffer it came in.
    pub(crate) fn decode(message: &'static str, body: &[u8]) -> Result<ServerError, ProtocolError> {
        let mut rest = body;
        let mut sqlstate = None;
        loop {
            match rest.split_first() {
                None => {
                    return Err(ProtocolError::malformed(
                        message,
                        "NUL behind the last field",
                        "the end of the message",
                    ));
                }
                Some((0, [])) => break,
                Some((0, more)) => {
                    return Err(ProtocolError::malformed(
                        message,
                        "the end of the message",
                        format!("{} more bytes", more.len()),
                    ));
                }
                Some((code, text)) => {
                    let Some((value, more)) = split_string(text) else {
                        return Err(ProtocolError::malformed(
                            message,
                            format!("field {} to end with NUL", char::from(*code)),
                            "the end of the message",
                        ));
                    };
                    if *code == b'C' && sqlstate.is_none() {
                        sqlstate = SqlState::from_bytes(value);
                    }
                    rest = more;
                }
            }
        }
        Ok(ServerError {
            body: Bytes::copy_from_slice(body),
            sqlstate: sqlstate.unwrap_or(NO_SQLSTATE),
        })
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Every field: its code and its bytes, in the order they came.
    pub fn fields(&self) -> impl Iterator<Item = (u8, &[u8])> {
        let mut rest: &[u8] = &self.body;
        std::iter::from_fn(move || {
            let (code, text) = rest.split_first()?;
            if *code == 0 {
                return None;
            }
            let (value, more) = split_string(text)?;
            rest = more;
            Some((*code, value))
        })
    }

    /// The bytes of the first field with this code: `b'M'` for the message, `b'D'` for the detail …
    /// (PostgreSQL's "Error and Notice Message Fields").
    #[must_use]
    pub fn field(&self, code: u8) -> Option<&[u8]> {
        self.fields().find(|(found, _)| *found == code).map(|(_, value)| value)
    }

    fn text(&self, code: u8) -> Option<Cow<'_, str>> {
        self.field(code).map(String::from_utf8_lossy)
    }

    fn number(&self, code: u8) -> Option<u32> {
        std::str::from_utf8(self.field(code)?).ok()?.parse().ok()
    }

    /// `S`: the severity, in the language of the server's messages.
    #[must_use]
    pub fn localized_severity(&self) -> Cow<'_, str> {
        self.text(b'S').unwrap_or_default()
    }

    /// `V`: the severity in English; `S` from servers that send no `V`, which are those before
    /// PostgreSQL 9.6 and some others that speak its protocol.
    #[must_use]
    pub fn severity(&self) -> Cow<'_, str> {
        self.text(b'V').unwrap_or_else(|| self.localized_severity())
    }

    /// `C`: the SQLSTATE; `XX000` (internal error) if the field is missing or holds none.
    #[must_use]
    pub fn sqlstate(&self) -> SqlState {
        self.sqlstate
    }

    /// `M`: what happened, usually in one line.
    #[must_use]
    pub fn message(&self) -> Cow<'_, str> {
        self.text(b'M').unwrap_or_default()
    }

    /// `D`: more about it.
    #[must_use]
    pub fn detail(&self) -> Option<Cow<'_, str>> {
        self.text(b'D')
    }

    /// `H`: what to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<Cow<'_, str>> {
        self.text(b'H')
    }

    /// `P`: where in the query, in characters (not bytes), the first being 1.
    #[must_use]
    pub fn position(&self) -> Option<u32> {
        self.number(b'P')
    }

    /// `p`: the same for [`internal_query`](ServerError::internal_query).
    #[must_use]
    pub fn internal_position(&self) -> Option<u32> {
        self.number(b'p')
    }

    /// `q`: a query that the server made up, such as one inside a function.
    #[must_use]
    pub fn internal_query(&self) -> Option<Cow<'_, str>> {
        self.text(b'q')
    }

    /// `W`: where it happened; a call stack, innermost first.
    #[must_use]
    pub fn context(&self) -> Option<Cow<'_, str>> {
        self.text(b'W')
    }

    /// `s`: the schema of what it is about.
    #[must_use]
    pub fn schema_name(&self) -> Option<Cow<'_, str>> {
        self.text(b's')
    }

    /// `t`: the table it is about.
    #[must_use]
    pub fn table_name(&self) -> Option<Cow<'_, str>> {
        self.text(b't')
    }

    /// `c`: the column it is about.
    #[must_use]
    pub fn column_name(&self) -> Option<Cow<'_, str>> {
        self.text(b'c')
    }

    /// `d`: the type it is about.
    #[must_use]
    pub fn datatype_name(&self) -> Option<Cow<'_, str>> {
        self.text(b'd')
    }

    /// `n`: the constraint it is about.
    #[must_use]
    pub fn constraint_name(&self) -> Option<Cow<'_, str>> {
        self.text(b'n')
    }

    /// `F`: the server's source file that raised it.
    #[must_use]
    pub fn source_file(&self) -> Option<Cow<'_, str>> {
        self.text(b'F')
    }

    /// `L`: the line in that file.
    #[must_use]
    pub fn source_line(&self) -> Option<u32> {
        self.number(b'L')
    }

    /// `R`: the server's function that raised it.
    #[must_use]
    pub fn source_function(&self) -> Option<Cow<'_, str>> {
        self.text(b'R')
    }

    /// Whether the session ends with it: severity FATAL or PANIC.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        let severity = self.field(b'V').or_else(|| self.field(b'S'));
        matches!(severity, Some(b"FATAL" | b"PANIC"))
    }

    /// The same error with another position, such as one moved by the length of a prefix that the
    /// caller's query did not have. `None` takes the position away.
    #[must_use]
    pub fn with_position(&self, position: Option<u32>) -> ServerError {
        let mut builder =
            ServerErrorBuilder { fields: BytesMut::new(), sqlstate: self.sqlstate, failed: None };
        for (code, value) in self.fields() {
            builder = match (code, position) {
                (b'P', Some(position)) => builder.field(b'P', position.to_string().as_bytes()),
                (b'P', None) => builder,
                _ => builder.field(code, value),
            };
        }
        // No field can hold a NUL: they were split at them.
        builder.fields.put_u8(0);
        ServerError { body: builder.fields.freeze(), sqlstate: self.sqlstate }
    }

    /// Appends it to `out` as an ErrorResponse.
    ///
    /// # Errors
    /// More than 1 GiB - 1 bytes.
    pub fn encode_error(&self, out: &mut BytesMut) -> Result<(), UsageError> {
        self.encode(out, tags::ERROR_RESPONSE)
    }

    /// Appends it to `out` as a NoticeResponse.
    ///
    /// # Errors
    /// More than 1 GiB - 1 bytes.
    pub fn encode_notice(&self, out: &mut BytesMut) -> Result<(), UsageError> {
        self.encode(out, tags::NOTICE_RESPONSE)
    }

    fn encode(&self, out: &mut BytesMut, tag: u8) -> Result<(), UsageError> {
        write::framed(out, Some(tag), |out| {
            out.put_slice(&self.body);
            Ok(())
        })
    }
}

/// Splits a string off: what is before the first NUL, and what is after it.
fn split_string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr(0, text)?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (SQLSTATE {})", self.severity(), self.message(), self.sqlstate)
    }
}

impl fmt::Debug for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (code, value) in self.fields() {
            map.entry(&char::from(code), &String::from_utf8_lossy(value));
        }
        map.finish()
    }
}

impl std::error::Error for ServerError {}

/// Builds a [`ServerError`], field by field.
#[derive(Clone, Debug)]
pub struct ServerErrorBuilder {
    fields: BytesMut,
    sqlstate: SqlState,
    failed: Option<UsageError>,
}

impl ServerErrorBuilder {
    /// Adds any field. A code of 0 or a NUL in the value makes [`build`](Self::build) fail.
    #[must_use]
    pub fn field(mut self, code: u8, value: &[u8]) -> Self {
        if code == 0 {
            self.failed.get_or_insert(UsageError::Nul { what: "an error field's code", at: 0 });
            return self;
        }
        self.fields.put_u8(code);
        if let Err(error) = write::string(&mut self.fields, value, "an error field") {
            self.failed.get_or_insert(error);
        }
        self
    }

    /// Adds `D`.
    #[must_use]
    pub fn detail(self, detail: &str) -> Self {
        self.field(b'D', detail.as_bytes())
    }

    /// Adds `H`.
    #[must_use]
    pub fn hint(self, hint: &str) -> Self {
        self.field(b'H', hint.as_bytes())
    }

    /// Adds `P`, in characters, the first being 1.
    #[must_use]
    pub fn position(self, position: u32) -> Self {
        self.field(b'P', position.to_string().as_bytes())
    }

    /// The error.
    ///
    /// # Errors
    /// A NUL in a field.
    pub fn build(mut self) -> Result<ServerError, UsageError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.fields.put_u8(0);
        Ok(ServerError { body: self.fields.freeze(), sqlstate: self.sqlstate })
    }
}
