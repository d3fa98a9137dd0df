//! The thread that does what time brings. It is started with the first connection, sleeps until
//! something is due, and keeps neither the pool nor the process alive.

use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::shared::Shared;

/// Wakes the maintenance, which holds on to nothing else while it sleeps.
#[derive(Default)]
pub(super) struct Wakeup {
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Wakeup {
    pub(super) fn wake(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.heard.notify_one();
    }

    /// Sleeps until it rings, or the time is over.
    fn sleep(&self, longest: Option<Duration>) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let quiet = |rung: &mut bool| !*rung;
        let mut rung = match longest {
            None => self.heard.wait_while(rung, quiet).unwrap_or_else(PoisonError::into_inner),
            Some(longest) => match self.heard.wait_timeout_while(rung, longest, quiet) {
                Ok((rung, _)) => rung,
                Err(poisoned) => poisoned.into_inner().0,
            },
        };
        *rung = false;
    }
}

impl Shared {
    pub(super) fn wake_maintenance(self: &Arc<Self>) {
        let starts = !std::mem::replace(&mut self.lock().maintained, true);
        if !starts {
            self.wakeup.wake();
            return;
        }
        let (this, wakeup) = (Arc::downgrade(self), self.wakeup.clone());
        let thread = std::thread::Builder::new().name(self.options.name.clone());
        if thread.spawn(move || run_maintenance(&this, &wakeup)).is_err() {
            // Waiters see to their own time limits; the next change tries again.
            self.lock().maintenance_ended();
        }
    }

    /// Does what is due; until when there is nothing to do, or the end of the thread.
    fn run_maintenance(self: &Arc<Self>) -> Option<Option<Duration>> {
        let mut state = self.lock();
        state.core.tick(self.now());
        let mut effects = state.settle(self.now());
        // It is awake.
        effects.wake = false;
        drop(state);
        self.changed.notify_all();
        self.carry_out(effects);
        self.lock().rest(self.now())
    }
}

fn run_maintenance(shared: &Weak<Shared>, wakeup: &Wakeup) {
    while let Some(wait) = shared.upgrade().and_then(|shared| shared.run_maintenance()) {
        wakeup.sleep(wait);
    }
}
