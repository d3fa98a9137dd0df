//! A signal that is noted, so that what was begun can be ended before the process is.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{SigId, flag};

use super::ENDED_BY_SIGNAL;
use crate::failure::Failure;

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
