//! Drives the protocol core's handshake over a fresh stream.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use kecoa_proto::{Connection, Handshake, HandshakeError, Limits, Progress, StartupConfig};
use rustls::pki_types::{IpAddr, ServerName};

use super::address::{Address, Peer};
use super::certificates::{self, Identity, Setup, Verifier};
use super::failure::{Failure, Next, Place};
use super::socket::PlainSocket;
use super::stream::Stream;
use super::tls::TlsStream;
use super::wait::{Stop, Wait, is_pause};
use crate::config::Config;
use crate::error::{Error, ErrorKind};

/// How one attempt on a place goes about TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TlsUse {
    Never,
    /// Asked for; goes on without if the server has none.
    IfOffered,
    Always,
    /// From the first byte, without asking.
    Direct,
}

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
            // Files of ours that cannot be used are the reason for all that follows.
            (Failed::Tls(Failure { next: Next::GiveUp, .. }), _) => self,
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

/// Runs the handshake over a socket that is connected to `place`.
pub(super) fn attempt(
    config: &Config,
    password: Option<&[u8]>,
    place: &Place<'_>,
    plain: PlainSocket,
    tls: TlsUse,
    wait: &mut Wait<'_>,
) -> Result<(Stream, Connection), Failed> {
    let stop = |stop: Stop| stop.into_failure(place);
    if tls == TlsUse::Never {
        check_no_certificate(config, place)?;
    }
    let peer = Peer { target: place.target.clone(), address: place.address.clone(), tls: false };
    let mut stream = Stream::plain(plain, peer).map_err(|error| stop(error.into()))?;
    wait.watch(&stream).map_err(|error| stop(error.into()))?;
    if wait.hook.parks() {
        stream.set_nonblocking(true).map_err(|error| stop(error.into()))?;
    }
    let mut handshake = Handshake::new(startup(config, password, tls))
        .map_err(|error| Failure::give_up(Error::config(error.to_string())))?;
    let mut identity = None;
    let mut received = Vec::new();
    if tls == TlsUse::Direct {
        let secured = begin_tls(stream, config, place, wait)?;
        bind(&mut handshake, &secured.stream, config, place)?;
        stream = secured.stream;
        identity = Some(secured.identity);
    }
    loop {
        handshake = match handshake.advance() {
            Ok(Progress::NeedInput(mut handshake)) => {
                let before = handshake.read_buffer().len();
                exchange(&mut stream, &mut handshake, wait)
                    .map_err(|stop| lost(stop, None, config, place))?;
                // Enough of what came first to tell what sort of server this is.
                let new = handshake.read_buffer().get(before..).unwrap_or_default();
                received.extend(new.iter().take(RECEIVED - received.len().min(RECEIVED)));
                handshake
            }
            Ok(Progress::TlsAccepted(mut handshake)) => {
                let secured = begin_tls(stream, config, place, wait)?;
                bind(&mut handshake, &secured.stream, config, place)?;
                stream = secured.stream;
                identity = Some(secured.identity);
                handshake
            }
            Ok(Progress::TlsRefused(_)) if tls == TlsUse::Always => {
                return Err(Failure::elsewhere(Error::tls(place.failed(
                    "server does not support SSL, but SSL was required\n\
                     HINT: switch TLS on in the server, or use sslmode=prefer or disable",
                )))
                .into());
            }
            Ok(Progress::TlsRefused(handshake)) => {
                check_no_certificate(config, place)?;
                handshake
            }
            Ok(Progress::Notice(_, handshake)) => handshake,
            Ok(Progress::Ready(connection)) => {
                if wait.hook.parks() {
                    stream.set_nonblocking(false).map_err(|error| stop(error.into()))?;
                }
                return Ok((stream, connection));
            }
            Err(HandshakeError::ChannelBinding { reason }) => {
                return Err(Failure::give_up(Error::authentication(place.failed(&format!(
                    "{reason}\n\
                     HINT: it takes TLS, scram-sha-256 in the server's pg_hba.conf, and a password \
                     that is stored that way; channel_binding=prefer uses it where it can be had"
                ))))
                .into());
            }
            Err(error) => {
                let failure = place.handshake(error, &received);
                return Err(with_hint(
                    with_source(failure, config, password),
                    config,
                    identity.as_deref(),
                )
                .into());
            }
        };
    }
}

