//! How a pool is made.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::Pool;
use super::shared::{Inner, Shared};
use crate::client::tokio::Client;
use crate::config::Config;
use crate::error::Error;
use crate::pool::Event;
use crate::pool::options::{Plan, limits};

/// What a [`Hook`] does with a connection: a boxed future.
pub type Work<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

/// What is done with a connection: it may fail, and then the connection is not used.
pub type Hook = Arc<dyn for<'a> Fn(&'a mut Client) -> Work<'a> + Send + Sync>;

/// The making of a [`Pool`]. Times that are `None`: no limit.
#[derive(Clone, Default)]
pub struct Builder {
    plan: Plan<Hook>,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plan.describe(f)
    }
}

impl Builder {
    limits!();

    /// What asks a connection whether it is good, in place of `SELECT 1`: each time, unless
    /// [`check_after`](Self::check_after) is set.
    #[must_use]
    pub fn check(
        mut self,
        check: impl for<'a> Fn(&'a mut Client) -> Work<'a> + Send + Sync + 'static,
    ) -> Builder {
        self.plan.options.check = Some(Arc::new(check));
        self
    }

    /// What prepares each new connection. It must leave it outside a transaction.
    ///
    /// A transaction that goes on with another connection after a loss
    /// ([`Client::transaction`]) does not come by here: what it needs belongs into the
    /// configuration's `options`.
    ///
    /// ```
    /// use kecoa::Pool;
    ///
    /// let builder = Pool::builder().configure(|client| {
    ///     Box::pin(async move { client.batch("SET statement_timeout TO '5s'").await.map(drop) })
    /// });
    /// ```
    #[must_use]
    pub fn configure(
        mut self,
        configure: impl for<'a> Fn(&'a mut Client) -> Work<'a> + Send + Sync + 'static,
    ) -> Builder {
        self.plan.options.configure = Some(Arc::new(configure));
        self
    }

    /// What prepares a connection that came back, after a rollback, for its next user. It must leave
    /// it outside a transaction. [`discard_session`](super::discard_session) is one.
    #[must_use]
    pub fn reset(
        mut self,
        reset: impl for<'a> Fn(&'a mut Client) -> Work<'a> + Send + Sync + 'static,
    ) -> Builder {
        self.plan.options.reset = Some(Arc::new(reset));
        self
    }

    /// Makes the pool, which begins to open connections at once, on the runtime in which this is
    /// called. A configuration that was not [resolved](Config::resolve) is resolved for each of them.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for limits that make no sense;
    /// [`Usage`](crate::ErrorKind::Usage) outside of a tokio runtime.
    pub fn build(self, config: &Config) -> Result<Pool, Error> {
        let options = self.plan.finish()?;
        let runtime = tokio::runtime::Handle::try_current().map_err(|error| {
            Error::usage("expected a tokio runtime around the making of the pool, found none")
                .with_source(error)
        })?;
        let shared = Shared::new(config.clone(), options, runtime);
        Ok(Pool { inner: Arc::new(Inner::new(shared)) })
    }
}
