//! The signal that ends a server in the foreground.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use super::ENDED_BY_SIGNAL;
use crate::failure::Failure;

/// Takes note of the signal that ends a server in the foreground, which handles it by itself.
#[derive(Debug)]
pub(crate) struct Ending(Arc<AtomicUsize>);

impl Ending {
    /// From here on.
    pub(crate) fn watch() -> Result<Ending, Failure> {
        let last = Arc::new(AtomicUsize::new(0));
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            #[cfg(feature = "local")]
            super::interruption::leave_to_others(signal);
            let number = usize::try_from(signal).unwrap_or_default();
            flag::register_usize(signal, last.clone(), number)
                .map_err(|error| Failure::Other(format!("cannot handle signals: {error}")))?;
        }
        Ok(Ending(last))
    }

    /// Asks whether a signal has come.
    #[cfg(feature = "local")]
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
