//! Where a socket leads to, and the look-up of names.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use crate::config::Target;
use crate::error::Error;

/// Where a socket leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp(SocketAddr),
    /// A path; a leading "@" stands for Linux's abstract names, as in libpq.
    Unix(String),
}

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

/// The addresses of a target.
///
/// # Errors
///
/// [`crate::ErrorKind::Connect`] when the name does not resolve.
pub(super) fn addresses(target: &Target) -> Result<Vec<Address>, Error> {
    if let Some(path) = target.socket_path() {
        return Ok(vec![Address::Unix(path)]);
    }
    if let Some(address) = &target.hostaddr {
        let parsed: IpAddr = address.parse().map_err(|_| {
            Error::connect(format!(
                "could not parse network address \"{address}\"\n\
                 HINT: hostaddr is an IPv4 or IPv6 address; a name belongs into host"
            ))
        })?;
        return Ok(vec![Address::Tcp(SocketAddr::new(parsed, target.port))]);
    }
    let unresolved = |why: &str| {
        Error::connect(format!(
            "could not translate host name \"{}\" to address: {why}",
            target.host
        ))
    };
    let found = (target.host.as_str(), target.port)
        .to_socket_addrs()
        .map_err(|error| unresolved(without_code(&error.to_string())))?;
    let found: Vec<Address> = found.map(Address::Tcp).collect();
    if found.is_empty() { Err(unresolved("it has none")) } else { Ok(found) }
}

/// The C library's reason without what std puts around it.
fn without_code(text: &str) -> &str {
    let text = text.strip_prefix("failed to lookup address information: ").unwrap_or(text);
    text.split_once(" (os error ").map_or(text, |(text, _)| text)
}

/// An I/O error in the words of the operating system, without its number.
pub(super) fn reason(error: &io::Error) -> String {
    without_code(&error.to_string()).to_owned()
}
