//! The signals that end a command.
//!
//! Most commands leave them to the system, which ends the process at once. Servers in the foreground close
//! what they opened first, and take note of what ended them here.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::failure::Failure;

/// What the shell adds to the number of a signal that ended a process.
const ENDED_BY_SIGNAL: i32 = 128;

/// Ends the process by the signal that the exit status of a command stands for, if it stands for one: 129,
/// 130, 143. Whoever waits for the process then learns that it was Ctrl-C, and a shell ends its loop, too.
/// Comes back for any other status.
pub fn end_by_signal(status: i32) {
    let signal = status - ENDED_BY_SIGNAL;
    if [SIGHUP, SIGINT, SIGTERM].contains(&signal) {
        // Where the system refuses, or has no default for it (as for process 1), the status says it.
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
}

/// Takes note of the signal that ends a server in the foreground, which handles it by itself.
#[derive(Debug)]
pub(crate) struct Ending(Arc<AtomicUsize>);

impl Ending {
    /// From here on.
    pub(crate) fn watch() -> Result<Ending, Failure> {
        let last = Arc::new(AtomicUsize::new(0));
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            let number = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_usize(signal, last.clone(), number)
                .map_err(|error| Failure::Other(format!("cannot handle signals: {error}")))?;
        }
        Ok(Ending(last))
    }

    /// The exit status of a server that has ended so, and had `begun` to serve. What fails because a signal
    /// came before that is no failure.
    pub(crate) fn status(&self, served: Result<(), Failure>, begun: bool) -> Result<i32, Failure> {
        let status = match i32::try_from(self.0.load(Ordering::Relaxed)) {
            Ok(signal) if signal > 0 => ENDED_BY_SIGNAL + signal,
            _ => 0,
        };
        match served {
            Err(_) if status != 0 && !begun => Ok(status),
            served => served.map(|()| status),
        }
    }
}
