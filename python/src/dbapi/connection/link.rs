//! The client behind a connection, and what it has under way.

use kecoa::blocking::{Client, Connecting};
use kecoa_proto::RequestId;

use super::results::{BufferedRows, InFlight};

/// The socket and the process that opened it. Held, detached from the interpreter, for as long as a
/// statement runs: this is what makes connections safe to share between threads.
#[derive(Default)]
pub(crate) struct Link {
    pub(crate) client: Option<Client>,
    /// A connection in the making.
    pub(super) connecting: Option<Connecting>,
    /// The request that is polled.
    pub(super) request: Option<RequestId>,
    pub(super) lookahead: Option<InFlight>,
    pub(super) buffered: Option<BufferedRows>,
    /// A child process must not send Terminate on its parent's connection.
    pub(crate) pid: u32,
    pub(super) encoding: String,
    /// How often the encoding changed.
    pub(super) encodings: u64,
    pub(super) standard_strings: bool,
    /// How many settings the server had reported when they were looked at last.
    pub(super) reports: Option<u64>,
    /// Whether the session's time zone was UTC then.
    pub(super) utc: bool,
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(client) = self.client.take()
            && self.pid != std::process::id()
        {
            std::mem::forget(client);
        }
    }
}
