//! One attempt on one address: without TLS, with it, or one after the other, as sslmode says.

use kecoa_proto::Connection;

use super::failure::{Failure, Place};
use super::handshake::{self, TlsUse};
use super::socket::PlainSocket;
use super::stream::Stream;
use super::wait::Wait;
use super::{dial, peer_credentials};
use crate::config::{Config, SslMode};

/// Tries the address to which `socket` is connected, twice where sslmode says so.
pub(super) fn try_place(
    config: &Config,
    password: Option<&[u8]>,
    place: &Place<'_>,
    socket: PlainSocket,
    wait: &mut Wait<'_>,
) -> Result<(Stream, Connection), Failure> {
    if let Some(owner) = config.filled("requirepeer") {
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
