//! Cancelling what a session does: a second connection that says nothing but the session's key.

use std::time::Duration;

use bytes::BytesMut;
use kecoa_proto::CancelKey;
use kecoa_proto::message::startup::Startup;

use super::address::Peer;
use super::deadline::Deadline;
use super::dial;
use super::failure::Place;
use super::handshake;
use super::stream::Stream;
use super::wait::{Stop, Wait};
use crate::config::Config;
use crate::error::Error;
use crate::interrupt::Interrupt;

/// A cancel that has got nowhere by then will not.
const LIMIT: Duration = Duration::from_secs(10);

/// Asks the server at `peer` to cancel what the session with `key` does, over TLS if the session is
/// encrypted, and waits until the server has taken the request (it closes the connection then).
/// Whether anything was cancelled shows in the session only. The hook may give it up.
///
/// # Errors
///
/// As for a connection. Nothing was cancelled then.
pub(crate) fn cancel(
    config: &Config,
    peer: &Peer,
    key: &CancelKey,
    hook: &mut dyn Interrupt,
) -> Result<(), Error> {
    let limit = config.connect_timeout().map_or(LIMIT, |limit| limit.min(LIMIT));
    let deadline = Deadline::begin("a cancel request's limit", limit);
    let mut wait = Wait::new(deadline, hook);
    let place = Place { target: &peer.target, address: &peer.address };
    let failed = |stop: Stop| stop.into_failure(&place).error;

    let plain = dial::dial(place.address, config, &mut wait).map_err(failed)?;
    let plain_peer = Peer { tls: false, ..peer.clone() };
    let mut stream = Stream::plain(plain, plain_peer).map_err(|error| failed(error.into()))?;
    if peer.tls && config.has_direct_tls() {
        stream = secure(stream, config, &place, &mut wait)?;
    } else if peer.tls {
        let mut request = BytesMut::new();
        Startup::Tls.encode(&mut request)?;
        send(&mut stream, &request, &mut wait).map_err(failed)?;
        let mut reply = BytesMut::new();
        wait.until_done(|| stream.read_into(&mut reply, 0)).map_err(failed)?;
        // Nothing may be behind the "S": see `ProtocolError::BytesBehindTlsReply`.
        if reply != b"S"[..] {
            return Err(Error::tls(place.failed(
                "expected the server to accept TLS for the cancel request as it did for the \
                 session, found a refusal",
            )));
        }
        stream = secure(stream, config, &place, &mut wait)?;
    }
    let mut request = BytesMut::new();
    Startup::Cancel(key.clone()).encode(&mut request)?;
    send(&mut stream, &request, &mut wait).map_err(failed)?;
    let mut rest = BytesMut::new();
    loop {
        rest.clear();
        match wait.until_done(|| stream.read_into(&mut rest, 0)) {
            Ok(0) => return Ok(()),
            // A server that has no use for a cancel may say so; it is of no use to us either.
            Ok(_) => {}
            // The request is on its way; how the connection ends does not matter.
            Err(Stop::Io(_)) => return Ok(()),
            Err(stop) => return Err(failed(stop)),
        }
    }
}

fn secure(
    stream: Stream,
    config: &Config,
    place: &Place<'_>,
    wait: &mut Wait<'_>,
) -> Result<Stream, Error> {
    let secured = handshake::begin_tls(stream, config, place, wait);
    secured.map(|secured| secured.stream).map_err(|failed| failed.into_failure().error)
}

fn send(stream: &mut Stream, mut data: &[u8], wait: &mut Wait<'_>) -> Result<(), Stop> {
    while !data.is_empty() {
        let written = stream.write_some(data, wait)?;
        data = data.get(written..).unwrap_or_default();
    }
    Ok(())
}
