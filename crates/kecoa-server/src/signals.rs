//! The signals that end a process of ours in an orderly way.

use std::io;
use std::task::{Context, Waker};

use tokio::signal::unix::{Signal as SignalStream, SignalKind, signal};

/// The signals that stop a server: SIGTERM, SIGINT, SIGHUP.
#[derive(Debug)]
pub struct Signals {
    terminate: SignalStream,
    interrupt: SignalStream,
    hangup: SignalStream,
    /// One of them was received.
    came: bool,
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
            came: false,
        })
    }

    /// Waits for one of them, or comes back at once where one has come.
    pub async fn received(&mut self) {
        if self.came {
            return;
        }
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.hangup.recv() => {}
        }
        self.came = true;
    }

    /// Whether one has come: for work that cannot wait for it in another way.
    pub fn have_come(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        for signal in [&mut self.terminate, &mut self.interrupt, &mut self.hangup] {
            self.came |= signal.poll_recv(&mut context).is_ready();
        }
        self.came
    }
}
