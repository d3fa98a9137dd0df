//! Sockets, TLS, and the way to a connection that is ready for use.
//!
//! `connect` tries each place that a [`Config`] names, with the TLS that its sslmode asks for, and
//! drives the protocol core's handshake. The stream it gives back blocks, in ticks of 250 ms.

mod cancel;
mod certificates;
mod dial;
mod failure;
mod handshake;
mod order;
mod peer_credentials;
mod race;
mod search;
pub(crate) mod server_probe;
mod stream;
mod target_session_attrs;
mod tls;
pub(crate) mod wire;
mod x509;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub(crate) use cancel::cancel;
pub(crate) use certificates::{check_shown, schemes};
pub(crate) use dial::{Address, is_pause};
use dial::{Clock, Stop, Wait};
use failure::{Failure, Place};
use kecoa_proto::Connection;
use order::Balance;
use search::Circumstances;
use stream::Plain;
pub(crate) use stream::{Stream, TICK};

use crate::config::{Config, Environment, SslMode, Target};
use crate::error::Error;
use crate::interrupt::Interrupt;

/// Whom a stream is connected to: what a CancelRequest needs to reach the same server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    /// The host as it was given.
    pub(crate) target: Target,
    /// The address that answered.
    pub(crate) address: Address,
    /// Whether the stream is encrypted.
    pub(crate) tls: bool,
}

/// Connects to the first place of `config` that takes us. A configuration that was not resolved is
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
fn connect_within(
    config: &Config,
    limit: Option<Duration>,
    hook: &mut dyn Interrupt,
) -> Result<(Stream, Connection), Error> {
    let circumstances = Circumstances {
        clock: Clock::start(limit, config.connect_total_timeout()),
        balance: Balance::of(config),
        resolve: &dial::addresses,
    };
    search::search(config, circumstances, hook)
}

/// How one attempt on a place goes about TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TlsUse {
    Never,
    /// Asked for; goes on without if the server has none.
    IfOffered,
    Always,
    /// From the first byte, without asking.
    Direct,
}

/// Tries the address to which `socket` is connected, twice where sslmode says so.
fn try_place(
    config: &Config,
    password: Option<&[u8]>,
    place: &Place<'_>,
    socket: Plain,
    wait: &mut Wait<'_>,
) -> Result<(Stream, Connection), Failure> {
    if let Some(owner) = config.get("requirepeer").filter(|owner| !owner.is_empty()) {
        peer_credentials::check(owner, &socket, place)?;
    }
    let (first, second) = match config.ssl_mode() {
        // As libpq: there is nobody between the ends of a unix socket.
        _ if place.target.is_unix() => (TlsUse::Never, None),
        SslMode::Disable => (TlsUse::Never, None),
        SslMode::Allow => (TlsUse::Never, Some(TlsUse::Always)),
        SslMode::Prefer => (TlsUse::IfOffered, Some(TlsUse::Never)),
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull if config.has_direct_tls() => {
            (TlsUse::Direct, None)
        }
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => (TlsUse::Always, None),
    };
    let failed = match handshake::attempt(config, password, place, socket, first, wait) {
        Ok(connected) => return Ok(connected),
        Err(failed) => failed,
    };
    match second {
        Some(second) if failed.other_tls_may_help(first) => {
            wait.unwatch();
            let socket =
                dial::dial(place.address, config, wait).map_err(|stop| stop.into_failure(place))?;
            handshake::attempt(config, password, place, socket, second, wait)
                .map_err(|again| failed.or(again).into_failure())
        }
        _ => Err(failed.into_failure()),
    }
}

impl Stop {
    /// The error for a wait that ended, `during` what.
    fn into_failure(self, place: &Place<'_>) -> Failure {
        match self {
            Stop::Io(error) => Failure::elsewhere(place.io(&error)),
            Stop::TimedOut(limit) if limit.option == dial::TOTAL => {
                Failure::give_up(place.timeout(limit))
            }
            Stop::TimedOut(limit) => Failure::elsewhere(place.timeout(limit)),
            Stop::Interrupted => {
                Failure::give_up(Error::interrupted("interrupted while connecting"))
            }
        }
    }
}
