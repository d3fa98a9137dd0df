//! Drives the protocol core's handshake over a fresh stream.

use std::io;

use kecoa_proto::{Connection, Handshake, Limits, Progress, StartupConfig};
use rustls::pki_types::{IpAddr, ServerName};

use super::dial::{Address, Stop, Wait, is_pause};
use super::failure::{Failure, Next, Place};
use super::stream::{Plain, Stream};
use super::tls::TlsStream;
use super::{Peer, TlsUse, certificates};
use crate::config::Config;
use crate::error::Error;

/// Why an attempt failed, with what decides whether the other way to use TLS may do better.
#[derive(Debug)]
pub(super) enum Failed {
    /// TLS itself failed: the other side's TLS is broken or too old.
    Tls(Failure),
    Other(Failure),
}

impl Failed {
    /// sslmode=prefer goes on without TLS, allow with it. A wrong password is wrong either way, and
    /// is not sent again in clear.
    pub(super) fn other_tls_may_help(&self, used: TlsUse) -> bool {
        match self {
            Failed::Tls(_) => used == TlsUse::IfOffered,
            // 28000: no entry of pg_hba.conf takes a connection of this sort.
            Failed::Other(failure) => failure.error.sqlstate() == Some("28000"),
        }
    }

    /// Which of the failures of both ways to report: that of the way that was asked for, unless TLS
    /// broke and the server then had a reason of its own.
    pub(super) fn or(self, again: Failed) -> Failed {
        match (&self, &again) {
            (Failed::Tls(_), Failed::Other(failure)) if failure.error.server().is_some() => again,
            _ => self,
        }
    }

    pub(super) fn into_failure(self) -> Failure {
        match self {
            Failed::Tls(failure) | Failed::Other(failure) => failure,
        }
    }
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Failed {
        Failed::Other(failure)
    }
}

/// Enough of what a server sent first to tell what it is.
const RECEIVED: usize = 64;

/// Shakes hands over a socket that is connected to `place`.
pub(super) fn attempt(
    config: &Config,
    password: Option<&str>,
    place: &Place<'_>,
    plain: Plain,
    tls: TlsUse,
    wait: &mut Wait<'_>,
) -> Result<(Stream, Connection), Failed> {
    let stop = |stop: Stop| stop.into_failure(place);
    let peer = Peer { target: place.target.clone(), address: place.address.clone(), tls: false };
    let mut stream = Stream::plain(plain, peer).map_err(|error| stop(error.into()))?;
    wait.socket = Some(stream.as_raw_fd());
    if wait.hook.parks() {
        stream.set_nonblocking(true).map_err(|error| stop(error.into()))?;
    }
    let mut handshake = Handshake::new(startup(config, password, tls))
        .map_err(|error| Failure::give_up(Error::config(error.to_string())))?;
    let mut received = Vec::new();
    loop {
        handshake = match handshake.advance() {
            Ok(Progress::NeedInput(mut handshake)) => {
                let before = handshake.read_buffer().len();
                exchange(&mut stream, &mut handshake, wait)
                    .map_err(|stop| lost(stop, config, place))?;
                // Enough of what came first to tell what sort of server this is.
                let new = handshake.read_buffer().get(before..).unwrap_or_default();
                received.extend(new.iter().take(RECEIVED - received.len().min(RECEIVED)));
                handshake
            }
            Ok(Progress::TlsAccepted(mut handshake)) => {
                stream = begin_tls(stream, config, place, wait)?;
                if config.get("channel_binding") != Some("disable")
                    && let Some(hash) = stream.server_end_point()
                {
                    handshake.set_tls_server_end_point(hash);
                }
                handshake
            }
            Ok(Progress::TlsRefused(_)) if tls == TlsUse::Always => {
                return Err(Failure::elsewhere(Error::tls(place.failed(
                    "server does not support SSL, but SSL was required\n\
                     HINT: switch TLS on in the server, or use sslmode=prefer or disable",
                )))
                .into());
            }
            Ok(Progress::TlsRefused(handshake) | Progress::Notice(_, handshake)) => handshake,
            Ok(Progress::Ready(connection)) => {
                if wait.hook.parks() {
                    stream.set_nonblocking(false).map_err(|error| stop(error.into()))?;
                }
                return Ok((stream, connection));
            }
            Err(error) => return Err(place.handshake(error, &received).into()),
        };
    }
}

