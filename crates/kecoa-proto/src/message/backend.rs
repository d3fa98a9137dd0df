//! Messages from the server to the client, once the connection is open.

use bytes::{BufMut, Bytes, BytesMut};
use memchr::memchr;

use super::authentication::Authentication;
use super::command_tag::CommandTag;
use super::read::Reader;
use super::startup::CancelKey;
use super::{Format, TransactionStatus, write};
use crate::error::{ProtocolError, UsageError};
use crate::server_error::ServerError;

/// A message from the server. PostgreSQL's documentation has the same names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// `R`
    Authentication(Authentication),
    /// `K`: what a CancelRequest has to name.
    BackendKeyData(CancelKey),
    /// `2`
    BindComplete,
    /// `3`
    CloseComplete,
    /// `C`
    CommandComplete(CommandTag),
    /// `d`: a piece of a COPY's data.
    CopyData(Bytes),
    /// `c`: the data of a COPY is complete.
    CopyDone,
    /// `G`: the server waits for a COPY's data.
    CopyInResponse(CopyResponse),
    /// `H`: a COPY's data follows.
    CopyOutResponse(CopyResponse),
    /// `W`: data flows both ways (replication).
    CopyBothResponse(CopyResponse),
    /// `D`
    DataRow(DataRow),
    /// `I`: the query was empty.
    EmptyQueryResponse,
    /// `E`
    ErrorResponse(ServerError),
    /// `V`: a function's result; `None` is NULL.
    FunctionCallResponse(Option<Bytes>),
    /// `v`
    NegotiateProtocolVersion(NegotiateProtocolVersion),
    /// `n`: the statement returns no rows.
    NoData,
    /// `N`
    NoticeResponse(ServerError),
    /// `A`
    NotificationResponse(Notification),
    /// `t`: oids of a prepared statement's parameters.
    ParameterDescription(Vec<u32>),
    /// `S`
    ParameterStatus(ParameterStatus),
    /// `1`
    ParseComplete,
    /// `s`: Execute's number of rows is reached, there are more.
    PortalSuspended,
    /// `Z`: the server waits for the next request.
    ReadyForQuery(TransactionStatus),
    /// `T`
    RowDescription(RowDescription),
}

/// One row. A client's [`crate::Connection`] does not make these: it hands out [`crate::Rows`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataRow {
    /// One value a column; `None` is NULL.
    pub columns: Vec<Option<Bytes>>,
}

/// The columns of a result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowDescription {
    /// One a column.
    pub fields: Vec<Field>,
}

/// A column of a result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// Its name, in the client's encoding.
    pub name: Bytes,
    /// The oid of the table it comes from; 0 if from none.
    pub table_oid: u32,
    /// Its number in that table; 0 if from none.
    pub column: i16,
    /// The oid of its type.
    pub type_oid: u32,
    /// The size of its type in bytes; negative if it varies (`pg_type.typlen`).
    pub type_size: i16,
    /// What the type's parentheses said, in the type's own code (`pg_attribute.atttypmod`); -1 for
    /// nothing.
    pub type_modifier: i32,
    /// The form its values come in; text in the answer to a Describe of a statement, where it is
    /// not known yet.
    pub format: Format,
}

/// The start of a COPY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyResponse {
    /// Text (or CSV), or binary.
    pub format: Format,
    /// The form of each column.
    pub columns: Vec<Format>,
}

/// What NOTIFY sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// The process id of the backend that sent it.
    pub process_id: i32,
    /// The channel.
    pub channel: Bytes,
    /// The payload; empty if there is none.
    pub payload: Bytes,
}

/// The value of a setting that the server reports without being asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterStatus {
    /// Its name.
    pub name: Bytes,
    /// Its value.
    pub value: Bytes,
}

/// The server does not know the version, or some of the `_pq_.` parameters, that were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NegotiateProtocolVersion {
    /// The newest version that it speaks, as an Int32.
    pub newest: u32,
    /// Names of the parameters that it does not know.
    pub unrecognized: Vec<Bytes>,
}

