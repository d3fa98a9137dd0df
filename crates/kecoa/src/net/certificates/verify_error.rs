//! Why a server's certificate is refused, in words.

use std::fmt;
use std::time::Duration;

use rustls::{CertRevocationListError, CertificateError};
use x509_cert::der::DateTime;

use crate::net::x509::{Certificate, KeyKind, readable};

/// Which certificate an error is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Role {
    Server,
    Authority(String),
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Role::Server => f.write_str("the server's certificate"),
            Role::Authority(name) => write!(f, "the certificate of the authority \"{name}\""),
        }
    }
}

impl Role {
    /// The certificate at this place of a chain that begins with the server's.
    pub(super) fn at(place: usize, certificate: &Certificate<'_>) -> Role {
        match place {
            0 => Role::Server,
            _ => Role::Authority(certificate.subject.shown()),
        }
    }
}

/// What is wrong with a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum CrlError {
    None,
    Signature,
    MayNotSign,
    Expired(i64),
    NotYet(i64),
    Partial,
    Extension(String),
}

/// Where a chain ends that ends at no root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Incomplete {
    /// The server's certificate, which has signed itself.
    SignedByItself,
    /// A certificate whose authority has this name, and is not there.
    Missing(String),
    /// A trusted certificate of the first name that is no root; its authority has the second.
    NoRoot(String, String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum VerifyError {
    Unknown(Incomplete),
    TooManySignatures,
    WrongSignature(Role),
    OtherKey(Role, String),
    Key(Role, KeyKind),
    Algorithm(Role, String),
    Expired(Role, i64),
    NotYetValid(Role, i64),
    NoAuthority(Role),
    MayNotSign(Role),
    /// The authority, how many may be below it, and how many are.
    TooLong(Role, u8, usize),
    Purpose(Role),
    Usage,
    Extension(Role, String),
    Unreadable(Role),
    /// A name, of which certificate, and who may not sign for it.
    Constraint(String, Role, String),
    Revoked(Role),
    /// The authority whose list it is, or should be.
    List(String, CrlError),
    /// The names that the certificate has.
    Names(Vec<String>),
    /// A name has a form that may hide something.
    DeceptiveName,
    /// The signature in the handshake.
    Handshake,
}

impl VerifyError {
    /// How far path building came: of several errors, that of the longest way is reported.
    pub(super) fn rank(&self) -> u8 {
        match self {
            VerifyError::Unknown(_) => 0,
            VerifyError::OtherKey(..) => 1,
            VerifyError::WrongSignature(_) | VerifyError::MayNotSign(_) => 2,
            VerifyError::Key(..) | VerifyError::Algorithm(..) => 3,
            _ => 4,
        }
    }

    /// Whether no other chain can help.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, VerifyError::Revoked(_) | VerifyError::TooManySignatures)
    }

    /// rustls' error, which decides the alert that the server gets.
    pub(super) fn for_rustls(&self) -> rustls::Error {
        match self {
            VerifyError::Unknown(_) | VerifyError::OtherKey(..) => CertificateError::UnknownIssuer,
            VerifyError::WrongSignature(_) | VerifyError::Handshake => {
                CertificateError::BadSignature
            }
            VerifyError::Expired(..) => CertificateError::Expired,
            VerifyError::NotYetValid(..) => CertificateError::NotValidYet,
            VerifyError::Revoked(_) => CertificateError::Revoked,
            VerifyError::List(_, CrlError::Signature) => {
                return CertRevocationListError::BadSignature.into();
            }
            VerifyError::List(..) => CertificateError::UnknownRevocationStatus,
            VerifyError::Unreadable(_) | VerifyError::DeceptiveName => {
                CertificateError::BadEncoding
            }
            VerifyError::Names(_) => CertificateError::NotValidForName,
            _ => CertificateError::InvalidPurpose,
        }
        .into()
    }

    /// What is wrong and what to do about it. `roots` names what is trusted, `host` whom the
    /// certificate should be for.
    pub(super) fn explained(&self, roots: &str, host: &str) -> (String, &'static str) {
        match self {
            VerifyError::Unknown(end) => (unknown(end, roots), hint_for_unknown(end)),
            VerifyError::TooManySignatures => (
                "the server sent more certificates than can be tried".to_owned(),
                "let it send those between its own and the root's, and no others",
            ),
            VerifyError::WrongSignature(role) => (
                format!("the signature in {role} is wrong: not the authority that it names has made it"),
                "there is another authority of the same name: give the right one's certificate as \
                 sslrootcert; if that is done, somebody may sit between",
            ),
            VerifyError::OtherKey(role, name) => (
                format!(
                    "{role} is signed by another key of \"{name}\" than the one that is known (authority \
                     key identifier)"
                ),
                "the authority has a new certificate: get it and give it as sslrootcert, or let the \
                 server send it",
            ),
            VerifyError::Key(role, kind) => key(role, kind),
            VerifyError::Algorithm(role, name) => (
                format!("{role} is signed by {name}, which is too weak or not supported"),
                "let the authority sign it anew: by RSA, ECDSA on P-256, P-384 or P-521, each with \
                 SHA-256, SHA-384 or SHA-512, or by Ed25519",
            ),
            VerifyError::Expired(role, at) => (
                format!("{role} has expired ({})", time(*at)),
                match role {
                    Role::Server => {
                        "renew it on the server; if it is new, check this machine's clock"
                    }
                    Role::Authority(_) => {
                        "get the authority's new certificate for sslrootcert, or for the server's \
                         ssl_cert_file where it is one between; if it is new, check this machine's clock"
                    }
                },
            ),
            VerifyError::NotYetValid(role, from) => (
                format!("{role} is not valid yet (from {})", time(*from)),
                "check this machine's clock, and from when the certificate is valid",
            ),
            VerifyError::NoAuthority(role) => (
                format!("{role} is no authority's (basic constraints), and has signed another one"),
                "only an authority may sign: give its certificate as sslrootcert, not a server's",
            ),
            VerifyError::MayNotSign(role) => (
                format!("{role} may not sign certificates (key usage without keyCertSign)"),
                "let it be made anew with keyCertSign, or the server's certificate by an authority \
                 that has it",
            ),
            VerifyError::TooLong(role, allowed, found) => (
                match allowed {
                    0 => format!("{role} may have no authority below it (path length), and has {found}"),
                    _ => format!(
                        "{role} may have {allowed} authorities below it (path length), and has {found}"
                    ),
                },
                "let the server's certificate be signed by an authority that is not so far below",
            ),
            VerifyError::Purpose(role) => (
                format!("{role} is not made for servers"),
                "let the server have one whose extended key usage is serverAuth, or that has none; \
                 the same holds for its authorities",
            ),
            VerifyError::Usage => (
                "the server's certificate is not made for signatures or key agreement (key usage), \
                 which TLS takes"
                    .to_owned(),
                "let the server have one whose key usage is digitalSignature, or that has none",
            ),
            VerifyError::Extension(role, name) => (
                format!("{role} has a critical extension that is not supported ({name})"),
                "let it be made anew without, or with one that is not critical",
            ),
            VerifyError::Unreadable(role) => (format!("{role} cannot be read"), "make it anew"),
            VerifyError::Constraint(name, role, authority) => (
                format!(
                    "{name} in {role} is outside of the names that the authority \"{authority}\" may \
                     sign for (name constraints)"
                ),
                "let an authority sign the certificate that may sign for this name",
            ),
            VerifyError::Revoked(role) => (
                format!("{role} is revoked"),
                "its key may be in wrong hands: let the server have a new certificate",
            ),
            VerifyError::List(authority, error) => list(authority, error),
            VerifyError::DeceptiveName => (
                "a name in the server's certificate has a byte 0 in it, or is an address of a wrong \
                 length"
                    .to_owned(),
                "make the certificate anew; if somebody else made it, do not trust them",
            ),
            VerifyError::Handshake => (
                "the server's signature is wrong: it does not have the key of its certificate".to_owned(),
                "check that ssl_cert_file and ssl_key_file are a pair; if they are, somebody sits \
                 between",
            ),
            VerifyError::Names(presented) => (mismatch(presented, host), HINT_NAMES),
        }
    }
}

