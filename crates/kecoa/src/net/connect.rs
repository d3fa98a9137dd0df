//! From a configuration to a connection that is ready for use.

use std::time::Duration;

use kecoa_proto::Connection;

use super::address;
use super::deadline::Clock;
use super::order::Balance;
use super::search::{self, SearchContext};
use super::stream::Stream;
use crate::config::{Config, Environment};
use crate::error::Error;
use crate::interrupt::Interrupt;

/// Connects to the first place of `config` that accepts the connection. A configuration that was not resolved is
/// resolved against the environment of the process.
///
/// # Errors
///
/// [`crate::ErrorKind::Config`], [`crate::ErrorKind::Connect`], [`crate::ErrorKind::Tls`],
/// [`crate::ErrorKind::Authentication`], [`crate::ErrorKind::Timeout`] or
/// [`crate::ErrorKind::Interrupted`]; when several places failed, the message has a line for each
/// and the kind is that of the last.
pub(crate) fn connect(
    config: &Config,
    hook: &mut dyn Interrupt,
) -> Result<(Stream, Connection), Error> {
    if config.is_resolved() {
        connect_within(config, config.connect_timeout(), hook)
    } else {
        let config = config.resolve(&Environment::from_process())?;
        connect_within(&config, config.connect_timeout(), hook)
    }
}

/// As [`connect`], with the time limit as an argument.
pub(super) fn connect_within(
    config: &Config,
    limit: Option<Duration>,
    hook: &mut dyn Interrupt,
) -> Result<(Stream, Connection), Error> {
    let context = SearchContext {
        clock: Clock::start(limit, config.connect_total_timeout()),
        balance: Balance::of(config),
        resolve: &address::addresses,
    };
    search::search(config, context, hook)
}