impl Message {
    /// Reads the body of the message with this tag.
    ///
    /// # Errors
    /// A tag that no server sends, a body that does not follow the message's format.
    pub fn decode(tag: u8, body: Bytes) -> Result<Message, ProtocolError> {
        let mut r = Reader::new(name(tag), body);
        let message = match tag {
            b'R' => Message::Authentication(Authentication::read(&mut r)?),
            b'K' => Message::BackendKeyData(CancelKey::read(&mut r)?),
            b'2' => Message::BindComplete,
            b'3' => Message::CloseComplete,
            b'C' => Message::CommandComplete(CommandTag::new(&r.string("a command tag")?)),
            b'd' => Message::CopyData(r.rest()),
            b'c' => Message::CopyDone,
            b'G' => Message::CopyInResponse(CopyResponse::read(&mut r)?),
            b'H' => Message::CopyOutResponse(CopyResponse::read(&mut r)?),
            b'W' => Message::CopyBothResponse(CopyResponse::read(&mut r)?),
            b'D' => Message::DataRow(DataRow { columns: r.values("a column")? }),
            b'I' => Message::EmptyQueryResponse,
            b'E' => Message::ErrorResponse(ServerError::decode("ErrorResponse", &r.rest())?),
            b'V' => Message::FunctionCallResponse(r.value("a function's result")?),
            b'v' => Message::NegotiateProtocolVersion(NegotiateProtocolVersion::read(&mut r)?),
            b'n' => Message::NoData,
            b'N' => Message::NoticeResponse(ServerError::decode("NoticeResponse", &r.rest())?),
            b'A' => Message::NotificationResponse(Notification {
                process_id: r.i32("a process id")?,
                channel: r.string("a channel")?,
                payload: r.string("a payload")?,
            }),
            b't' => Message::ParameterDescription(r.oids()?),
            b'S' => Message::ParameterStatus(ParameterStatus {
                name: r.string("a parameter's name")?,
                value: r.string("a parameter's value")?,
            }),
            b'1' => Message::ParseComplete,
            b's' => Message::PortalSuspended,
            b'Z' => {
                let code = r.u8("a transaction status")?;
                let Some(status) = TransactionStatus::from_code(code) else {
                    return Err(r.malformed("I, T or E", format!("byte {code:#04x}")));
                };
                Message::ReadyForQuery(status)
            }
            b'T' => Message::RowDescription(RowDescription::read(&mut r)?),
            other => {
                return Err(ProtocolError::Unexpected {
                    expected: "a message of the server",
                    found: describe(other),
                    state: "at the client",
                });
            }
        };
        r.end()?;
        Ok(message)
    }

    /// Appends the message, framed, to `out`.
    ///
    /// # Errors
    /// A NUL inside a string, more than 65 535 of something, more than 1 GiB - 1 bytes; `out` is
    /// then as it was.
    pub fn encode(&self, out: &mut BytesMut) -> Result<(), UsageError> {
        write::framed(out, Some(self.tag()), |out| match self {
            Message::Authentication(authentication) => authentication.write(out),
            Message::BackendKeyData(key) => key.write(out),
            Message::CommandComplete(tag) => write::string(out, tag.as_bytes(), "a command tag"),
            Message::CopyData(data) => {
                out.put_slice(data);
                Ok(())
            }
            Message::CopyInResponse(copy)
            | Message::CopyOutResponse(copy)
            | Message::CopyBothResponse(copy) => copy.write(out),
            Message::DataRow(row) => {
                write::count(out, row.columns.len(), "columns")?;
                for column in &row.columns {
                    write::value(out, column.as_deref(), "a column")?;
                }
                Ok(())
            }
            Message::ErrorResponse(error) | Message::NoticeResponse(error) => {
                out.put_slice(error.body());
                Ok(())
            }
            Message::FunctionCallResponse(value) => {
                write::value(out, value.as_deref(), "a function's result")
            }
            Message::NegotiateProtocolVersion(negotiate) => negotiate.write(out),
            Message::NotificationResponse(notification) => {
                out.put_i32(notification.process_id);
                write::string(out, &notification.channel, "a channel")?;
                write::string(out, &notification.payload, "a payload")
            }
            Message::ParameterDescription(types) => write::oids(out, types, "parameters"),
            Message::ParameterStatus(status) => {
                write::string(out, &status.name, "a parameter's name")?;
                write::string(out, &status.value, "a parameter's value")
            }
            Message::ReadyForQuery(status) => {
                out.put_u8(status.code());
                Ok(())
            }
            Message::RowDescription(description) => description.write(out),
            Message::BindComplete
            | Message::CloseComplete
            | Message::CopyDone
            | Message::EmptyQueryResponse
            | Message::NoData
            | Message::ParseComplete
            | Message::PortalSuspended => Ok(()),
        })
    }

    /// The message's tag.
    #[must_use]
    pub fn tag(&self) -> u8 {
        match self {
            Message::Authentication(_) => b'R',
            Message::BackendKeyData(_) => b'K',
            Message::BindComplete => b'2',
            Message::CloseComplete => b'3',
            Message::CommandComplete(_) => b'C',
            Message::CopyData(_) => b'd',
            Message::CopyDone => b'c',
            Message::CopyInResponse(_) => b'G',
            Message::CopyOutResponse(_) => b'H',
            Message::CopyBothResponse(_) => b'W',
            Message::DataRow(_) => b'D',
            Message::EmptyQueryResponse => b'I',
            Message::ErrorResponse(_) => b'E',
            Message::FunctionCallResponse(_) => b'V',
            Message::NegotiateProtocolVersion(_) => b'v',
            Message::NoData => b'n',
            Message::NoticeResponse(_) => b'N',
            Message::NotificationResponse(_) => b'A',
            Message::ParameterDescription(_) => b't',
            Message::ParameterStatus(_) => b'S',
            Message::ParseComplete => b'1',
            Message::PortalSuspended => b's',
            Message::ReadyForQuery(_) => b'Z',
            Message::RowDescription(_) => b'T',
        }
    }
}

