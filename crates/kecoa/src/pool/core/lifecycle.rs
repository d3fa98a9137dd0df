//! The pool as a whole: its beginning and end, its renewal and its sizes.

use std::time::Duration;

use super::action::{Action, Reason, Refusal};
use super::machine::Core;

impl Core {
    /// Begins; `dormant`: nothing is opened until somebody asks for a connection.
    pub fn open(&mut self, now: Duration, dormant: bool) {
        self.closed = false;
        self.dormant = dormant;
        // What was checked out before the pool was closed does not come back to it.
        self.generation += 1;
        self.rolling = true;
        self.pump(now);
    }

    /// Ends: idle connections are closed, those that are checked out when they come back, waiters are turned away.
    pub fn close(&mut self) {
        self.closed = true;
        let waiting: Vec<_> =
            self.waiters.iter().filter(|(_, w)| w.conn.is_none()).map(|(id, _)| *id).collect();
        for waiter in waiting {
            self.forget_waiter(waiter);
            self.actions.push(Action::Refuse { waiter, why: Refusal::Closed });
        }
        while let Some(id) = self.idle.front().copied() {
            self.remove(id, Reason::Close);
        }
    }

    /// Replaces every connection: idle ones one after the other, those that are checked out when they come back.
    pub fn drain(&mut self, now: Duration) {
        self.generation += 1;
        self.rolling = true;
        self.pump(now);
    }

    /// Changes the sizes; what is too much is closed when it is idle. The caller sees to it that
    /// they make sense.
    pub fn resize(&mut self, now: Duration, min_size: usize, max_size: usize) {
        self.settings.min_size = min_size;
        self.settings.max_size = max_size;
        self.pump(now);
    }
}