const HINT_NAMES: &str = "connect by a name that the certificate is for (hostaddr can give the \
                          address), or make it anew with the host name as subjectAltName; \
                          sslmode=verify-ca checks the authority only";

fn unknown(end: &Incomplete, roots: &str) -> String {
    let reason = match end {
        Incomplete::SignedByItself => "it is signed by itself".to_owned(),
        Incomplete::Missing(name) => format!("its authority \"{name}\" is not among them"),
        Incomplete::NoRoot(name, above) => format!(
            "\"{name}\" among them is no root, and the certificate of its authority \"{above}\" is \
             missing"
        ),
    };
    format!("none of {roots} has signed the server's certificate: {reason}")
}

fn hint_for_unknown(end: &Incomplete) -> &'static str {
    match end {
        Incomplete::SignedByItself => {
            "set sslrootcert to the file with the server's own certificate, if you know it to be the \
             server's; sslmode=require without sslrootcert encrypts without checking whose server it is"
        }
        Incomplete::Missing(_) => {
            "set sslrootcert to the file with the certificate of the server's authority; if that is \
             done, the server must send the certificates between (put them behind its own in \
             ssl_cert_file); sslmode=require without sslrootcert encrypts without checking whose \
             server it is"
        }
        Incomplete::NoRoot(..) => {
            "put the certificate of the root, which has signed itself, into the file as well"
        }
    }
}

