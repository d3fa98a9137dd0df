//! Messages from the client to the server, once the connection is open.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use super::read::Reader;
use super::{Format, write};
use crate::error::{ProtocolError, UsageError};
use crate::request::Target as Borrowed;

/// A message from the client. PostgreSQL's documentation has the same names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// `B`
    Bind(Bind),
    /// `C`: closes a prepared statement or a portal.
    Close(Target),
    /// `d`: a piece of a COPY's data.
    CopyData(Bytes),
    /// `c`: the data of a COPY is complete.
    CopyDone,
    /// `f`: the client gives a COPY up, for the reason it names.
    CopyFail(Bytes),
    /// `D`: asks for the description of a prepared statement or a portal.
    Describe(Target),
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

/// What a Describe or Close is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A prepared statement, by name.
    Statement(Bytes),
    /// A portal, by name.
    Portal(Bytes),
}

impl Target {
    /// The same, borrowed.
    #[must_use]
    pub fn borrowed(&self) -> Borrowed<'_> {
        match self {
            Target::Statement(name) => Borrowed::Statement(name),
            Target::Portal(name) => Borrowed::Portal(name),
        }
    }
}

/// The body of a `p` message. Debug output does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Bytes);

impl Password {
    /// A message with this body. GSSResponse and SASLResponse have nothing but their data.
    #[must_use]
    pub fn new(body: Bytes) -> Password {
        Password(body)
    }

    /// PasswordMessage: a password, or its MD5 form, with its NUL.
    ///
    /// # Errors
    /// A NUL in it.
    pub fn from_password(password: &[u8]) -> Result<Password, UsageError> {
        let mut body = BytesMut::with_capacity(password.len() + 1);
        write::string(&mut body, password, "a password")?;
        Ok(Password(body.freeze()))
    }

    /// SASLInitialResponse.
    ///
    /// # Errors
    /// A NUL in the mechanism's name.
    pub fn sasl_initial(mechanism: &[u8], response: Option<&[u8]>) -> Result<Password, UsageError> {
        let mut body = BytesMut::new();
        write::string(&mut body, mechanism, "a SASL mechanism")?;
        write::value(&mut body, response, "a SASL response")?;
        Ok(Password(body.freeze()))
    }

