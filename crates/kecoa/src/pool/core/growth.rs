//! When connections are opened: up to the sizes, and in place of old ones.

use std::time::Duration;

use super::action::{Action, ConnId, Reason};
use super::machine::{Conn, Core, State, earlier};

impl Core {
    /// Opens connections for those who wait, and up to the smallest size.
    pub(super) fn grow(&mut self, now: Duration) {
        if self.dormant {
            return;
        }
        while self.conns.len() < self.settings.max_size {
            let slow = self.slow(now);
            if self.opening - slow >= self.unassigned
                && self.conns.len() - slow >= self.settings.min_size
            {
                self.wait_for_openings(now);
                return;
            }
            if !self.may_open(now) {
                return;
            }
            self.begin_opening(now);
        }
    }

    /// Replaces an idle connection from before a drain, when no other is being opened.
    pub(super) fn roll(&mut self, now: Duration) {
        let Some(old) = self.oldest_stale() else { return };
        if self.opening > self.slow(now) || !self.may_open(now) {
            return;
        }
        if self.conns.len() >= self.settings.max_size {
            self.remove(old, Reason::Drain);
        }
        self.begin_opening(now);
    }

    pub(super) fn is_stale(&self, id: ConnId) -> bool {
        self.conns.get(&id).is_some_and(|conn| conn.generation < self.generation)
    }

    pub(super) fn oldest_stale(&mut self) -> Option<ConnId> {
        if !self.rolling {
            return None;
        }
        self.rolling = self.stale() > 0;
        self.idle.iter().find(|id| self.is_stale(**id)).copied()
    }

    /// While the server can't be reached, or is slow, one attempt at a time, and not too often. An
    /// attempt that takes long is left to go on, and costs one connection: others are begun in spite
    /// of it.
    fn may_open(&mut self, now: Duration) -> bool {
        let slow = self.slow(now);
        if self.failures == 0 && slow == 0 {
            return true;
        }
        if self.opening > slow {
            self.wait_for_openings(now);
            return false;
        }
        if self.failures > 0 && now < self.retry_at {
            self.due = earlier(self.due, Some(self.retry_at));
            return false;
        }
        true
    }

    /// Comes back when one that is being opened has taken long.
    fn wait_for_openings(&mut self, now: Duration) {
        if self.opening == 0 {
            return;
        }
        let after = self.settings.slow_open_after;
        for conn in self.conns.values().filter(|conn| conn.state == State::Opening) {
            let slow_at = conn.since.checked_add(after).filter(|at| *at > now);
            self.due = earlier(self.due, slow_at);
        }
    }

    fn begin_opening(&mut self, now: Duration) {
        self.last_conn += 1;
        let id = ConnId(self.last_conn);
        let conn = Conn {
            state: State::Opening,
            generation: self.generation,
            ends_at: None,
            since: now,
            leak_reported: false,
        };
        self.conns.insert(id, conn);
        self.opening += 1;
        self.actions.push(Action::Open(id));
    }

    pub(super) fn backoff(&mut self) -> Duration {
        let spread = 0.5 + (self.random)().clamp(0.0, 1.0) / 2.0;
        let doublings = self.failures.saturating_sub(1).min(30);
        let grown = self.settings.first_backoff.saturating_mul(1_u32 << doublings);
        grown.min(self.settings.max_backoff).mul_f64(spread)
    }
}
