//! What a pool of threads has beside its state.

use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::pool::shared::Shared;

/// Runs a pool on threads.
pub struct Threads {
    /// The process whose connections the pool has.
    pub(super) process: u32,
    /// The pool of a forked child.
    pub(super) child: OnceLock<Arc<Shared<Threads>>>,
    pub(super) epoch: Instant,
    /// For those who wait for a size.
    pub(super) changed: Condvar,
    pub(super) wakeup: Arc<Wakeup>,
}

impl Threads {
    pub(super) fn new(process: u32) -> Threads {
        Threads {
            process,
            child: OnceLock::new(),
            epoch: Instant::now(),
            changed: Condvar::new(),
            wakeup: Arc::default(),
        }
    }
}

/// Wakes the maintenance, which holds on to nothing else while it sleeps.
#[derive(Default)]
pub(super) struct Wakeup {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Wakeup {
    pub(super) fn wake(&self) {
        *self.woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }

    /// Sleeps until it is woken, or the time is over.
    pub(super) fn sleep(&self, longest: Option<Duration>) {
        let woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        let asleep = |woken: &mut bool| !*woken;
        let mut woken = match longest {
            None => self.changed.wait_while(woken, asleep).unwrap_or_else(PoisonError::into_inner),
            Some(longest) => match self.changed.wait_timeout_while(woken, longest, asleep) {
                Ok((woken, _)) => woken,
                Err(poisoned) => poisoned.into_inner().0,
            },
        };
        *woken = false;
    }
}