/// Lets SCRAM bind itself to the TLS stream, unless that is switched off.
fn bind(
    handshake: &mut Handshake,
    stream: &Stream,
    config: &Config,
    place: &Place<'_>,
) -> Result<(), Failure> {
    let wanted = config.get("channel_binding");
    if wanted == Some("disable") {
        return Ok(());
    }
    match stream.server_end_point() {
        Some(hash) => handshake.set_tls_server_end_point(hash),
        None if wanted == Some("require") => {
            return Err(Failure::give_up(Error::authentication(place.failed(
                "channel binding is required, but the signature of the server's certificate has \
                 no hash function to bind to\n\
                 HINT: let the server have a certificate that is signed by RSA or ECDSA, not by \
                 Ed25519",
            ))));
        }
        None => {}
    }
    Ok(())
}

/// `sslcertmode=require` cannot be met without TLS.
fn check_no_certificate(config: &Config, place: &Place<'_>) -> Result<(), Failure> {
    if config.get("sslcertmode") != Some("require") {
        return Ok(());
    }
    Err(Failure::elsewhere(Error::tls(place.failed(
        "server did not request an SSL certificate\n\
         HINT: sslcertmode=require takes TLS, which this connection does not have: set sslmode to \
         require or more",
    ))))
}

/// `sslcertmode=require`: the server must have asked for a certificate and got one.
fn check_certificate(
    identity: &Identity,
    config: &Config,
    place: &Place<'_>,
) -> Result<(), Failure> {
    if config.get("sslcertmode") != Some("require") {
        return Ok(());
    }
    let what = if !identity.was_requested() {
        "server did not request an SSL certificate\n\
         HINT: set ssl_ca_file in the server to the authority of its clients, or let sslcertmode be \
         allow here"
    } else if !identity.was_sent() {
        "server accepted connection without a valid SSL certificate\n\
         HINT: give the client certificate as sslcert and its key as sslkey"
    } else {
        return Ok(());
    };
    Err(Failure::elsewhere(Error::tls(place.failed(what))))
}

/// Says where a wrong password is from, in libpq's words, and why a password file was passed over. Who
/// reads the error has not seen the file: it is found by itself.
fn with_source(failure: Failure, config: &Config, password: Option<&[u8]>) -> Failure {
    let Failure { error, next } = failure;
    let mut message = error.to_string();
    match (error.kind(), error.sqlstate(), config.password_file()) {
        (_, Some("28P01"), Some(file)) if password.is_some() => {
            message.push_str(&format!("\npassword retrieved from file \"{}\"", file.display()));
        }
        (ErrorKind::Authentication, None, _) if password.is_none() => {
            for notice in config.notices() {
                message.push_str(&format!("\nHINT: {notice}"));
            }
        }
        _ => return Failure { error, next },
    }
    Failure { error: error.with_message(message), next }
}

/// Adds what to change where the server refuses because of the client's certificate: its own words
/// are about `trust` or a password then.
fn with_hint(failure: Failure, config: &Config, identity: Option<&Identity>) -> Failure {
    let Failure { error, next } = failure;
    let user = config.user().unwrap_or_default();
    let message = error.to_string();
    let hint = match (error.sqlstate(), identity) {
        (Some("28000" | "28P01"), Some(identity)) => match identity.sent_name() {
            Some(name) if name != user => format!(
                "the client certificate is for \"{name}\", the user is \"{user}\": give the \
                 certificate of the user, or map the one to the other in the server's pg_ident.conf"
            ),
            None if message.contains("valid client certificate") => {
                "give the file of the user's certificate as sslcert and its key as sslkey"
                    .to_owned()
            }
            _ => return Failure { error, next },
        },
        _ => return Failure { error, next },
    };
    Failure { error: error.with_message(format!("{message}\nHINT: {hint}")), next }
}

fn startup(config: &Config, password: Option<&[u8]>, tls: TlsUse) -> StartupConfig {
    let (oldest, newest) = config.protocol_versions();
    let mut startup = StartupConfig::new(config.user().unwrap_or_default())
        .tls(matches!(tls, TlsUse::IfOffered | TlsUse::Always))
        .encrypted(tls == TlsUse::Direct)
        .require_channel_binding(config.get("channel_binding") == Some("require"))
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
        let written = stream.write_some(data, wait)?;
        handshake.transmitted(written);
    }
    Ok(())
}

