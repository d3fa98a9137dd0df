//! Those who wait for a connection.

use std::time::Duration;

use super::action::{Action, Reason, Refusal, WaiterId};
use super::machine::{Core, State, Waiter};

impl Core {
    /// Asks for a connection. Without a `timeout` the waiter never expires.
    pub fn acquire(&mut self, now: Duration, timeout: Option<Duration>) -> WaiterId {
        self.last_waiter += 1;
        let id = WaiterId(self.last_waiter);
        if self.closed {
            self.actions.push(Action::Refuse { waiter: id, why: Refusal::Closed });
            return id;
        }
        self.dormant = false;
        let deadline = timeout.and_then(|timeout| now.checked_add(timeout));
        self.waiters.insert(id, Waiter { asked_at: now, deadline, conn: None, queued: false });
        self.unassigned += 1;
        self.match_up(now);
        let limit = self.settings.max_waiting;
        let has_to_wait = self.waiters.get(&id).is_some_and(|waiter| waiter.conn.is_none());
        if has_to_wait {
            if limit > 0 && self.unassigned > limit {
                self.forget_waiter(id);
                self.counters.refused += 1;
                self.actions.push(Action::Refuse { waiter: id, why: Refusal::Full });
                return id;
            }
            if let Some(waiter) = self.waiters.get_mut(&id) {
                waiter.queued = true;
            }
            if self.counters.opened == 0 {
                // Whoever asks before there ever was a connection wants to know why.
                self.retry_at = now;
            }
        }
        self.pump(now);
        id
    }

    /// Forgets a waiter to whom no connection was granted; one that was being checked is free again.
    pub fn cancel(&mut self, now: Duration, id: WaiterId) {
        let Some(waiter) = self.waiters.get(&id) else { return };
        let Some(checked) = waiter.conn else {
            self.forget_waiter(id);
            return;
        };
        self.waiters.remove(&id);
        if self.closed {
            self.remove(checked, Reason::Close);
            return;
        }
        if let Some(conn) = self.conns.get_mut(&checked) {
            // Not as one that was just used: whether it is good is not known.
            conn.state = State::Idle;
            self.idle.push_back(checked);
        }
        self.pump(now);
        self.find_due();
    }

    /// Who waits longest.
    pub(super) fn first(&self) -> Option<WaiterId> {
        if self.unassigned == 0 {
            return None;
        }
        self.waiters.iter().find(|(_, waiter)| waiter.conn.is_none()).map(|(id, _)| *id)
    }

    /// Forgets a waiter without a connection.
    pub(super) fn forget_waiter(&mut self, id: WaiterId) {
        if self.waiters.remove(&id).is_some() {
            self.unassigned = self.unassigned.saturating_sub(1);
        }
    }

    pub(super) fn expire(&mut self, now: Duration) {
        let expired: Vec<_> = self
            .waiters
            .iter()
            .filter(|(_, w)| w.conn.is_none() && w.deadline.is_some_and(|at| at <= now))
            .map(|(id, waiter)| (*id, now.saturating_sub(waiter.asked_at)))
            .collect();
        for (id, waited) in expired {
            self.forget_waiter(id);
            self.counters.timeouts += 1;
            self.count_wait(waited);
            self.actions.push(Action::Expire(id));
        }
    }

    pub(super) fn count_wait(&mut self, waited: Duration) {
        self.counters.waits += 1;
        self.counters.wait_total = self.counters.wait_total.saturating_add(waited);
        self.counters.wait_max = self.counters.wait_max.max(waited);
    }
}
