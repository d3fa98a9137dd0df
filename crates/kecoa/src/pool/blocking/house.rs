//! The thread that does what time brings. It is started with the first connection, sleeps until
//! something is due, and keeps neither the pool nor the process alive.

use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::shared::Shared;

/// Wakes the housekeeper, which holds on to nothing else while it sleeps.
#[derive(Default)]
pub(super) struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Bell {
    pub(super) fn ring(&self) {
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
    pub(super) fn wake_housekeeper(self: &Arc<Self>) {
        let starts = !std::mem::replace(&mut self.lock().housekeeper, true);
        if !starts {
            self.bell.ring();
            return;
        }
        let (this, bell) = (Arc::downgrade(self), self.bell.clone());
        let thread = std::thread::Builder::new().name(self.options.name.clone());
        if thread.spawn(move || keep_house(&this, &bell)).is_err() {
            // Waiters see to their own time limits; the next change tries again.
            self.lock().no_housekeeper();
        }
    }

    /// Does what is due; until when there is nothing to do, or the end of the thread.
    fn keep_house(self: &Arc<Self>) -> Option<Option<Duration>> {
        let mut state = self.lock();
        state.core.tick(self.now());
        let mut todo = state.settle(self.now());
        // It is awake.
        todo.wake = false;
        drop(state);
        self.changed.notify_all();
        self.carry_out(todo);
        self.lock().rest(self.now())
    }
}

fn keep_house(shared: &Weak<Shared>, bell: &Bell) {
    while let Some(wait) = shared.upgrade().and_then(|shared| shared.keep_house()) {
        bell.sleep(wait);
    }
}
