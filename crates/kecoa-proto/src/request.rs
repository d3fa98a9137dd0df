//! What a client asks for, borrowed from the caller until it is encoded.

use bytes::{BufMut, BytesMut};

use crate::error::UsageError;
use crate::message::format::Format;
use crate::message::frontend::{Target, encode};
use crate::message::tags::frontend as tags;
use crate::message::write;

/// One request: everything up to the server's ReadyForQuery.
#[derive(Clone, Copy, Debug)]
pub enum Request<'a> {
    /// A simple query: one or more statements in the client's encoding, without NUL.
    Query(&'a [u8]),
    /// Steps of the extended protocol. A Sync is added at the end.
    Extended(&'a [Step<'a>]),
    /// A call of a function by its oid. CockroachDB has none.
    FunctionCall {
        /// The function's oid.
        oid: u32,
        /// Its arguments.
        args: &'a [Parameter<'a>],
        /// The form of its result.
        result: Format,
    },
}

/// A step of an extended request.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// Makes a prepared statement.
    Parse {
        /// Its name; empty for the unnamed statement.
        name: &'a [u8],
        /// One statement, in the client's encoding.
        sql: &'a [u8],
        /// Oids of the parameters' types; 0, or none at all, for the server to find out.
        types: &'a [u32],
    },
    /// Makes a portal out of a prepared statement and its parameters.
    Bind {
        /// The portal's name; empty for the unnamed portal.
        portal: &'a [u8],
        /// The statement's name; empty for the unnamed statement.
        statement: &'a [u8],
        /// The parameters.
        parameters: &'a [Parameter<'a>],
        /// The form of the result's columns: none for all text, one for all, or one each.
        results: &'a [Format],
    },
    /// Asks for a description: of a statement's parameters and columns, or of a portal's columns.
    Describe(Target<&'a [u8]>),
    /// Runs a portal.
    Execute {
        /// The portal's name.
        portal: &'a [u8],
        /// How many rows to return before it is suspended; 0 for all.
        max_rows: u32,
    },
    /// Closes a prepared statement or a portal. It is no error if there is none.
    Close(Target<&'a [u8]>),
    /// Asks the server to send what it holds back.
    Flush,
}

/// A parameter of a statement or an argument of a function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// The form of the value.
    pub format: Format,
    /// The value; `None` is NULL.
    pub value: Option<&'a [u8]>,
}

impl Request<'_> {
    /// Appends the request's messages to `out`: what [`crate::Connection::submit`] sends.
    ///
    /// # Errors
    /// A NUL inside a string, too many or too long parameters; `out` is then as it was.
    pub fn encode(&self, out: &mut BytesMut) -> Result<(), UsageError> {
        match self {
            Request::Query(sql) => encode::query(out, sql),
            Request::FunctionCall { oid, args, result } => {
                write::framed(out, Some(tags::FUNCTION_CALL), |out| {
                    out.put_u32(*oid);
                    put_parameters(out, args, "arguments", "an argument")?;
                    out.put_i16(result.code());
                    Ok(())
                })
            }
            Request::Extended(steps) => {
                let start = out.len();
                for step in *steps {
                    if let Err(error) = step.encode(out) {
                        out.truncate(start);
                        return Err(error);
                    }
                }
                write::empty(out, tags::SYNC);
                Ok(())
            }
        }
    }
}

impl Step<'_> {
    fn encode(&self, out: &mut BytesMut) -> Result<(), UsageError> {
        match self {
            Step::Parse { name, sql, types } => encode::parse(out, name, sql, types),
            Step::Bind { portal, statement, parameters, results } => {
                write::framed(out, Some(tags::BIND), |out| {
                    write::string(out, portal, "a portal's name")?;
                    write::string(out, statement, "a statement's name")?;
                    put_parameters(out, parameters, "parameters", "a parameter")?;
                    write::exact_formats(out, results.iter().copied())
                })
            }
            Step::Describe(target) => encode::describe(out, *target),
            Step::Execute { portal, max_rows } => encode::execute(out, portal, *max_rows),
            Step::Close(target) => encode::close(out, *target),
            Step::Flush => {
                write::empty(out, tags::FLUSH);
                Ok(())
            }
        }
    }
}

fn put_parameters(
    out: &mut BytesMut,
    parameters: &[Parameter<'_>],
    many: &'static str,
    one: &'static str,
) -> Result<(), UsageError> {
    write::formats(out, parameters.iter().map(|parameter| parameter.format))?;
    write::count(out, parameters.len(), many)?;
    for parameter in parameters {
        write::value(out, parameter.value, one)?;
    }
    Ok(())
}
