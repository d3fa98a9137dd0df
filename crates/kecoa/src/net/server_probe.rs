//! What a server shows to anybody: its TLS, and how it wants to be logged in to.
//!
//! These are connections of their own, on which no secret is sent and nothing is trusted: a
//! certificate that does not check is shown like any other, which is the point. They are for
//! diagnosis, never for work.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use kecoa_proto::message::backend::Message;
use kecoa_proto::message::startup::{ProtocolVersion, Startup};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};

mod certificate;

pub use certificate::Certificate;

use super::certificates::{check_shown, schemes};
use crate::config::{Config, Target};
use crate::error::Error;

/// A message of a handshake that is longer is none.
const MESSAGE_LIMIT: usize = 64 * 1024;

/// What a server's TLS is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsReport {
    /// Whether the server has TLS at all.
    pub offered: bool,
    /// Such as `TLSv1.3`; nothing when the handshake did not complete.
    pub version: Option<String>,
    /// The cipher suite.
    pub cipher: Option<String>,
    /// What the server showed, as far as it came.
    pub certificate: Option<Certificate>,
    /// Whether what the server sent was TLS, as far as it came.
    pub is_tls: bool,
    /// Why the TLS handshake did not complete.
    pub failure: Option<String>,
    /// Why a connection with the options that were given refuses the certificate.
    pub refusal: Option<String>,
}

/// How a server wants to be logged in to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Authentication {
    /// This method, in the words of `require_auth` where it has one.
    Method(String),
    /// The server refused with this SQLSTATE before it asked for anything.
    Refused(String),
}

/// Looks at the TLS of the server at one address of `target`, without logging in. `limit` is for
/// each wait.
///
/// # Errors
/// [`ErrorKind::Io`](crate::ErrorKind::Io) when the socket fails before anything could be told;
/// [`Protocol`](crate::ErrorKind::Protocol) when it is no server of the protocol.
pub fn tls(
    config: &Config,
    target: &Target,
    address: SocketAddr,
    limit: Duration,
) -> Result<TlsReport, Error> {
    let mut socket = dial(address, limit)?;
    if !config.has_direct_tls() {
        match ask_for_tls(&mut socket)? {
            b'S' => {}
            b'N' | b'E' => return Ok(TlsReport::default()),
            other => return Err(not_postgres(&[other], &mut socket)),
        }
    }
    let mut report = TlsReport { offered: true, is_tls: true, ..TlsReport::default() };
    let (mut tls, seen) = client(config, target, address)?;
    let completed = tls.complete_io(&mut socket);
    let shown = seen.take();
    report.certificate = shown.first().and_then(|der| Certificate::from_der(der));
    let host = match target.host.as_str() {
        "" => address.ip().to_string(),
        host => host.to_owned(),
    };
    report.refusal = check_shown(config, &host, &shown).err();
    match completed {
        Ok(_) => {
            report.version = tls.protocol_version().map(|version| match version {
                rustls::ProtocolVersion::TLSv1_2 => "TLSv1.2".to_owned(),
                rustls::ProtocolVersion::TLSv1_3 => "TLSv1.3".to_owned(),
                other => format!("{other:?}"),
            });
            let cipher = tls.negotiated_cipher_suite();
            report.cipher = cipher
                .and_then(|suite| suite.suite().as_str())
                .map(|name| name.replacen("TLS13_", "TLS_", 1));
        }
        Err(error) => {
            let inside = error.get_ref().and_then(|inside| inside.downcast_ref());
            report.is_tls = !matches!(inside, Some(rustls::Error::InvalidMessage(_)));
            report.failure = Some(if report.is_tls {
                error.to_string()
            } else {
                "expected TLS from the server, found something else".to_owned()
            });
        }
    }
    tls.send_close_notify();
    let _ = tls.write_tls(&mut socket);
    Ok(report)
}

/// Asks the server at `target` how it wants `config`'s user to log in, and hangs up. Over TLS as
/// `tls` says; the certificate is not checked, so that this is for places to which a checked
/// connection was made.
///
/// # Errors
/// As [`tls`].
pub fn authentication(
    config: &Config,
    target: &Target,
    address: Option<SocketAddr>,
    tls: bool,
    limit: Duration,
) -> Result<Authentication, Error> {
    match (address, target.socket_path()) {
        (Some(address), _) => {
            let mut socket = dial(address, limit)?;
            if !tls {
                return ask(config, &mut socket);
            }
            if !config.has_direct_tls() && ask_for_tls(&mut socket)? != b'S' {
                return Err(Error::tls("the server has no TLS for this connection"));
            }
            let (connection, _) = client(config, target, address)?;
            ask(config, &mut rustls::StreamOwned::new(connection, socket))
        }
        (None, Some(path)) => {
            let socket = UnixStream::connect(path).map_err(|error| failed(&error))?;
            socket.set_read_timeout(Some(limit)).map_err(|error| failed(&error))?;
            ask(config, &mut { socket })
        }
        (None, None) => Err(Error::usage("expected an address of the host, found none")),
    }
}