fn read_some(
    stream: &mut Stream,
    handshake: &mut Handshake,
    wait: &mut Wait<'_>,
) -> Result<(), Stop> {
    match wait.until_done(|| stream.read_into(handshake.read_buffer(), 0))? {
        0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        _ => Ok(()),
    }
}

/// The failure of a stream; what TLS had to say about it is inside the I/O error.
fn lost(stop: Stop, verifier: Option<&Verifier>, config: &Config, place: &Place<'_>) -> Failed {
    let Stop::Io(error) = &stop else { return stop.into_failure(place).into() };
    match error.get_ref().and_then(|inside| inside.downcast_ref()) {
        Some(error) => tls_failed(error, verifier, config, place),
        None => stop.into_failure(place).into(),
    }
}

fn tls_failed(
    error: &rustls::Error,
    verifier: Option<&Verifier>,
    config: &Config,
    place: &Place<'_>,
) -> Failed {
    let host = place.target.host_or_address();
    let verify_error = verifier.and_then(Verifier::verify_error);
    let why = certificates::explain(error, verify_error, host, config);
    Failed::Tls(Failure::elsewhere(Error::tls(place.failed(&why))))
}

/// A stream with TLS over it, and who we are to the other side.
pub(super) struct Secured {
    pub(super) stream: Stream,
    identity: Arc<Identity>,
}

/// Puts TLS over the stream and completes its handshake.
pub(super) fn begin_tls(
    stream: Stream,
    config: &Config,
    place: &Place<'_>,
    wait: &mut Wait<'_>,
) -> Result<Secured, Failed> {
    let host = expected_host(place);
    // Files that cannot be used are no better at another place; sslmode=prefer goes on without TLS,
    // as libpq does.
    let Setup { config: tls, identity, verifier } =
        certificates::setup(config, &host).map_err(|error| Failed::Tls(Failure::give_up(error)))?;
    let name = server_name(&host, place);
    let is_direct = config.has_direct_tls();
    let mut stream = stream
        .with_tls(|socket| TlsStream::new(socket, tls, name))
        .map_err(|error| tls_failed(&error, None, config, place))?;
    loop {
        match stream.tls_handshake() {
            Ok(true) => break,
            Ok(false) => wait.on_progress().map_err(|stop| stop.into_failure(place))?,
            Err(error) if is_pause(&error) => {
                wait.on_pause().map_err(|stop| stop.into_failure(place))?;
            }
            Err(error) => {
                return Err(match lost(error.into(), Some(&verifier), config, place) {
                    Failed::Other(Failure { error, next }) => {
                        // Hanging up is what some servers do with a TLS they do not like.
                        let hint = if is_direct {
                            "sslnegotiation=direct takes PostgreSQL 17 or newer; \
                             sslnegotiation=postgres is understood by all"
                        } else {
                            "it hung up in the middle of the TLS handshake: its log may say why, \
                             or something between ends connections with TLS"
                        };
                        let message = format!("{error}\nHINT: {hint}");
                        Failed::Tls(Failure { error: error.with_message(message), next })
                    }
                    failed @ Failed::Tls(_) => failed,
                });
            }
        }
    }
    // Without it this may be a server of anything that takes TLS.
    if is_direct && stream.alpn() != Some(certificates::ALPN) {
        let error = Error::tls(place.failed(&certificates::no_alpn()));
        return Err(Failed::Tls(Failure::elsewhere(error)));
    }
    check_certificate(&identity, config, place)?;
    Ok(Secured { stream, identity })
}

/// Whom the certificate is to be for: the host as it was given, never what it resolved to.
fn expected_host(place: &Place<'_>) -> String {
    match place.address {
        Address::Tcp(address) if place.target.host.is_empty() => address.ip().to_string(),
        _ => place.target.host.clone(),
    }
}

/// The name to send. A host that cannot be a name there (libpq would send it all the same) is left
/// out, as addresses are.
fn server_name(host: &str, place: &Place<'_>) -> ServerName<'static> {
    let unnamed = || match place.address {
        Address::Tcp(address) => ServerName::IpAddress(IpAddr::from(address.ip())),
        Address::Unix(_) => ServerName::IpAddress(IpAddr::from(Ipv4Addr::LOCALHOST)),
    };
    ServerName::try_from(host.to_owned()).unwrap_or_else(|_| unnamed())
}
