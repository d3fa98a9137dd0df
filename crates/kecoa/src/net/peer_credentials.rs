//! Who is at the other end of a unix socket: the option `requirepeer`.
//!
//! Source: PostgreSQL's documentation of libpq's option, whose words for a failure these are.

use super::failure::{Failure, Place};
use super::socket::PlainSocket;
use crate::error::Error;

/// Checks that the process that listens belongs to the user `wanted`, before anything is sent.
pub(super) fn check(wanted: &str, socket: &PlainSocket, place: &Place<'_>) -> Result<(), Failure> {
    let PlainSocket::Unix(socket) = socket else { return Ok(()) };
    // Another place's server may be the right one, but a wrong one is no accident.
    let failed = |why: &str| Failure::give_up(Error::authentication(place.failed(why)));
    let id = id_of(socket).map_err(|why| failed(&why))?;
    match crate::config::account_of(id) {
        Some((name, _)) if name == wanted => Ok(()),
        Some((name, _)) => Err(failed(&format!(
            "requirepeer specifies \"{wanted}\", but actual peer user name is \"{}\"",
            name.display()
        ))),
        None => Err(failed(&format!("could not look up local user ID {id}: user does not exist"))),
    }
}

#[cfg(target_os = "linux")]
fn id_of(socket: &std::os::unix::net::UnixStream) -> Result<u32, String> {
    match rustix::net::sockopt::socket_peercred(socket) {
        Ok(credentials) => Ok(credentials.uid.as_raw()),
        Err(error) => Err(format!("could not get peer credentials: {error}")),
    }
}

#[cfg(not(target_os = "linux"))]
fn id_of(_socket: &std::os::unix::net::UnixStream) -> Result<u32, String> {
    Err("requirepeer parameter is not supported on this platform".to_owned())
}