fn failed(error: &io::Error) -> Error {
    let error = io::Error::new(error.kind(), error.to_string());
    Error::io("the connection failed", error)
}

fn dial(address: SocketAddr, limit: Duration) -> Result<TcpStream, Error> {
    let connect = || {
        let socket = TcpStream::connect_timeout(&address, limit)?;
        socket.set_read_timeout(Some(limit))?;
        socket.set_write_timeout(Some(limit))?;
        socket.set_nodelay(true)?;
        Ok(socket)
    };
    connect().map_err(|error| failed(&error))
}

/// The one byte by which a server answers a request for TLS.
fn ask_for_tls(socket: &mut TcpStream) -> Result<u8, Error> {
    let mut request = BytesMut::new();
    Startup::Tls.encode(&mut request)?;
    socket.write_all(&request).map_err(|error| failed(&error))?;
    let mut answer = [0];
    socket.read_exact(&mut answer).map_err(|error| failed(&error))?;
    let [answer] = answer;
    Ok(answer)
}

/// The error for a server of something else, with what it says.
fn not_postgres(said: &[u8], socket: &mut impl Read) -> Error {
    let mut text = said.to_vec();
    let mut more = [0; 60];
    if let Ok(count) = socket.read(&mut more) {
        text.extend_from_slice(more.get(..count).unwrap_or_default());
    }
    let line = text.split(|byte| *byte == b'\r' || *byte == b'\n').next().unwrap_or_default();
    let line: String = String::from_utf8_lossy(line)
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    Error::unexpected(format!(
        "expected a PostgreSQL or CockroachDB server, found one that sent \"{line}\""
    ))
}

fn ask(config: &Config, stream: &mut (impl Read + Write)) -> Result<Authentication, Error> {
    let mut parameters = vec![("user".to_owned(), config.user().unwrap_or_default().to_owned())];
    parameters.extend(config.startup_parameters());
    let parameters =
        parameters.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    let startup = Startup::Startup { version: ProtocolVersion::V3_0, parameters };
    let mut request = BytesMut::new();
    startup.encode(&mut request)?;
    stream.write_all(&request).and_then(|()| stream.flush()).map_err(|error| failed(&error))?;
    loop {
        let mut header = [0; 5];
        stream.read_exact(&mut header).map_err(|error| failed(&error))?;
        let [tag, length @ ..] = header;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        let known = matches!(tag, b'R' | b'E' | b'N' | b'v');
        let Some(length) = length.checked_sub(4).filter(|n| known && *n <= MESSAGE_LIMIT) else {
            return Err(not_postgres(&header, stream));
        };
        let mut body = vec![0; length];
        stream.read_exact(&mut body).map_err(|error| failed(&error))?;
        match tag {
            b'R' => return Ok(Authentication::Method(method(&body))),
            b'E' => {
                let sqlstate = match Message::decode(tag, body.into()).map_err(Error::protocol)? {
                    Message::ErrorResponse(error) => error.sqlstate().as_str().to_owned(),
                    _ => String::new(),
                };
                return Ok(Authentication::Refused(sqlstate));
            }
            _ => {}
        }
    }
}

/// Source: PostgreSQL's documentation, "Message Formats", Authentication….
fn method(body: &[u8]) -> String {
    let Some((code, rest)) = body.split_at_checked(4) else { return "unknown".to_owned() };
    match code {
        [0, 0, 0, 0] => "none".to_owned(),
        [0, 0, 0, 3] => "password".to_owned(),
        [0, 0, 0, 5] => "md5".to_owned(),
        [0, 0, 0, 7 | 8] => "gss".to_owned(),
        [0, 0, 0, 9] => "sspi".to_owned(),
        [0, 0, 0, 10] => {
            let names: Vec<_> = rest
                .split(|byte| *byte == 0)
                .filter(|name| !name.is_empty())
                .map(|name| String::from_utf8_lossy(name).to_lowercase())
                .collect();
            names.join(" or ")
        }
        other => format!("unknown method {other:?}"),
    }
}

/// What the verifier, which verifies nothing, was shown.
#[derive(Clone, Debug, Default)]
struct Seen(Arc<Mutex<Vec<CertificateDer<'static>>>>);

impl Seen {
    fn take(&self) -> Vec<CertificateDer<'static>> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown = std::iter::once(end_entity).chain(intermediates);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            shown.map(|der| der.clone().into_owned()).collect();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        schemes()
    }
}

fn client(
    config: &Config,
    target: &Target,
    address: SocketAddr,
) -> Result<(ClientConnection, Seen), Error> {
    let seen = Seen::default();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let failed = |error: rustls::Error| Error::tls("could not set up TLS").with_source(error);
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(seen.clone()))
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"postgresql".to_vec()];
    tls.enable_sni = config.is_on("sslsni");
    let name = if target.host.is_empty() {
        ServerName::IpAddress(address.ip().into())
    } else {
        ServerName::try_from(target.host.clone())
            .map_err(|_| Error::tls("the host name cannot be that of a certificate"))?
    };
    let connection = ClientConnection::new(Arc::new(tls), name).map_err(failed)?;
    Ok((connection, seen))
}
