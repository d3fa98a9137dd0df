//! The pool of threads.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Condvar};
use std::time::Duration;

use super::builder::Builder;
use super::checkout::check_out;
use super::fork::Inner;
use super::threads::Threads;
use crate::client::blocking::Client;
use crate::config::Config;
use crate::error::Error;
use crate::pool::pooled;
use crate::pool::shared::Shared;
use crate::pool::state::PoolState;
use crate::pool::stats::Stats;

/// A connection of a [`Pool`]: a [`Client`] that goes back when this is dropped. An open transaction is
/// rolled back then, which takes a round trip.
pub type Pooled = pooled::Pooled<Threads>;

/// Keeps connections, each of which one thread at a time checks out. Cloning it gives another handle to the
/// same pool; with the last handle the pool is closed.
///
/// - [`min_size`](Builder::min_size) connections are opened with the pool, and up to
///   [`max_size`](Builder::max_size) when they are asked for, by threads of the pool's.
/// - Callers get connections in the order in which they asked. Who waits for longer than
///   [`timeout`](Builder::timeout) gets an error that names the longest holders.
/// - When no connection can be opened, whoever waits longest is told why; but a server that was there
///   before, or says that it starts or is full, is waited for and tried again with growing pauses.
/// - What the server has closed is never given out: a look at the socket tells. The loss of one connection
///   has the other idle ones looked at, and what was lost is replaced in the background.
/// - A connection comes back when its [`Pooled`] is dropped: an open transaction is rolled back.
/// - In a forked child the pool is empty and opens connections of its own.
#[derive(Clone)]
pub struct Pool {
    inner: Arc<Inner>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats = self.stats();
        f.debug_struct("Pool")
            .field("name", &self.inner.options.name)
            .field("size", &stats.size)
            .field("idle", &stats.idle)
            .finish_non_exhaustive()
    }
}

impl Pool {
    /// A pool to be: set what matters, then [`build`](Builder::build) it.
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn shared(&self) -> &Arc<Shared<Threads>> {
        self.inner.shared()
    }

    /// Checks a connection out, until the guard is dropped. Waits for up to the pool's
    /// [`timeout`](Builder::timeout).
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) when none came free in time, or too many
    /// wait already; [`Usage`](crate::ErrorKind::Usage) when the pool is closed; or why none can be
    /// opened, as [`Client::connect`].
    #[track_caller]
    pub fn get(&self) -> Result<Pooled, Error> {
        self.check_out_at(Location::caller())
    }

    /// Checks a connection out for a caller at that place.
    pub(super) fn check_out_at(&self, taken: &'static Location<'static>) -> Result<Pooled, Error> {
        check_out(self.shared(), self.inner.options.timeout, taken)
    }

    /// [`get`](Pool::get) with a time limit of its own.
    ///
    /// # Errors
    /// As [`Pool::get`].
    #[track_caller]
    pub fn get_timeout(&self, timeout: Duration) -> Result<Pooled, Error> {
        check_out(self.shared(), Some(timeout), Location::caller())
    }

    /// Waits until there are [`min_size`](Builder::min_size) connections.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout), with the last error in connecting.
    pub fn wait(&self, timeout: Duration) -> Result<(), Error> {
        let pool = self.shared();
        let reached = until(pool, timeout, State::is_filled);
        pool.lock().filled(pool.now(), timeout, reached)
    }

    /// Replaces every connection, without a moment in which there is none: idle ones one after the
    /// other, those that are checked out when they come back. Waits for up to `timeout`; whether all are replaced.
    #[must_use = "whether all are replaced"]
    pub fn drain(&self, timeout: Duration) -> bool {
        let pool = self.shared();
        pool.change(|state, now| state.core.drain(now));
        until(pool, timeout, |state| state.core.stale() == 0)
    }

    /// Closes idle connections at once, and those that are checked out when they come back; who waits gets an error.
    /// Waits for those that are checked out for up to `timeout`; whether all came back.
    pub fn close(&self, timeout: Duration) -> bool {
        let pool = self.shared();
        pool.change(|state, _| state.core.close());
        until(pool, timeout, |state| state.core.size() == 0)
    }

    /// Changes the sizes. What is too much is closed when it is idle.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for sizes that make no sense.
    pub fn resize(&self, min_size: usize, max_size: usize) -> Result<(), Error> {
        self.shared().resize(min_size, max_size)
    }

    /// The pool's figures.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared().stats()
    }
}

impl Builder {
    /// Makes the pool, which begins to open connections at once. A configuration that was not
    /// [resolved](Config::resolve) is resolved for each of them.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for limits that make no sense.
    pub fn build(self, config: &Config) -> Result<Pool, Error> {
        Ok(Pool { inner: Arc::new(Inner::new(config.clone(), self.finish()?)) })
    }
}

type State = PoolState<Client, Arc<Condvar>>;

/// Waits until something is so; whether it is.
fn until(pool: &Shared<Threads>, timeout: Duration, mut done: impl FnMut(&State) -> bool) -> bool {
    let deadline = pool.now().saturating_add(timeout);
    let mut state = pool.lock();
    loop {
        if done(&state) {
            return true;
        }
        let remaining = deadline.saturating_sub(pool.now());
        if remaining.is_zero() {
            return false;
        }
        state = match pool.executor.changed.wait_timeout(state, remaining) {
            Ok((state, _)) => state,
            Err(poisoned) => poisoned.into_inner().0,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_process_does_not_use_the_pool_of_its_parent() {
        let config = Config::parse("host=127.0.0.1 port=1 user=u dbname=d").unwrap();
        let options = Pool::builder().options;
        let parent = std::process::id().wrapping_add(1);
        let pool = Pool { inner: Arc::new(Inner::of(parent, config, options)) };
        // Nothing is opened until it is asked for, and then not by the parent's state.
        assert_eq!((pool.stats().size, pool.stats().opening), (0, 0));
        assert!(pool.get().is_err());
        assert!(pool.stats().open_failures > 0);
        assert_eq!(pool.inner.shared().executor.process, std::process::id());
    }
}
