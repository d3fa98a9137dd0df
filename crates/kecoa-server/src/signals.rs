//! The signals that end a process of ours in an orderly way.

use std::io;

use tokio::signal::unix::{Signal as SignalStream, SignalKind, signal};

/// The signals that stop a server: SIGTERM, SIGINT, SIGHUP.
#[derive(Debug)]
pub struct Signals {
    terminate: SignalStream,
    interrupt: SignalStream,
    hangup: SignalStream,
}

impl Signals {
    /// From here on a signal waits until it is received.
    ///
    /// # Errors
    /// When the system does not let us handle them. Outside of a tokio runtime it panics.
    pub fn install() -> io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for one of them.
    pub async fn received(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}