fn key(role: &Role, kind: &KeyKind) -> (String, &'static str) {
    match kind {
        KeyKind::RsaOfBits(bits) if *bits < 2048 => (
            format!("the RSA key of {role} has {bits} bits, which can be broken"),
            "make it anew with a key of at least 2048 bits, or on the curve P-256",
        ),
        KeyKind::RsaOfBits(bits) => (
            format!("the RSA key of {role} has {bits} bits"),
            "make it anew with a key of at most 8192 bits, or on the curve P-256",
        ),
        KeyKind::Unknown(name) => (
            format!("the key of {role} is of a kind that is not supported ({name})"),
            "make it anew with a key of RSA, on the curves P-256, P-384 or P-521, or of Ed25519",
        ),
        KeyKind::Good => (format!("the key of {role} cannot be used"), "make it anew"),
    }
}

fn list(authority: &str, error: &CrlError) -> (String, &'static str) {
    const NEW_LIST: &str = "get a new revocation list from the authority and put it where sslcrl \
                            or sslcrldir points";
    match error {
        CrlError::None => (
            format!("no revocation list (sslcrl, sslcrldir) is of the authority \"{authority}\""),
            "there must be a list of every authority in the chain, or none at all",
        ),
        CrlError::Signature => {
            (format!("the signature of the revocation list of \"{authority}\" is wrong"), NEW_LIST)
        }
        CrlError::MayNotSign => (
            format!("\"{authority}\" may not sign revocation lists (key usage without cRLSign)"),
            "let the authority's certificate be made anew with cRLSign",
        ),
        CrlError::Expired(at) => (
            format!("the revocation list of \"{authority}\" has expired ({})", time(*at)),
            NEW_LIST,
        ),
        CrlError::NotYet(from) => (
            format!(
                "the revocation list of \"{authority}\" is not in force yet (from {})",
                time(*from)
            ),
            "check this machine's clock",
        ),
        CrlError::Partial => (
            format!(
                "the revocation list of \"{authority}\" is none of all certificates that it signs"
            ),
            "get the whole list, not one of changes, of some reasons or of several authorities",
        ),
        CrlError::Extension(name) => (
            format!(
                "the revocation list of \"{authority}\" has a critical extension that is not \
                 supported ({name})"
            ),
            NEW_LIST,
        ),
    }
}

fn mismatch(presented: &[String], host: &str) -> String {
    let Some((first, others)) = presented.split_first() else {
        return format!(
            "could not get server's host name from server certificate: it names none, so it is not \
             for host name \"{host}\""
        );
    };
    let others = match others.len() {
        0 => String::new(),
        1 => " (and 1 other name)".to_owned(),
        count => format!(" (and {count} other names)"),
    };
    let first = readable(first);
    format!("server certificate for \"{first}\"{others} does not match host name \"{host}\"")
}

/// A point in time as people read it.
fn time(seconds: i64) -> String {
    let since = u64::try_from(seconds).ok().map(Duration::from_secs);
    match since.and_then(|since| DateTime::from_unix_duration(since).ok()) {
        Some(time) => time.to_string().replace('T', " ").replace('Z', " UTC"),
        None => "before 1970".to_owned(),
    }
}
