//! The signals that end a command.
//!
//! Most commands leave them to the system, which ends the process at once. Servers in the foreground close
//! what they opened first, and take note of what ended them here.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{SigId, flag};

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

/// A signal that an [`Interruption`] notes: once that is over, it ends the process as usual.
#[derive(Debug)]
struct Noted {
    signal: i32,
    as_usual: Arc<AtomicBool>,
    actions: [SigId; 3],
}

/// Those that are noted, from the first [`Interruption`] on.
static NOTED: Mutex<Vec<Noted>> = Mutex::new(Vec::new());

/// The one that came last.
static LAST: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

fn noted() -> MutexGuard<'static, Vec<Noted>> {
    NOTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Leaves a signal to those who handle it by themselves from here on.
pub(crate) fn leave_to_others(signal: i32) {
    noted().retain(|noted| {
        if noted.signal == signal {
            for action in noted.actions {
                signal_hook::low_level::unregister(action);
            }
        }
        noted.signal != signal
    });
}

/// While it lives, a signal that would end the process is noted instead, so that what was begun can be ended
/// first. The second one ends the process all the same. One that is ignored stays so. There is one at a time.
#[derive(Debug)]
pub(crate) struct Interruption(());

impl Interruption {
    /// From here on.
    pub(crate) fn watch() -> Result<Interruption, Failure> {
        let mut noted = noted();
        LAST.store(0, Ordering::Relaxed);
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            if let Some(noted) = noted.iter().find(|noted| noted.signal == signal) {
                noted.as_usual.store(false, Ordering::Relaxed);
            } else if !is_ignored(signal) {
                noted.push(
                    Noted::register(signal).map_err(|error| {
                        Failure::Other(format!("cannot handle signals: {error}"))
                    })?,
                );
            }
        }
        Ok(Interruption(()))
    }

    /// Asks whether a signal has come.
    pub(crate) fn asked(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        || LAST.load(Ordering::Relaxed) != 0
    }

    /// Ctrl-C was pressed where it is a key and no signal: the next signal is the second one.
    #[cfg(feature = "workload")]
    pub(crate) fn pressed(&self) {
        LAST.store(usize::try_from(SIGINT).unwrap_or_default(), Ordering::Relaxed);
        for noted in noted().iter() {
            noted.as_usual.store(true, Ordering::Relaxed);
        }
    }

    /// The exit status of a command that a signal ended.
    pub(crate) fn status(&self) -> Option<i32> {
        let signal = i32::try_from(LAST.load(Ordering::Relaxed)).unwrap_or_default();
        (signal > 0).then_some(ENDED_BY_SIGNAL + signal)
    }
}

impl Noted {
    fn register(signal: i32) -> io::Result<Noted> {
        let as_usual = Arc::new(AtomicBool::new(false));
        let number = usize::try_from(signal).unwrap_or_default();
        // In this order: what the first signal sets is seen by the second.
        let actions = [
            flag::register_conditional_default(signal, as_usual.clone())?,
            flag::register_usize(signal, LAST.clone(), number)?,
            flag::register(signal, as_usual.clone())?,
        ];
        Ok(Noted { signal, as_usual, actions })
    }
}

impl Drop for Interruption {
    fn drop(&mut self) {
        for noted in noted().iter() {
            noted.as_usual.store(true, Ordering::Relaxed);
        }
    }
}

/// Whether the process that started us has it ignored, as `nohup` does, and as a shell does in the background of a
/// script.
fn is_ignored(signal: i32) -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return false };
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    ((mask >> (signal - 1)) & 1) == 1
}

/// Takes note of the signal that ends a server in the foreground, which handles it by itself.
#[derive(Debug)]
pub(crate) struct Ending(Arc<AtomicUsize>);

impl Ending {
    /// From here on.
    pub(crate) fn watch() -> Result<Ending, Failure> {
        let last = Arc::new(AtomicUsize::new(0));
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            leave_to_others(signal);
            let number = usize::try_from(signal).unwrap_or_default();
            flag::register_usize(signal, last.clone(), number)
                .map_err(|error| Failure::Other(format!("cannot handle signals: {error}")))?;
        }
        Ok(Ending(last))
    }

    /// Asks whether a signal has come.
    pub(crate) fn asked(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let last = self.0.clone();
        move || last.load(Ordering::Relaxed) != 0
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
