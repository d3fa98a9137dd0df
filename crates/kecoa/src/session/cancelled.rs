//! A request that the server was asked to cancel, and is waited for.

use std::time::Instant;

use kecoa_proto::RequestId;

/// A request that the server was asked to cancel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cancelled {
    pub(super) since: Instant,
    pub(super) why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The hook broke.
    Interrupted,
    /// Its results were too large.
    Excess(RequestId),
}
