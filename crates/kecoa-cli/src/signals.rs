//! The signals that end a command.
//!
//! Most commands leave them to the system, which ends the process at once. Servers in the foreground close
//! what they opened first, and take note of what ended them here.

#[cfg(any(feature = "faults", feature = "local"))]
mod ending;
#[cfg(feature = "local")]
mod interruption;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

#[cfg(any(feature = "faults", feature = "local"))]
pub(crate) use ending::Ending;
#[cfg(feature = "local")]
pub(crate) use interruption::Interruption;

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
