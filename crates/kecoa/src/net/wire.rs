//! What the session asks of the network, so that tests can put a script in its place.

use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use kecoa_proto::{CancelKey, Connection};
use rustix::event::{PollFd, PollFlags, Timespec};

use crate::config::{Config, Environment, Target};
use crate::error::Error;
use crate::interrupt::Interrupt;
pub(crate) use crate::net::TICK;
use crate::net::{self, Peer, Stream};
use crate::observe;

/// A connected byte stream. Reads and writes wait, and give up every 250 ms with `WouldBlock`, so
/// that the session can look at its hook. A write that finds no room gives up as soon as there is
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
    fn cancel(&self, key: &CancelKey) -> Result<(), Error>;
}

/// A connection that is ready for use.
pub(crate) struct Link {
    pub(crate) wire: Box<dyn Wire>,
    pub(crate) connection: Connection,
    pub(crate) cancel: Arc<dyn Cancel>,
}

impl Wire for Stream {
    fn read_into(&mut self, buffer: &mut BytesMut, hint: usize) -> io::Result<usize> {
        Stream::read_into(self, buffer, hint)
    }

    fn try_read_into(&mut self, buffer: &mut BytesMut) -> io::Result<usize> {
        Stream::try_read_into(self, buffer)
    }

    fn read_within(&mut self, buffer: &mut BytesMut, limit: Duration) -> io::Result<usize> {
        // TLS may hold what it has decrypted, of which the socket knows nothing.
        match Stream::try_read_into(self, buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => return read,
        }
        let limit = Timespec::try_from(limit).map_err(io::Error::other)?;
        let mut polled = [PollFd::new(self, PollFlags::IN)];
        rustix::event::poll(&mut polled, Some(&limit))?;
        Stream::try_read_into(self, buffer)
    }

    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        Stream::write(self, data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Stream::flush(self)
    }

    fn try_write(&mut self, data: &[u8]) -> io::Result<usize> {
        Stream::try_write(self, data)
    }

    fn try_flush(&mut self) -> io::Result<()> {
        Stream::try_flush(self)
    }

    fn shutdown(&mut self) {
        Stream::shutdown(self);
    }

    fn raw_fd(&self) -> Option<RawFd> {
        Some(self.as_raw_fd())
    }

    #[cfg(feature = "tokio")]
    fn watch(&self) -> io::Result<std::os::fd::OwnedFd> {
        std::os::fd::AsFd::as_fd(self).try_clone_to_owned()
    }

    fn target(&self) -> Option<&Target> {
        Some(&self.peer().target)
    }

    fn tls_info(&self) -> Option<(&'static str, &'static str)> {
        Stream::tls_info(self)
    }
}

/// The real network, as a resolved configuration describes it.
pub(crate) struct Network {
    config: Arc<Config>,
}

impl Network {
    /// Resolves the configuration against the process's environment, unless that was done.
    pub(crate) fn new(config: &Config) -> Result<Network, Error> {
        let config = if config.is_resolved() {
            config.clone()
        } else {
            config.resolve(&Environment::from_process())?
        };
        Ok(Network { config: Arc::new(config) })
    }

    pub(crate) fn config(&self) -> &Arc<Config> {
        &self.config
    }
}

impl Connector for Network {
    fn connect(&self, hook: &mut dyn Interrupt) -> Result<Link, Error> {
        let (stream, connection) =
            observe::spans::connect(&self.config, || net::connect(&self.config, hook))
                .inspect_err(|_| observe::note_connect_failed())?;
        let cancel =
            Arc::new(NetworkCancel { config: self.config.clone(), peer: stream.peer().clone() });
        Ok(Link { wire: Box::new(stream), connection, cancel })
    }
}

struct NetworkCancel {
    config: Arc<Config>,
    peer: Peer,
}

impl Cancel for NetworkCancel {
    fn cancel(&self, key: &CancelKey) -> Result<(), Error> {
        net::cancel(&self.config, &self.peer, key)?;
        observe::note_cancel();
        Ok(())
    }
}
