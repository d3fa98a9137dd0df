//! What a connection reports to its driver.

use std::sync::Arc;

use bytes::Bytes;

use crate::message::backend::{
    CommandTag, CopyResponse, Notification, RowDescription, ServerError,
};
use crate::message::transaction_status::TransactionStatus;
use crate::rows::Rows;

/// Names a request of one connection. Later requests have greater ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u64);

/// Something that happened on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A part of the reply to this request. Requests are answered in the order they were submitted.
    Reply(RequestId, Reply),
    /// A notice or warning. It may come at any time.
    Notice(Box<ServerError>),
    /// What another session's NOTIFY sent. It may come at any time.
    Notification(Notification),
    /// A setting changed. It may come at any time; [`crate::Connection::parameter`] knows it too.
    ParameterStatus {
        /// Its name.
        name: String,
        /// Its new value.
        value: String,
    },
    /// An error while no request was waiting for an answer, such as 57P01 when the server shuts
    /// down. The server closes the connection after it.
    Unsolicited(Box<ServerError>),
}

/// A part of the reply to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A Parse is done.
    ParseComplete,
    /// A Bind is done.
    BindComplete,
    /// A Close is done.
    CloseComplete,
    /// What was described returns no rows.
    NoData,
    /// An Execute reached its number of rows; there are more.
    PortalSuspended,
    /// The query was empty. It takes CommandComplete's place.
    EmptyQuery,
    /// The types of a statement's parameters, by oid.
    ParameterDescription(Vec<u32>),
    /// The columns of the rows that follow, or of what was described: the same object again where the
    /// connection remembers the same description.
    RowDescription(Arc<RowDescription>),
    /// Rows.
    Rows(Rows),
    /// A statement is done.
    CommandComplete(CommandTag),
    /// The server waits for [`crate::Connection::copy_data`].
    CopyIn(CopyResponse),
    /// A COPY's data follows.
    CopyOut(CopyResponse),
    /// Data flows both ways.
    CopyBoth(CopyResponse),
    /// A piece of a COPY's data; PostgreSQL sends one row in each.
    CopyData(Bytes),
    /// A COPY's data is complete. CommandComplete follows.
    CopyDone,
    /// A function's result; `None` is NULL.
    FunctionResult(Option<Bytes>),
    /// The request failed; the rest of it is skipped. Unless the error is fatal, `Ready` follows.
    Error(Box<ServerError>),
    /// The request is over.
    Ready(TransactionStatus),
}
