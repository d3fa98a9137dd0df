//! The real network, in the place that tests put a script in.

use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use kecoa_proto::CancelKey;
use rustix::event::{PollFd, PollFlags, Timespec};

use super::address::Peer;
use super::cancel::cancel;
use super::connect::connect;
use super::stream::Stream;
use super::wire::{Cancel, Connector, Link, Wire};
use crate::config::{Config, Environment, Target};
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::observability;

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
            observability::spans::connect(&self.config, || connect(&self.config, hook))
                .inspect_err(|_| observability::note_connect_failed())?;
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
    fn cancel(&self, key: &CancelKey, hook: &mut dyn Interrupt) -> Result<(), Error> {
        cancel(&self.config, &self.peer, key, hook)?;
        observability::note_cancel();
        Ok(())
    }
}
