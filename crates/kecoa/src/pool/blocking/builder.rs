//! How a pool is made.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Pool;
use super::shared::Inner;
use crate::client::blocking::Client;
use crate::config::Config;
use crate::error::Error;
use crate::pool::Event;
#[cfg(test)]
use crate::pool::options::Options;
use crate::pool::options::{Plan, limits};

/// What is done with a connection: it may fail, and then the connection is not used.
pub type Hook = Arc<dyn Fn(&mut Client) -> Result<(), Error> + Send + Sync>;

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
        check: impl Fn(&mut Client) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Builder {
        self.plan.options.check = Some(Arc::new(check));
        self
    }

    /// What prepares each new connection. It must leave it outside a transaction.
    ///
    /// A transaction that goes on with another connection after a loss
    /// ([`Client::transaction`]) does not come by here: what it needs belongs into the
    /// configuration's `options`.
    #[must_use]
    pub fn configure(
        mut self,
        configure: impl Fn(&mut Client) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Builder {
        self.plan.options.configure = Some(Arc::new(configure));
        self
    }

    /// What prepares a connection that came back, after a rollback, for its next user. It must leave
    /// it outside a transaction. [`discard_session`](super::discard_session) is one.
    #[must_use]
    pub fn reset(
        mut self,
        reset: impl Fn(&mut Client) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Builder {
        self.plan.options.reset = Some(Arc::new(reset));
        self
    }

    #[cfg(test)]
    pub(super) fn options_for_tests(self) -> Options<Hook> {
        self.plan.options
    }

    /// Makes the pool, which begins to open connections at once. A configuration that was not
    /// [resolved](Config::resolve) is resolved for each of them.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for limits that make no sense.
    pub fn build(self, config: &Config) -> Result<Pool, Error> {
        Ok(Pool { inner: Arc::new(Inner::new(config.clone(), self.plan.finish()?)) })
    }
}