    /// The body as it is.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.0
    }

    /// Reads it as a PasswordMessage.
    ///
    /// # Errors
    /// No NUL at the end.
    pub fn as_password(&self) -> Result<Bytes, ProtocolError> {
        let mut reader = Reader::new("PasswordMessage", self.0.clone());
        let password = reader.string("a password")?;
        reader.end()?;
        Ok(password)
    }

    /// Reads it as a SASLInitialResponse: the mechanism and the response, if there is one.
    ///
    /// # Errors
    /// It does not follow the format.
    pub fn as_sasl_initial(&self) -> Result<(Bytes, Option<Bytes>), ProtocolError> {
        let mut reader = Reader::new("SASLInitialResponse", self.0.clone());
        let mechanism = reader.string("a mechanism")?;
        let response = reader.value("a response")?;
        reader.end()?;
        Ok((mechanism, response))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

impl Message {
    /// Reads the body of the message with this tag.
    ///
    /// # Errors
    /// A tag that no client sends, a body that does not follow the message's format.
    pub fn decode(tag: u8, body: Bytes) -> Result<Message, ProtocolError> {
        let mut r = Reader::new(name(tag), body);
        let message = match tag {
            b'B' => Message::Bind(Bind {
                portal: r.string("a portal's name")?,
                statement: r.string("a statement's name")?,
                formats: r.formats()?,
                parameters: r.values("a parameter")?,
                results: r.formats()?,
            }),
            b'C' => Message::Close(target(&mut r)?),
            b'd' => Message::CopyData(r.rest()),
            b'c' => Message::CopyDone,
            b'f' => Message::CopyFail(r.string("a reason")?),
            b'D' => Message::Describe(target(&mut r)?),
            b'E' => {
                let portal = r.string("a portal's name")?;
                // PostgreSQL takes everything below 1 as "all rows".
                let max_rows = u32::try_from(r.i32("a number of rows")?).unwrap_or(0);
                Message::Execute(Execute { portal, max_rows })
            }
            b'H' => Message::Flush,
            b'F' => Message::FunctionCall(FunctionCall {
                oid: r.u32("a function's oid")?,
                formats: r.formats()?,
                arguments: r.values("an argument")?,
                result: r.format()?,
            }),
            b'P' => Message::Parse(Parse {
                name: r.string("a statement's name")?,
                sql: r.string("a statement")?,
                types: r.oids()?,
            }),
            b'p' => Message::Password(Password(r.rest())),
            b'Q' => Message::Query(Query { sql: r.string("a query")? }),
            b'S' => Message::Sync,
            b'X' => Message::Terminate,
            other => {
                return Err(ProtocolError::Unexpected {
                    expected: "a message of the client",
                    found: describe(other),
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
            Message::Bind(bind) => write::framed(out, Some(b'B'), |out| {
                write::string(out, &bind.portal, "a portal's name")?;
                write::string(out, &bind.statement, "a statement's name")?;
                write::exact_formats(out, bind.formats.iter().copied())?;
                write::count(out, bind.parameters.len(), "parameters")?;
                for parameter in &bind.parameters {
                    write::value(out, parameter.as_deref(), "a parameter")?;
                }
                write::exact_formats(out, bind.results.iter().copied())
            }),
            Message::Close(target) => encode_close(out, target.borrowed()),
            Message::CopyData(data) => encode_copy_data(out, data),
            Message::CopyDone => {
                write::empty(out, b'c');
                Ok(())
            }
            Message::CopyFail(reason) => encode_copy_fail(out, reason),
            Message::Describe(target) => encode_describe(out, target.borrowed()),
            Message::Execute(execute) => encode_execute(out, &execute.portal, execute.max_rows),
            Message::Flush => {
                write::empty(out, b'H');
                Ok(())
            }
            Message::FunctionCall(call) => write::framed(out, Some(b'F'), |out| {
                out.put_u32(call.oid);
                write::exact_formats(out, call.formats.iter().copied())?;
                write::count(out, call.arguments.len(), "arguments")?;
                for argument in &call.arguments {
                    write::value(out, argument.as_deref(), "an argument")?;
                }
                out.put_i16(call.result.code());
                Ok(())
            }),
            Message::Parse(parse) => encode_parse(out, &parse.name, &parse.sql, &parse.types),
            Message::Password(password) => write::framed(out, Some(b'p'), |out| {
                out.put_slice(&password.0);
                Ok(())
            }),
            Message::Query(query) => encode_query(out, &query.sql),
            Message::Sync => {
                write::empty(out, b'S');
                Ok(())
            }
            Message::Terminate => {
                write::empty(out, b'X');
                Ok(())
            }
        }
    }
}

pub(crate) fn encode_query(out: &mut BytesMut, sql: &[u8]) -> Result<(), UsageError> {
    out.reserve(sql.len().saturating_add(6));
    write::framed(out, Some(b'Q'), |out| write::string(out, sql, "a query"))
}

pub(crate) fn encode_parse(
    out: &mut BytesMut,
    name: &[u8],
    sql: &[u8],
    types: &[u32],
) -> Result<(), UsageError> {
    write::framed(out, Some(b'P'), |out| {
        write::string(out, name, "a statement's name")?;
        write::string(out, sql, "a statement")?;
        write::oids(out, types, "parameter types")
    })
}

pub(crate) fn encode_execute(
    out: &mut BytesMut,
    portal: &[u8],
    max_rows: u32,
) -> Result<(), UsageError> {
    write::framed(out, Some(b'E'), |out| {
        write::string(out, portal, "a portal's name")?;
        // The protocol's number has a sign, and nobody counts the difference.
        out.put_i32(i32::try_from(max_rows).unwrap_or(i32::MAX));
        Ok(())
    })
}

fn put_target(out: &mut BytesMut, target: Borrowed<'_>) -> Result<(), UsageError> {
    match target {
        Borrowed::Statement(name) => {
            out.put_u8(b'S');
            write::string(out, name, "a statement's name")
        }
        Borrowed::Portal(name) => {
            out.put_u8(b'P');
            write::string(out, name, "a portal's name")
        }
    }
}

pub(crate) fn encode_describe(out: &mut BytesMut, target: Borrowed<'_>) -> Result<(), UsageError> {
    write::framed(out, Some(b'D'), |out| put_target(out, target))
}

pub(crate) fn encode_close(out: &mut BytesMut, target: Borrowed<'_>) -> Result<(), UsageError> {
    write::framed(out, Some(b'C'), |out| put_target(out, target))
}

pub(crate) fn encode_copy_data(out: &mut BytesMut, data: &[u8]) -> Result<(), UsageError> {
    out.reserve(data.len().saturating_add(5));
    write::framed(out, Some(b'd'), |out| {
        out.put_slice(data);
        Ok(())
    })
}

pub(crate) fn encode_copy_fail(out: &mut BytesMut, reason: &[u8]) -> Result<(), UsageError> {
    write::framed(out, Some(b'f'), |out| write::string(out, reason, "a reason"))
}

fn target(reader: &mut Reader) -> Result<Target, ProtocolError> {
    let kind = reader.u8("S or P")?;
    let name = reader.string("a name")?;
    match kind {
        b'S' => Ok(Target::Statement(name)),
        b'P' => Ok(Target::Portal(name)),
        other => Err(reader.malformed("S or P", format!("byte {other:#04x}"))),
    }
}

/// The documentation's name of the client's message with this tag.
#[must_use]
pub fn name(tag: u8) -> &'static str {
    match tag {
        b'B' => "Bind",
        b'C' => "Close",
        b'd' => "CopyData",
        b'c' => "CopyDone",
        b'f' => "CopyFail",
        b'D' => "Describe",
        b'E' => "Execute",
        b'H' => "Flush",
        b'F' => "FunctionCall",
        b'P' => "Parse",
        b'p' => "Password",
        b'Q' => "Query",
        b'S' => "Sync",
        b'X' => "Terminate",
        _ => "unknown",
    }
}

fn describe(tag: u8) -> String {
    match name(tag) {
        "unknown" => format!("a message with the unknown tag {tag:#04x}"),
        name => name.to_owned(),
    }
}
