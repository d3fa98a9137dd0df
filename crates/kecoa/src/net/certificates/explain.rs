//! What a failed TLS handshake means and what to do about it, in libpq's words where it has some.

use rustls::{AlertDescription, PeerIncompatible};

use super::verify_error::VerifyError;
use crate::config::Config;

/// What `error` means. `verify_error` is what we did not like about the server's certificate, `host` whom
/// it should have been for.
pub(in super::super) fn explain(
    error: &rustls::Error,
    verify_error: Option<&VerifyError>,
    host: &str,
    config: &Config,
) -> String {
    if let Some(verify_error) = verify_error {
        return invalid_certificate(verify_error, host, config);
    }
    let (what, hint) = match error {
        rustls::Error::AlertReceived(reason) => return alert(*reason, config),
        rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => return version(config),
        rustls::Error::PeerIncompatible(reason) => (
            format!("the server's TLS has nothing in common with what is spoken here ({reason:?})"),
            COMMON,
        ),
        rustls::Error::PeerMisbehaved(reason) => (
            format!("the server does not keep to the rules of TLS ({reason:?})"),
            "what answers may be no PostgreSQL or CockroachDB, or something between changes what it \
             says: check host and port",
        ),
        rustls::Error::InvalidMessage(_)
        | rustls::Error::InappropriateMessage { .. }
        | rustls::Error::InappropriateHandshakeMessage { .. } => (
            format!("expected TLS from the server, found something else ({error})"),
            "check host and port: something that is no PostgreSQL or CockroachDB may answer there",
        ),
        rustls::Error::DecryptError => (
            "what the server sent was changed on the way, or cut".to_owned(),
            "something between interferes: look for a proxy or firewall that reads TLS",
        ),
        rustls::Error::PeerSentOversizedRecord => (
            "the server sent more at once than TLS allows".to_owned(),
            "check host and port: something that is no PostgreSQL or CockroachDB may answer there",
        ),
        rustls::Error::NoApplicationProtocol => return no_alpn(),
        other => (
            format!("the TLS handshake failed: {other}"),
            "the server's log may say more; sslmode=disable, where nobody can be in between, goes \
             without TLS",
        ),
    };
    said(&what, hint)
}

const COMMON: &str = "allow ECDHE with AES-GCM or ChaCha20 among the server's cipher suites, and let \
                      its key be RSA of at least 2048 bits, on the curve P-256, P-384 or P-521, or of \
                      Ed25519";

fn said(what: &str, hint: &str) -> String {
    format!("SSL error: {what}\nHINT: {hint}")
}

/// Why a certificate is not believed.
pub(super) fn invalid_certificate(
    verify_error: &VerifyError,
    host: &str,
    config: &Config,
) -> String {
    let roots = match config.filled("sslrootcert") {
        Some("system") | None => "the system's authorities".to_owned(),
        Some(path) => format!("the authorities in sslrootcert \"{path}\""),
    };
    let (what, hint) = verify_error.explained(&roots, host);
    match verify_error {
        // libpq's words, which begin so.
        VerifyError::Names(_) => format!("{what}\nHINT: {hint}"),
        _ => said(&format!("certificate verify failed: {what}"), hint),
    }
}

/// What a server complains about: nearly always our certificate.
fn alert(reason: AlertDescription, config: &Config) -> String {
    let sent = match config.filled("sslcert") {
        Some(path) => format!("the client certificate (sslcert \"{path}\")"),
        None => "the client certificate".to_owned(),
    };
    let (what, hint) = match reason {
        AlertDescription::CertificateRequired => (
            "the server asks for a client certificate".to_owned(),
            "give its file as sslcert and the file with its key as sslkey",
        ),
        AlertDescription::UnknownCA => (
            format!("the server does not know the authority of {sent} (alert unknown ca)"),
            "give a certificate that an authority of the server's ssl_ca_file has signed, with the \
             certificates between behind it in the file",
        ),
        AlertDescription::CertificateExpired => (
            format!("{sent} has expired, or is not valid yet (alert certificate expired)"),
            "give a new one; if it is new, check the server's clock",
        ),
        AlertDescription::CertificateRevoked => (
            format!("{sent} is revoked (alert certificate revoked)"),
            "get a new one, with a new key",
        ),
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::AccessDenied => {
            (format!("the server refuses {sent} (alert {reason:?})"), "the server's log says why")
        }
        AlertDescription::ProtocolVersion => return version(config),
        AlertDescription::NoApplicationProtocol => return no_alpn(),
        AlertDescription::UnrecognisedName => (
            "the server is not known by the name that was sent to it (alert unrecognized name)"
                .to_owned(),
            "check the host; sslsni=0 sends no name",
        ),
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => (
            format!(
                "the server ended the TLS handshake: it has nothing in common with what is spoken here (alert {reason:?})"
            ),
            COMMON,
        ),
        AlertDescription::DecryptError => (
            format!("the server does not believe that {sent} is ours (alert DecryptError)"),
            "give the certificate and the key that belong together as sslcert and sslkey",
        ),
        AlertDescription::InternalError => (
            "the server ended the TLS handshake with an error of its own (alert InternalError)"
                .to_owned(),
            "the server's log says why",
        ),
        _ => (
            format!("the server ended the TLS handshake with the alert {reason:?}"),
            "the server's log says why",
        ),
    };
    said(&what, hint)
}

fn version(config: &Config) -> String {
    let least = match config.filled("ssl_min_protocol_version") {
        Some("TLSv1.3") => "TLSv1.3",
        _ => "TLSv1.2",
    };
    let most = config.filled("ssl_max_protocol_version").unwrap_or("TLSv1.3");
    format!(
        "SSL error: tlsv1 alert protocol version\n\
         HINT: This may indicate that the server does not support any SSL protocol version between \
         {least} and {most}: change ssl_min_protocol_version or ssl_max_protocol_version here or in \
         the server's settings; TLS before 1.2 is not spoken"
    )
}

/// The server chose no protocol where it must, or has another one.
pub(in super::super) fn no_alpn() -> String {
    "direct SSL connection was established without ALPN protocol negotiation extension\n\
     HINT: the server is not PostgreSQL 17 or newer, or something between ends TLS: use \
     sslnegotiation=postgres"
        .to_owned()
}
