//! The pool of tokio's tasks.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::builder::Builder;
use super::checkout::check_out;
use super::tasks::Tasks;
use crate::client::tokio::Client;
use crate::config::Config;
use crate::error::Error;
use crate::pool::pooled;
use crate::pool::shared::Shared;
use crate::pool::state::PoolState;
use crate::pool::stats::Stats;

/// A connection of a [`Pool`]: a [`Client`] that goes back when this is dropped, whatever it is in the
/// middle of. What is under way is cancelled then and an open transaction rolled back, in the
/// background; nobody gets the connection before that is over.
pub type Pooled = pooled::Pooled<Tasks>;

/// Keeps connections, each of which one task at a time checks out. Cloning it gives another handle to the
/// same pool; with the last handle the pool is closed.
///
/// - [`min_size`](Builder::min_size) connections are opened with the pool, and up to
///   [`max_size`](Builder::max_size) when they are asked for, by tasks of the pool's.
/// - Callers get connections in the order in which they asked. Who waits for longer than
///   [`timeout`](Builder::timeout) gets an error that names the longest holders.
/// - When no connection can be opened, whoever waits longest is told why; but a server that was there
///   before, or says that it starts or is full, is waited for and tried again with growing pauses.
/// - What the server has closed is never given out: a look at the socket tells. The loss of one connection
///   has the other idle ones looked at, and what was lost is replaced in the background.
/// - A connection comes back when its [`Pooled`] is dropped, and is made ready for its next user.
///
/// A pool belongs to the runtime in which it was built, and is of no use in a forked child, as that
/// runtime is not either.
#[derive(Clone)]
pub struct Pool {
    inner: Arc<Inner>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats = self.stats();
        f.debug_struct("Pool")
            .field("name", &self.shared().options.name)
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

    fn shared(&self) -> &Arc<Shared<Tasks>> {
        &self.inner.0
    }

    /// Checks a connection out, until the guard is dropped. Waits for up to the pool's
    /// [`timeout`](Builder::timeout); the place in the line is that of the future's first poll.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) when none came free in time, or too many
    /// wait already; [`Usage`](crate::ErrorKind::Usage) when the pool is closed; or why none can be
    /// opened, as [`Client::connect`].
    #[track_caller]
    pub fn get(&self) -> impl Future<Output = Result<Pooled, Error>> + Send + use<> {
        self.check_out_at(Location::caller())
    }

    /// [`get`](Pool::get) with a time limit of its own.
    ///
    /// # Errors
    /// As [`Pool::get`].
    #[track_caller]
    pub fn get_timeout(
        &self,
        timeout: Duration,
    ) -> impl Future<Output = Result<Pooled, Error>> + Send + use<> {
        self.check_out(Some(timeout), Location::caller())
    }

    /// Checks a connection out for a caller at that place.
    pub(super) fn check_out_at(
        &self,
        taken: &'static Location<'static>,
    ) -> impl Future<Output = Result<Pooled, Error>> + Send + use<> {
        self.check_out(self.shared().options.timeout, taken)
    }

    fn check_out(
        &self,
        timeout: Option<Duration>,
        taken: &'static Location<'static>,
    ) -> impl Future<Output = Result<Pooled, Error>> + Send + use<> {
        // Who waits has a handle: the pool is not closed meanwhile.
        let pool = self.clone();
        async move { check_out(pool.shared(), timeout, taken).await }
    }

    /// Waits until there are [`min_size`](Builder::min_size) connections.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout), with the last error in connecting.
    pub async fn wait(&self, timeout: Duration) -> Result<(), Error> {
        let pool = self.shared();
        let reached = until(pool, timeout, State::is_filled).await;
        pool.lock().filled(pool.now(), timeout, reached)
    }

    /// Replaces every connection, without a moment in which there is none: idle ones one after the
    /// other, those that are checked out when they come back. Begins at once, and the future waits for up to
    /// `timeout`; whether all are replaced.
    pub fn drain(&self, timeout: Duration) -> impl Future<Output = bool> + Send + use<'_> {
        let pool = self.shared();
        pool.change(|state, now| state.core.drain(now));
        until(pool, timeout, |state| state.core.stale() == 0)
    }

    /// Closes idle connections at once, and those that are checked out when they come back; who waits gets an error.
    /// The future waits for those that are checked out for up to `timeout`; whether all came back.
    ///
    /// ```
    /// # kecoa::example::asynchronous_pool(async |pool| {
    /// let client = pool.get().await?;
    /// drop(client);
    /// assert!(pool.close(std::time::Duration::from_secs(5)).await);
    /// assert_eq!(pool.get().await.unwrap_err().to_string(), "pool is closed");
    /// # Ok(()) });
    /// ```
    pub fn close(&self, timeout: Duration) -> impl Future<Output = bool> + Send + use<'_> {
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
    ///
    /// ```
    /// # kecoa::example::asynchronous_pool(async |pool| {
    /// let client = pool.get().await?;
    /// assert_eq!((pool.stats().in_use, pool.stats().checkouts), (1, 1));
    /// # Ok(()) });
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared().stats()
    }
}

impl Builder {
    /// Makes the pool, which begins to open connections at once, on the runtime in which this is
    /// called. A configuration that was not [resolved](Config::resolve) is resolved for each of them.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for limits that make no sense;
    /// [`Usage`](crate::ErrorKind::Usage) outside of a tokio runtime.
    pub fn build(self, config: &Config) -> Result<Pool, Error> {
        let options = Arc::new(self.finish()?);
        let runtime = Handle::try_current().map_err(|error| {
            Error::usage("expected a tokio runtime around the making of the pool, found none")
                .with_source(error)
        })?;
        let shared = Shared::new(config.clone(), options, Tasks::new(runtime));
        shared.change(|state, now| state.core.open(now, false));
        Ok(Pool { inner: Arc::new(Inner(shared)) })
    }
}

/// What the handles to a pool share: with the last of them it is closed.
struct Inner(Arc<Shared<Tasks>>);

impl Drop for Inner {
    fn drop(&mut self) {
        self.0.change(|state, _| state.core.close());
    }
}

type State = PoolState<Client, Arc<Notify>>;

/// Waits until something is so; whether it is.
async fn until(pool: &Shared<Tasks>, limit: Duration, done: impl Fn(&State) -> bool) -> bool {
    let deadline = Instant::now().checked_add(limit);
    loop {
        let mut changed = std::pin::pin!(pool.executor.changed.notified());
        // What changes behind the look is heard.
        changed.as_mut().enable();
        if done(&pool.lock()) {
            return true;
        }
        match deadline {
            None => changed.await,
            Some(deadline) => {
                if timeout_at(deadline, changed).await.is_err() {
                    return done(&pool.lock());
                }
            }
        }
    }
}
