//! The hook by which the caller ends a wait.

use std::ops::ControlFlow;
use std::os::fd::RawFd;
use std::time::Duration;

use crate::row::ResultSet;

/// The hook by which the caller ends a wait: Ctrl-C, a deadline, a shutdown.
///
/// It is called when a wait was interrupted by a signal, and every 250 ms of waiting, also while
/// data keeps coming. When it breaks, the client asks the server to cancel the statement (on a second connection), keeps
/// reading until the request is over so that the connection stays usable, and returns an error of
/// kind [`ErrorKind::Interrupted`](crate::ErrorKind::Interrupted).
pub trait Interrupt {
    /// Whether to go on waiting.
    fn check(&mut self) -> ControlFlow<()>;

    /// How long the client may wait before it must ask again, for a hook with a deadline: asked
    /// before each wait. 250 ms, unless it is less.
    fn timeout(&self) -> Option<Duration> {
        None
    }

    /// Whether a break gives the connection up at once, in place of having the server cancel what it does
    /// and waiting for that: for one who has no more time for either. Asked again while a cancelled request is
    /// waited for: whoever presses Ctrl-C once more does not want to.
    fn gives_up(&self) -> bool {
        false
    }

    /// Called before the client waits for more of a result of which rows have come: the caller may work on
    /// them meanwhile. What it makes goes where it likes, or into [`ResultSet::made`], which is dropped
    /// with the result when the server ends it with an error.
    fn awaiting(&mut self, result: &mut ResultSet) {
        let _ = result;
    }

    /// Whether the caller waits for sockets by itself while a connection is made: then
    /// [`park`](Interrupt::park) is called where the client would wait.
    fn parks(&self) -> bool {
        false
    }

    /// Returns when it is worth to look at the socket again, or breaks to give the connection up.
    fn park(&mut self, socket: RawFd, wanted: Readiness) -> ControlFlow<()> {
        let _ = (socket, wanted);
        self.check()
    }

    /// [`park`](Interrupt::park) with a time limit: once `limit` has passed, `wake` makes the socket
    /// ready, so that whoever waits for it comes back.
    #[doc(hidden)]
    fn park_within(
        &mut self,
        socket: RawFd,
        wanted: Readiness,
        limit: Option<Duration>,
        wake: &mut dyn FnMut(),
    ) -> ControlFlow<()> {
        let _ = (limit, wake);
        self.park(socket, wanted)
    }
}

/// What a socket must be before there is something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Something has arrived.
    Readable,
    /// There is room to send; what arrives meanwhile may have to be read first.
    Writable,
}

/// The hook that never interrupts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Never;

impl Interrupt for Never {
    fn check(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl<F: FnMut() -> ControlFlow<()>> Interrupt for F {
    fn check(&mut self) -> ControlFlow<()> {
        self()
    }
}
