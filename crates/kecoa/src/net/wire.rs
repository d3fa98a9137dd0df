//! What the session asks of the network, so that tests can put a script in its place.

use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use kecoa_proto::{CancelKey, Connection};

use crate::config::Target;
use crate::error::Error;
use crate::interrupt::Interrupt;

/// A connected byte stream. Reads and writes wait, and give up every 250 ms with `WouldBlock`, so
/// that the session can ask its hook. A write that finds no room gives up as soon as there is
/// something to read.
pub(crate) trait Wire: Send {
    fn read_into(&mut self, buffer: &mut BytesMut, hint: usize) -> io::Result<usize>;
    /// Reads what has already arrived, without waiting; `WouldBlock` when nothing has.
    fn try_read_into(&mut self, buffer: &mut BytesMut) -> io::Result<usize>;
    /// As `read_into`, but waits no longer than `limit`.
    fn read_within(&mut self, buffer: &mut BytesMut, limit: Duration) -> io::Result<usize> {
        let _ = limit;
        self.read_into(buffer, 0)
    }
    fn write(&mut self, data: &[u8]) -> io::Result<usize>;
    fn flush(&mut self) -> io::Result<()>;
    /// As `write`, without waiting; `WouldBlock` when there is no room.
    fn try_write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.write(data)
    }
    /// As `flush`, without waiting.
    fn try_flush(&mut self) -> io::Result<()> {
        self.flush()
    }
    fn shutdown(&mut self);
    /// The socket, where there is one.
    fn raw_fd(&self) -> Option<RawFd>;
    /// A descriptor of its own for the socket, for an event loop to watch.
    #[cfg(feature = "tokio")]
    fn watch(&self) -> io::Result<std::os::fd::OwnedFd> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// The place that was connected to.
    fn target(&self) -> Option<&Target>;
    /// TLS version and cipher suite, when the stream is encrypted.
    fn tls_info(&self) -> Option<(&'static str, &'static str)>;
}

/// Makes connections.
pub(crate) trait Connector: Send + Sync {
    fn connect(&self, hook: &mut dyn Interrupt) -> Result<Link, Error>;
}

/// Asks the server of one connection to cancel what it does.
pub(crate) trait Cancel: Send + Sync {
    /// Gives up when the hook breaks.
    fn cancel(&self, key: &CancelKey, hook: &mut dyn Interrupt) -> Result<(), Error>;
}

/// A connection that is ready for use.
pub(crate) struct Link {
    pub(crate) wire: Box<dyn Wire>,
    pub(crate) connection: Connection,
    pub(crate) cancel: Arc<dyn Cancel>,
}