impl RowDescription {
    fn read(r: &mut Reader) -> Result<RowDescription, ProtocolError> {
        let count = r.count("a number of columns")?;
        // A field takes 19 bytes at least: a claim of more fields than that is not believed.
        if count.saturating_mul(19) > r.remaining() {
            return Err(r.malformed(
                format!("{count} columns"),
                format!("{} bytes, too few for them", r.remaining()),
            ));
        }
        let mut fields = Vec::with_capacity(count);
        for _ in 0..count {
            fields.push(Field {
                name: r.string("a column's name")?,
                table_oid: r.u32("a table's oid")?,
                column: r.i16("a column's number")?,
                type_oid: r.u32("a type's oid")?,
                type_size: r.i16("a type's size")?,
                type_modifier: r.i32("a type's modifier")?,
                format: r.format()?,
            });
        }
        Ok(RowDescription { fields })
    }

    fn write(&self, out: &mut BytesMut) -> Result<(), UsageError> {
        write::count(out, self.fields.len(), "columns")?;
        for field in &self.fields {
            write::string(out, &field.name, "a column's name")?;
            out.put_u32(field.table_oid);
            out.put_i16(field.column);
            out.put_u32(field.type_oid);
            out.put_i16(field.type_size);
            out.put_i32(field.type_modifier);
            out.put_i16(field.format.code());
        }
        Ok(())
    }
}

impl CopyResponse {
    fn read(r: &mut Reader) -> Result<CopyResponse, ProtocolError> {
        let format = match r.u8("a format")? {
            0 => Format::Text,
            1 => Format::Binary,
            other => return Err(r.malformed("format 0 or 1", other.to_string())),
        };
        Ok(CopyResponse { format, columns: r.formats()? })
    }

    fn write(&self, out: &mut BytesMut) -> Result<(), UsageError> {
        out.put_u8(u8::from(self.format == Format::Binary));
        write::exact_formats(out, self.columns.iter().copied())
    }
}

impl NegotiateProtocolVersion {
    fn read(r: &mut Reader) -> Result<NegotiateProtocolVersion, ProtocolError> {
        let newest = r.u32("a protocol version")?;
        let count = r.u32("a number of parameters")?;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if count > r.remaining() {
            return Err(r.malformed(
                format!("{count} parameter names"),
                format!("{} bytes, too few for them", r.remaining()),
            ));
        }
        let mut unrecognized = Vec::new();
        for _ in 0..count {
            unrecognized.push(r.string("a parameter's name")?);
        }
        Ok(NegotiateProtocolVersion { newest, unrecognized })
    }

    fn write(&self, out: &mut BytesMut) -> Result<(), UsageError> {
        out.put_u32(self.newest);
        let Ok(count) = i32::try_from(self.unrecognized.len()) else {
            return Err(UsageError::TooMany {
                what: "parameters",
                found: self.unrecognized.len(),
                limit: usize::from(u16::MAX),
            });
        };
        out.put_i32(count);
        for name in &self.unrecognized {
            write::string(out, name, "a parameter's name")?;
        }
        Ok(())
    }
}

/// Reads the body of a CommandComplete without an allocation.
pub(crate) fn command_tag(body: &[u8]) -> Result<CommandTag, ProtocolError> {
    match memchr(0, body) {
        Some(end) if end + 1 == body.len() => {
            Ok(CommandTag::new(body.get(..end).unwrap_or_default()))
        }
        _ => Err(ProtocolError::malformed(
            "CommandComplete",
            "a command tag that ends with NUL",
            format!("{} bytes with none, or more behind it", body.len()),
        )),
    }
}

/// The documentation's name of the server's message with this tag.
#[must_use]
pub fn name(tag: u8) -> &'static str {
    match tag {
        b'R' => "Authentication",
        b'K' => "BackendKeyData",
        b'2' => "BindComplete",
        b'3' => "CloseComplete",
        b'C' => "CommandComplete",
        b'd' => "CopyData",
        b'c' => "CopyDone",
        b'G' => "CopyInResponse",
        b'H' => "CopyOutResponse",
        b'W' => "CopyBothResponse",
        b'D' => "DataRow",
        b'I' => "EmptyQueryResponse",
        b'E' => "ErrorResponse",
        b'V' => "FunctionCallResponse",
        b'v' => "NegotiateProtocolVersion",
        b'n' => "NoData",
        b'N' => "NoticeResponse",
        b'A' => "NotificationResponse",
        b't' => "ParameterDescription",
        b'S' => "ParameterStatus",
        b'1' => "ParseComplete",
        b's' => "PortalSuspended",
        b'Z' => "ReadyForQuery",
        b'T' => "RowDescription",
        _ => "unknown",
    }
}

/// A frame whose side is not known is just that.
pub(crate) fn name_of_either(_: u8) -> &'static str {
    "framed"
}

/// The message's name, or its tag if it has none.
pub(crate) fn describe(tag: u8) -> String {
    match name(tag) {
        "unknown" => format!("a message with the unknown tag {tag:#04x}"),
        name => name.to_owned(),
    }
}
