//! A socket that tokio watches.

use std::os::fd::OwnedFd;

use tokio::io::unix::AsyncFd;

use crate::error::Error;
use crate::session::Session;

/// Watches the socket of a session by a descriptor of its own, so that it makes no difference which
/// of the two is closed first.
pub(super) fn watch(session: &Session) -> Result<AsyncFd<OwnedFd>, Error> {
    let failed = |error| Error::io("the socket cannot be watched by tokio", error);
    let socket = session.watch().map_err(failed)?;
    // SAFETY: an `OwnedFd` is open until it is dropped, always names the same descriptor, and nobody
    // replaces what is behind it; the `AsyncFd` owns it, and gives no access that could close it.
    let watched = unsafe { AsyncFd::register(socket) };
    watched.map_err(|error| failed(error.into()))
}
