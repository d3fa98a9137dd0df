//! What a failed TLS handshake means and what to do about it, in libpq's words where it has some.

use rustls::{AlertDescription, CertRevocationListError, CertificateError, PeerIncompatible};

use super::filled;
use crate::config::Config;

/// What `error` means. `host` is whom the certificate should have been for.
pub(in super::super) fn explain(error: &rustls::Error, host: &str, config: &Config) -> String {
    let (what, hint) = match error {
        rustls::Error::InvalidCertificate(reason) => return certificate(reason, host, config),
        rustls::Error::InvalidCertRevocationList(reason) => {
            (format!("certificate verify failed: {}", revocation_list(reason)), NEW_LIST)
        }
        rustls::Error::AlertReceived(reason) => return alert(*reason, config),
        rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => return version(config),
        rustls::Error::InvalidMessage(_) => {
            (format!("expected TLS from the server, found something else ({error})"), "")
        }
        rustls::Error::NoApplicationProtocol => return no_alpn(),
        other => (other.to_string(), ""),
    };
    said(&what, hint)
}

fn said(what: &str, hint: &str) -> String {
    if hint.is_empty() {
        format!("SSL error: {what}")
    } else {
        format!("SSL error: {what}\nHINT: {hint}")
    }
}

const NEW_LIST: &str =
    "get a new revocation list from the authority and put it where sslcrl or sslcrldir points";

fn certificate(reason: &CertificateError, host: &str, config: &Config) -> String {
    let roots = match filled(config, "sslrootcert") {
        Some("system") | None => "the system's authorities".to_owned(),
        Some(path) => format!("the authorities in sslrootcert \"{path}\""),
    };
    let (what, hint) = match reason {
        CertificateError::UnknownIssuer => (
            format!("none of {roots} has signed the server's certificate"),
            "set sslrootcert to the file with the certificate of the server's authority; if that \
             is done, the server must send the certificates between (put them behind its own in \
             ssl_cert_file); sslmode=require without sslrootcert encrypts without checking whose \
             server it is",
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            "the server's certificate has expired".to_owned(),
            "renew it on the server; if it is new, check this machine's clock",
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            "the server's certificate is not valid yet".to_owned(),
            "check this machine's clock, and from when the certificate is valid",
        ),
        CertificateError::Revoked => (
            "the server's certificate, or one of its authority's, is revoked".to_owned(),
            "its key may be in wrong hands: let the server have a new certificate",
        ),
        CertificateError::UnknownRevocationStatus => (
            "no revocation list (sslcrl, sslcrldir) is of the authority that has signed the \
             server's certificate, or one of its authority's"
                .to_owned(),
            "there must be a list of every authority in the chain, or none at all",
        ),
        CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. } => {
            ("the revocation list (sslcrl, sslcrldir) is not in force now".to_owned(), NEW_LIST)
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            return mismatch(presented, host);
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => (
            "the server's certificate is not made for servers".to_owned(),
            "let the server have one whose extended key usage is serverAuth, or that has none",
        ),
        CertificateError::BadSignature => (
            "a signature of the server, or in its certificates, is wrong".to_owned(),
            "somebody may sit between; or the server's key is not that of its certificate",
        ),
        CertificateError::BadEncoding => {
            ("the server's certificate cannot be read".to_owned(), "make it anew")
        }
        other => (other.to_string(), ""),
    };
    said(&format!("certificate verify failed: {what}"), hint)
}

fn mismatch(presented: &[String], host: &str) -> String {
    let Some((first, others)) = presented.split_first() else {
        return format!(
            "could not get server's host name from server certificate: it names none, so it is not \
             for host name \"{host}\"\n\
             HINT: make it anew with the host name as subjectAltName; sslmode=verify-ca checks the \
             authority only"
        );
    };
    let others = match others.len() {
        0 => String::new(),
        1 => " (and 1 other name)".to_owned(),
        count => format!(" (and {count} other names)"),
    };
    format!(
        "server certificate for \"{first}\"{others} does not match host name \"{host}\"\n\
         HINT: connect by a name that the certificate is for (hostaddr can give the address); \
         sslmode=verify-ca checks the authority only"
    )
}

fn revocation_list(reason: &CertRevocationListError) -> &'static str {
    match reason {
        CertRevocationListError::BadSignature => {
            "the signature of the revocation list (sslcrl, sslcrldir) is wrong"
        }
        CertRevocationListError::UnsupportedCriticalExtension => {
            "the revocation list (sslcrl, sslcrldir) has an extension that is not supported"
        }
        _ => "the revocation list (sslcrl, sslcrldir) cannot be used",
    }
}

/// What a server complains about: nearly always our certificate.
fn alert(reason: AlertDescription, config: &Config) -> String {
    let sent = match filled(config, "sslcert") {
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
        AlertDescription::HandshakeFailure => (
            "the server ended the TLS handshake with the alert HandshakeFailure".to_owned(),
            "it has no cipher suite in common with this client: allow ECDHE with AES-GCM or \
             ChaCha20 in its ssl_ciphers",
        ),
        _ => (format!("the server ended the TLS handshake with the alert {reason:?}"), ""),
    };
    said(&what, hint)
}

fn version(config: &Config) -> String {
    let least = match filled(config, "ssl_min_protocol_version") {
        Some("TLSv1.3") => "TLSv1.3",
        _ => "TLSv1.2",
    };
    let most = filled(config, "ssl_max_protocol_version").unwrap_or("TLSv1.3");
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
