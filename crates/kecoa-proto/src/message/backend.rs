//! Messages from the server to the client, once the connection is open.
//!
//! Source: the chapter "Message Formats" of PostgreSQL's documentation, whose names these are. Texts
//! are in the client's encoding; lengths are in bytes.

mod authentication;
mod command_tag;
mod copy_response;
mod negotiate_protocol_version;
mod row_description;
mod server_error;

use bytes::{BufMut, Bytes, BytesMut};

use super::read::Reader;
use super::startup::CancelKey;
use super::tags::backend as tags;
use super::transaction_status::TransactionStatus;
use super::write;
use crate::error::{ProtocolError, UsageError};

pub use authentication::Authentication;
pub use command_tag::CommandTag;
pub use copy_response::CopyResponse;
pub use negotiate_protocol_version::NegotiateProtocolVersion;
pub use row_description::{Field, RowDescription};
pub use server_error::{ServerError, ServerErrorBuilder};

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

impl Message {
    /// Reads the body of the message with this tag.
    ///
    /// # Errors
    /// A tag that no server sends, a body that does not follow the message's format.
    pub fn decode(tag: u8, body: Bytes) -> Result<Message, ProtocolError> {
        let mut r = Reader::new(tags::name(tag), body);
        let message = match tag {
            tags::AUTHENTICATION => Message::Authentication(Authentication::read(&mut r)?),
            tags::BACKEND_KEY_DATA => Message::BackendKeyData(CancelKey::read(&mut r)?),
            tags::BIND_COMPLETE => Message::BindComplete,
            tags::CLOSE_COMPLETE => Message::CloseComplete,
            tags::COMMAND_COMPLETE => {
                Message::CommandComplete(CommandTag::new(&r.string("a command tag")?))
            }
            tags::COPY_DATA => Message::CopyData(r.rest()),
            tags::COPY_DONE => Message::CopyDone,
            tags::COPY_IN_RESPONSE => Message::CopyInResponse(CopyResponse::read(&mut r)?),
            tags::COPY_OUT_RESPONSE => Message::CopyOutResponse(CopyResponse::read(&mut r)?),
            tags::COPY_BOTH_RESPONSE => Message::CopyBothResponse(CopyResponse::read(&mut r)?),
            tags::DATA_ROW => Message::DataRow(DataRow { columns: r.values("a column")? }),
            tags::EMPTY_QUERY_RESPONSE => Message::EmptyQueryResponse,
            tags::ERROR_RESPONSE => {
                Message::ErrorResponse(ServerError::decode(tags::name(tag), &r.rest())?)
            }
            tags::FUNCTION_CALL_RESPONSE => {
                Message::FunctionCallResponse(r.value("a function's result")?)
            }
            tags::NEGOTIATE_PROTOCOL_VERSION => {
                Message::NegotiateProtocolVersion(NegotiateProtocolVersion::read(&mut r)?)
            }
            tags::NO_DATA => Message::NoData,
            tags::NOTICE_RESPONSE => {
                Message::NoticeResponse(ServerError::decode(tags::name(tag), &r.rest())?)
            }
            tags::NOTIFICATION_RESPONSE => Message::NotificationResponse(Notification {
                process_id: r.i32("a process id")?,
                channel: r.string("a channel")?,
                payload: r.string("a payload")?,
            }),
            tags::PARAMETER_DESCRIPTION => Message::ParameterDescription(r.oids()?),
            tags::PARAMETER_STATUS => Message::ParameterStatus(ParameterStatus {
                name: r.string("a parameter's name")?,
                value: r.string("a parameter's value")?,
            }),
            tags::PARSE_COMPLETE => Message::ParseComplete,
            tags::PORTAL_SUSPENDED => Message::PortalSuspended,
            tags::READY_FOR_QUERY => {
                let code = r.u8("a transaction status")?;
                let Some(status) = TransactionStatus::from_code(code) else {
                    return Err(r.malformed("I, T or E", format!("byte {code:#04x}")));
                };
                Message::ReadyForQuery(status)
            }
            tags::ROW_DESCRIPTION => Message::RowDescription(RowDescription::decode(r.rest())?),
            other => {
                return Err(ProtocolError::Unexpected {
                    expected: "a message of the server",
                    found: tags::describe(other),
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
            Message::Authentication(_) => tags::AUTHENTICATION,
            Message::BackendKeyData(_) => tags::BACKEND_KEY_DATA,
            Message::BindComplete => tags::BIND_COMPLETE,
            Message::CloseComplete => tags::CLOSE_COMPLETE,
            Message::CommandComplete(_) => tags::COMMAND_COMPLETE,
            Message::CopyData(_) => tags::COPY_DATA,
            Message::CopyDone => tags::COPY_DONE,
            Message::CopyInResponse(_) => tags::COPY_IN_RESPONSE,
            Message::CopyOutResponse(_) => tags::COPY_OUT_RESPONSE,
            Message::CopyBothResponse(_) => tags::COPY_BOTH_RESPONSE,
            Message::DataRow(_) => tags::DATA_ROW,
            Message::EmptyQueryResponse => tags::EMPTY_QUERY_RESPONSE,
            Message::ErrorResponse(_) => tags::ERROR_RESPONSE,
            Message::FunctionCallResponse(_) => tags::FUNCTION_CALL_RESPONSE,
            Message::NegotiateProtocolVersion(_) => tags::NEGOTIATE_PROTOCOL_VERSION,
            Message::NoData => tags::NO_DATA,
            Message::NoticeResponse(_) => tags::NOTICE_RESPONSE,
            Message::NotificationResponse(_) => tags::NOTIFICATION_RESPONSE,
            Message::ParameterDescription(_) => tags::PARAMETER_DESCRIPTION,
            Message::ParameterStatus(_) => tags::PARAMETER_STATUS,
            Message::ParseComplete => tags::PARSE_COMPLETE,
            Message::PortalSuspended => tags::PORTAL_SUSPENDED,
            Message::ReadyForQuery(_) => tags::READY_FOR_QUERY,
            Message::RowDescription(_) => tags::ROW_DESCRIPTION,
        }
    }
}