fn startup(config: &Config, password: Option<&str>, tls: TlsUse) -> StartupConfig {
    let (oldest, newest) = config.protocol_versions();
    let mut startup = StartupConfig::new(config.user().unwrap_or_default())
        .tls(tls != TlsUse::Never)
        .oldest_version(oldest)
        .version(newest);
    let mut limits = Limits::default();
    limits.message = config.max_message_size().unwrap_or(usize::MAX);
    startup = startup.limits(limits);
    if let Some(requirement) = config.required_authentication() {
        startup = startup.require(requirement);
    }
    if let Some(password) = password {
        startup = startup.password(password);
    }
    for (name, value) in config.startup_parameters() {
        startup = startup.parameter(name, value);
    }
    startup
}

/// Sends what the core has to say, then reads at least one byte.
fn exchange(
    stream: &mut Stream,
    handshake: &mut Handshake,
    wait: &mut Wait<'_>,
) -> Result<(), Stop> {
    match write_all(stream, handshake, wait) {
        // A server that refuses may hang up without having read all; its reason is still there to
        // be read.
        Err(Stop::Io(error)) => match stream.read_into(handshake.read_buffer(), 0) {
            Ok(1..) => Ok(()),
            Err(told) if told.kind() == io::ErrorKind::InvalidData => Err(told.into()),
            _ => Err(error.into()),
        },
        Err(stop) => Err(stop),
        Ok(()) => read_some(stream, handshake, wait),
    }
}

fn write_all(
    stream: &mut Stream,
    handshake: &mut Handshake,
    wait: &mut Wait<'_>,
) -> Result<(), Stop> {
    while let Some(data) = handshake.poll_transmit() {
        let written = wait.patiently(|| stream.write(data))?;
        if written == 0 {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
        }
        handshake.transmitted(written);
    }
    Ok(())
}

fn read_some(
    stream: &mut Stream,
    handshake: &mut Handshake,
    wait: &mut Wait<'_>,
) -> Result<(), Stop> {
    match wait.patiently(|| stream.read_into(handshake.read_buffer(), 0))? {
        0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        _ => Ok(()),
    }
}

/// The failure of a stream; what TLS had to say about it is inside the I/O error.
fn lost(stop: Stop, config: &Config, place: &Place<'_>) -> Failed {
    let Stop::Io(error) = &stop else { return stop.into_failure(place).into() };
    match error.get_ref().and_then(|inside| inside.downcast_ref()) {
        Some(error) => tls_failed(error, config, place),
        None => stop.into_failure(place).into(),
    }
}

fn tls_failed(error: &rustls::Error, config: &Config, place: &Place<'_>) -> Failed {
    let host = match place.target.host.as_str() {
        "" => place.target.hostaddr.as_deref().unwrap_or_default(),
        host => host,
    };
    let why = certificates::explain(error, host, config);
    Failed::Tls(Failure::elsewhere(Error::tls(place.failed(&why))))
}

/// Puts TLS over the stream and completes its handshake.
pub(super) fn begin_tls(
    stream: Stream,
    config: &Config,
    place: &Place<'_>,
    wait: &mut Wait<'_>,
) -> Result<Stream, Failed> {
    // Files that cannot be used are no better at another place.
    let tls = certificates::client_config(config).map_err(Failure::give_up)?;
    let name = server_name(place)?;
    let mut stream = stream
        .with_tls(|socket| TlsStream::new(socket, tls, name))
        .map_err(|error| tls_failed(&error, config, place))?;
    loop {
        match stream.tls_handshake() {
            Ok(true) => return Ok(stream),
            Ok(false) => wait.glance().map_err(|stop| stop.into_failure(place))?,
            Err(error) if is_pause(&error) => {
                wait.look_around().map_err(|stop| stop.into_failure(place))?;
            }
            Err(error) => {
                return Err(match lost(error.into(), config, place) {
                    // Hanging up is what some servers do with a TLS they do not like.
                    Failed::Tls(failure) | Failed::Other(failure) => Failed::Tls(failure),
                });
            }
        }
    }
}

/// The name to send and to check: that of the host, never of what it resolved to.
fn server_name(place: &Place<'_>) -> Result<ServerName<'static>, Failure> {
    let host = place.target.host.as_str();
    if host.is_empty()
        && let Address::Tcp(address) = place.address
    {
        return Ok(ServerName::IpAddress(IpAddr::from(address.ip())));
    }
    ServerName::try_from(host.to_owned()).map_err(|_| Failure {
        error: Error::tls(place.failed("the host name cannot be that of a certificate")),
        next: Next::Elsewhere,
    })
}
