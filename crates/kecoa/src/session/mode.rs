//! What a session is at.

use kecoa_proto::{RequestId, ServerError};

use crate::row::ResultSet;

/// What the connection carries.
#[derive(Default)]
pub(super) enum Mode {
    /// Requests and their replies.
    #[default]
    Requests,
    /// A replication stream has begun; its beginning is among the buffered replies.
    StreamBegun,
    /// A replication stream.
    Stream(Box<OpenStream>),
}

/// A replication stream that has not ended.
pub(super) struct OpenStream {
    pub(super) request: RequestId,
    /// The error by which the server ended it; ReadyForQuery is to come.
    pub(super) failed: Option<Box<ServerError>>,
    /// What the server says behind it.
    pub(super) results: Vec<ResultSet>,
    /// The result that is on its way.
    pub(super) result: ResultSet,
}

impl OpenStream {
    pub(super) fn new(request: RequestId) -> OpenStream {
        OpenStream { request, failed: None, results: Vec::new(), result: ResultSet::default() }
    }
}

/// What becomes of a COPY that is met while replies are buffered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CopyPolicy {
    /// Its replies are kept: somebody takes them as they come.
    Keep,
    /// It is refused: nobody takes replies before all have come.
    Refuse,
}
