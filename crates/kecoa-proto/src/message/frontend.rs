//! Messages from the client to the server, once the connection is open.
//!
//! Source: the chapter "Message Formats" of PostgreSQL's documentation, whose names these are. Texts
//! are in the client's encoding; lengths are in bytes.

pub(crate) mod encode;
mod password;
mod target;

use bytes::{BufMut, Bytes, BytesMut};

use super::format::Format;
use super::read::Reader;
use super::tags::frontend as tags;
use super::write;
use crate::error::{ProtocolError, UsageError};

pub use password::Password;
pub use target::Target;

/// A message from the client. PostgreSQL's documentation has the same names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// `B`
    Bind(Bind),
    /// `C`: closes a prepared statement or a portal.
    Close(Target<Bytes>),
    /// `d`: a piece of a COPY's data.
    CopyData(Bytes),
    /// `c`: the data of a COPY is complete.
    CopyDone,
    /// `f`: the client gives a COPY up, for the reason it names.
    CopyFail(Bytes),
    /// `D`: asks for the description of a prepared statement or a portal.
    Describe(Target<Bytes>),
    /// `E`
    Execute(Execute),
    /// `H`: asks the server to send what it holds back.
    Flush,
    /// `F`
    FunctionCall(FunctionCall),
    /// `P`
    Parse(Parse),
    /// `p`: PasswordMessage, SASLInitialResponse, SASLResponse or GSSResponse. Which of them it is
    /// follows from what the server asked for.
    Password(Password),
    /// `Q`
    Query(Query),
    /// `S`: ends an extended request.
    Sync,
    /// `X`: the client goes.
    Terminate,
}

/// A simple query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// One or more statements, in the client's encoding.
    pub sql: Bytes,
}

/// Makes a prepared statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parse {
    /// Its name; empty for the unnamed statement.
    pub name: Bytes,
    /// One statement, in the client's encoding.
    pub sql: Bytes,
    /// Oids of the parameters' types; 0, or none at all, for the server to find out.
    pub types: Vec<u32>,
}

/// Makes a portal out of a prepared statement and its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bind {
    /// The portal's name; empty for the unnamed portal.
    pub portal: Bytes,
    /// The statement's name; empty for the unnamed statement.
    pub statement: Bytes,
    /// Form of the parameters: none for all text, one for all, or one each.
    pub formats: Vec<Format>,
    /// The parameters; `None` is NULL.
    pub parameters: Vec<Option<Bytes>>,
    /// Form of the result's columns: none for all text, one for all, or one each.
    pub results: Vec<Format>,
}

/// Runs a portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execute {
    /// The portal's name.
    pub portal: Bytes,
    /// How many rows to return before it is suspended; 0 for all.
    pub max_rows: u32,
}

/// A call of a function by its oid. PostgreSQL keeps it for old clients; CockroachDB has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionCall {
    /// The function's oid.
    pub oid: u32,
    /// Form of the arguments: none for all text, one for all, or one each.
    pub formats: Vec<Format>,
    /// The arguments; `None` is NULL.
    pub arguments: Vec<Option<Bytes>>,
    /// Form of the result.
    pub result: Format,
}

impl Message {
    /// Reads the body of the message with this tag.
    ///
    /// # Errors
    /// A tag that no client sends, a body that does not follow the message's format.
    pub fn decode(tag: u8, body: Bytes) -> Result<Message, ProtocolError> {
        let mut r = Reader::new(tags::name(tag), body);
        let message = match tag {
            tags::BIND => Message::Bind(Bind {
                portal: r.string("a portal's name")?,
                statement: r.string("a statement's name")?,
                formats: r.formats()?,
                parameters: r.values("a parameter")?,
                results: r.formats()?,
            }),
            tags::CLOSE => Message::Close(Target::read(&mut r)?),
            tags::COPY_DATA => Message::CopyData(r.rest()),
            tags::COPY_DONE => Message::CopyDone,
            tags::COPY_FAIL => Message::CopyFail(r.string("a reason")?),
            tags::DESCRIBE => Message::Describe(Target::read(&mut r)?),
            tags::EXECUTE => {
                let portal = r.string("a portal's name")?;
                // PostgreSQL takes everything below 1 as "all rows".
                let max_rows = u32::try_from(r.i32("a number of rows")?).unwrap_or(0);
                Message::Execute(Execute { portal, max_rows })
            }
            tags::FLUSH => Message::Flush,
            tags::FUNCTION_CALL => Message::FunctionCall(FunctionCall {
                oid: r.u32("a function's oid")?,
                formats: r.formats()?,
                arguments: r.values("an argument")?,
                result: r.format()?,
            }),
            tags::PARSE => Message::Parse(Parse {
                name: r.string("a statement's name")?,
                sql: r.string("a statement")?,
                types: r.oids()?,
            }),
            tags::PASSWORD => Message::Password(Password::new(r.rest())),
            tags::QUERY => Message::Query(Query { sql: r.string("a query")? }),
            tags::SYNC => Message::Sync,
            tags::TERMINATE => Message::Terminate,
            other => {
                return Err(ProtocolError::Unexpected {
                    expected: "a message of the client",
                    found: tags::describe(other),
                    state: "at the server",
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
        match self {
            Message::Bind(bind) => write::framed(out, Some(tags::BIND), |out| {
                write::string(out, &bind.portal, "a portal's name")?;
                write::string(out, &bind.statement, "a statement's name")?;
                write::exact_formats(out, bind.formats.iter().copied())?;
                write::count(out, bind.parameters.len(), "parameters")?;
                for parameter in &bind.parameters {
                    write::value(out, parameter.as_deref(), "a parameter")?;
                }
                write::exact_formats(out, bind.results.iter().copied())
            }),
            Message::Close(target) => encode::close(out, target.borrowed()),
            Message::CopyData(data) => encode::copy_data(out, data),
            Message::CopyDone => {
                write::empty(out, tags::COPY_DONE);
                Ok(())
            }
            Message::CopyFail(reason) => encode::copy_fail(out, reason),
            Message::Describe(target) => encode::describe(out, target.borrowed()),
            Message::Execute(execute) => encode::execute(out, &execute.portal, execute.max_rows),
            Message::Flush => {
                write::empty(out, tags::FLUSH);
                Ok(())
            }
            Message::FunctionCall(call) => write::framed(out, Some(tags::FUNCTION_CALL), |out| {
                out.put_u32(call.oid);
                write::exact_formats(out, call.formats.iter().copied())?;
                write::count(out, call.arguments.len(), "arguments")?;
                for argument in &call.arguments {
                    write::value(out, argument.as_deref(), "an argument")?;
                }
                out.put_i16(call.result.code());
                Ok(())
            }),
            Message::Parse(parse) => encode::parse(out, &parse.name, &parse.sql, &parse.types),
            Message::Password(password) => write::framed(out, Some(tags::PASSWORD), |out| {
                out.put_slice(password.body());
                Ok(())
            }),
            Message::Query(query) => encode::query(out, &query.sql),
            Message::Sync => {
                write::empty(out, tags::SYNC);
                Ok(())
            }
            Message::Terminate => {
                write::empty(out, tags::TERMINATE);
                Ok(())
            }
        }
    }
}
