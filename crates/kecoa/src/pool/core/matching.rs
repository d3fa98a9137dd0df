//! How connections and waiters come together.

use std::time::Duration;

use super::action::{Action, ConnId, Reason, WaiterId};
use super::machine::{Core, State, earlier};

impl Core {
    /// Gives a connection that was just opened or came back to whoever waits longest.
    pub(super) fn place(&mut self, now: Duration, id: ConnId) {
        if self.closed {
            self.remove(id, Reason::Close);
            return;
        }
        let waiter = self.first();
        let Some(conn) = self.conns.get_mut(&id) else { return };
        conn.since = now;
        if let Some(waiter) = waiter {
            self.assign(now, waiter, id, true);
            return;
        }
        conn.state = State::Idle;
        let ends_at = conn.ends_at;
        self.idle.push_back(id);
        if let Some(every) = self.settings.sweep_every {
            self.sweep_at = earlier(self.sweep_at, now.checked_add(every));
        }
        let idle_until = self.settings.max_idle.and_then(|idle| now.checked_add(idle));
        self.due = earlier(earlier(self.due, self.sweep_at), earlier(idle_until, ends_at));
    }

    fn assign(&mut self, now: Duration, waiter: WaiterId, id: ConnId, just_used: bool) {
        let after = self.settings.check_after;
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let ask = after.is_some_and(|after| now.saturating_sub(conn.since) >= after);
        if let Some(waiting) = self.waiters.get_mut(&waiter) {
            waiting.conn = Some(id);
            self.unassigned = self.unassigned.saturating_sub(1);
        }
        if just_used && !ask {
            self.check_out(now, waiter, id);
            return;
        }
        conn.state = State::Checking(waiter);
        self.actions.push(Action::Check { conn: id, waiter, ask });
    }

    pub(super) fn check_out(&mut self, now: Duration, waiter: WaiterId, id: ConnId) {
        let Some(waiting) = self.waiters.remove(&waiter) else { return };
        let Some(conn) = self.conns.get_mut(&id) else { return };
        conn.state = State::CheckedOut;
        conn.since = now;
        conn.leak_reported = false;
        self.counters.checkouts += 1;
        if waiting.queued {
            self.count_wait(now.saturating_sub(waiting.asked_at));
        }
        let told_at = self.settings.leak_after.and_then(|after| now.checked_add(after));
        self.due = earlier(self.due, told_at);
        self.actions.push(Action::Grant { waiter, conn: id });
    }

    pub(super) fn pump(&mut self, now: Duration) {
        if self.closed {
            return;
        }
        self.match_up(now);
        while self.conns.len() > self.settings.max_size
            && let Some(oldest) = self.idle.front().copied()
        {
            self.remove(oldest, Reason::Resize);
        }
        self.grow(now);
        self.roll(now);
    }

    /// Does the same, and sets `due` to what is due now.
    pub(super) fn pump_anew(&mut self, now: Duration) {
        self.due = None;
        self.pump(now);
        self.find_due();
    }

    /// Gives idle connections to those who wait, in their order.
    pub(super) fn match_up(&mut self, now: Duration) {
        while let (Some(waiter), Some(id)) = (self.first(), self.newest()) {
            if self.conns.get(&id).is_some_and(|conn| conn.ends_at.is_some_and(|end| end <= now)) {
                self.remove(id, Reason::Lifetime);
                continue;
            }
            self.leave_idle(id);
            self.assign(now, waiter, id, false);
        }
    }

    fn newest(&self) -> Option<ConnId> {
        let fresh = self.idle.iter().rev().find(|id| !self.is_stale(**id));
        fresh.or_else(|| self.idle.back()).copied()
    }
}
