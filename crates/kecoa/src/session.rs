//! Drives a protocol [`Connection`](kecoa_proto::Connection) over a stream, request by request.

use std::ops::ControlFlow;

/// The caller's say while the client waits: Ctrl-C, a deadline, a shutdown.
///
/// It is called when a wait was interrupted by a signal, and every 250 ms of waiting. When it
/// breaks, the client asks the server to cancel the statement (on a second connection), keeps
/// reading until the request is over so that the connection stays usable, and returns an error of
/// kind [`ErrorKind::Interrupted`](crate::ErrorKind::Interrupted).
pub trait Interrupt {
    /// Whether to go on waiting.
    fn check(&mut self) -> ControlFlow<()>;
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
