//! What a pool of tokio's tasks calls with its connections.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::client::tokio::Client;
use crate::error::Error;
use crate::pool::options;

/// What a [`Hook`] does with a connection: a boxed future.
pub type Work<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

/// What is done with a connection: it may fail, and then the connection is not used.
pub type Hook = Arc<dyn for<'a> Fn(&'a mut Client) -> Work<'a> + Send + Sync>;

/// What a [`Pool`](super::Pool) is made with.
pub type Builder = options::Builder<Hook>;

impl Builder {
    /// What asks a connection whether it is good, in place of `SELECT 1`: each time, unless
    /// [`check_after`](Self::check_after) is set.
    pub fn check(
        mut self,
        check: impl for<'a> Fn(&'a mut Client) -> Work<'a> + Send + Sync + 'static,
    ) -> Builder {
        self.options.check = Some(Arc::new(check));
        self
    }

    /// What prepares each new connection, and one whose session was [reset](Self::reset) to what it was
    /// before. It must leave it outside a transaction.
    ///
    /// A [`Client::transaction`] that goes on with another connection after a loss makes it anew,
    /// without this; [`Pool::run_transaction`](super::Pool::run_transaction) takes one that this has
    /// prepared.
    ///
    /// ```
    /// use kecoa::Pool;
    ///
    /// let builder = Pool::builder().configure(|client| {
    ///     Box::pin(async move { client.batch("SET statement_timeout TO '5s'").await.map(drop) })
    /// });
    /// ```
    pub fn configure(
        mut self,
        configure: impl for<'a> Fn(&'a mut Client) -> Work<'a> + Send + Sync + 'static,
    ) -> Builder {
        self.options.configure = Some(Arc::new(configure));
        self
    }

    /// What prepares a connection that came back, after a rollback, for its next user. It must leave
    /// it outside a transaction.
    ///
    /// By default a session whose settings were changed (by `SET`, `RESET`, `LISTEN` and the like, as
    /// far as the server tells) is reset by [`discard_session`](super::discard_session), and
    /// [configured](Self::configure) again; any other is left alone, which costs no round trip. What
    /// functions change (`set_config`, advisory locks) and temporary tables are seen by a hook alone.
    pub fn reset(
        mut self,
        reset: impl for<'a> Fn(&'a mut Client) -> Work<'a> + Send + Sync + 'static,
    ) -> Builder {
        self.options.reset = Some(Arc::new(reset));
        self
    }
}
