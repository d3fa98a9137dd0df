//! What happens to connections.

use std::time::Duration;

use super::action::{Action, ConnId, Failure, Reason, Refusal};
use super::machine::{Conn, Core, State};

impl Core {
    /// Takes in a connection that was asked for.
    pub fn opened(&mut self, now: Duration, id: ConnId) {
        let lifetime = self.settings.max_lifetime;
        let shortened = 1.0 - self.settings.lifetime_jitter * (self.random)().clamp(0.0, 1.0);
        let Some(conn) = self.conns.get_mut(&id).filter(|conn| conn.state == State::Opening) else {
            return;
        };
        conn.ends_at = lifetime.and_then(|life| now.checked_add(life.mul_f64(shortened)));
        self.opening -= 1;
        self.failures = 0;
        self.counters.opened += 1;
        self.place(now, id);
        if self.conns.len() > self.settings.min_size
            && let Some(old) = self.oldest_stale()
        {
            self.remove(old, Reason::Drain);
        }
        self.pump_anew(now);
    }

    /// Takes note that a connection could not be opened.
    pub fn open_failed(&mut self, now: Duration, id: ConnId, failure: Failure) {
        if self.conns.get(&id).is_none_or(|conn| conn.state != State::Opening) {
            return;
        }
        self.conns.remove(&id);
        self.opening -= 1;
        self.failures = self.failures.saturating_add(1);
        self.counters.open_failures += 1;
        // A server that was there will be there again: who waits goes on waiting, up to the limit.
        let hopeless = match failure {
            Failure::Final => true,
            Failure::Unreachable => self.counters.opened == 0,
            Failure::Busy => false,
        };
        let waiter = if hopeless { self.first() } else { None };
        if let Some(waiter) = waiter {
            self.forget_waiter(waiter);
            self.actions.push(Action::Fail { waiter, conn: id });
        }
        self.retry_at =
            if waiter.is_some() && self.unassigned > 0 { now } else { now + self.backoff() };
        self.pump_anew(now);
    }

    /// Takes the outcome of a check: the waiter gets the connection, or the next one.
    pub fn checked(&mut self, now: Duration, id: ConnId, good: bool) {
        let Some(Conn { state: State::Checking(waiter), .. }) = self.conns.get(&id) else { return };
        let waiter = *waiter;
        if good && !self.closed {
            self.check_out(now, waiter, id);
            return;
        }
        if let Some(waiter) = self.waiters.get_mut(&waiter) {
            waiter.conn = None;
            self.unassigned += 1;
        }
        if good {
            self.remove(id, Reason::Close);
        } else {
            self.counters.checks_failed += 1;
            self.remove(id, Reason::Check);
            self.sweep_soon(now);
        }
        if self.closed {
            self.forget_waiter(waiter);
            self.actions.push(Action::Refuse { waiter, why: Refusal::Closed });
            return;
        }
        self.match_up(now);
        if let Some(waiter) = self.waiters.get_mut(&waiter) {
            waiter.queued |= waiter.conn.is_none();
        }
        self.pump(now);
    }

    /// Takes back a connection that was checked out; with a reason, to be closed.
    pub fn release(&mut self, now: Duration, id: ConnId, reason: Option<Reason>) {
        let Some(conn) = self.conns.get(&id).filter(|conn| conn.state == State::CheckedOut) else {
            return;
        };
        match reason.or_else(|| self.verdict(now, conn)) {
            None => self.place(now, id),
            Some(reason) => {
                self.remove(id, reason);
                if reason == Reason::Broken {
                    // What ended this one may have ended others.
                    self.sweep_soon(now);
                }
            }
        }
        self.pump(now);
    }

    /// Takes note that an idle connection has ended. Nothing, when it is not idle any more.
    pub fn lost(&mut self, now: Duration, id: ConnId) {
        if self.conns.get(&id).is_some_and(|conn| conn.state == State::Idle) {
            self.remove(id, Reason::Lost);
            self.sweep_soon(now);
            self.pump(now);
        }
    }

    /// Takes note that a connection was dropped while it was checked out and can't come back.
    pub fn collected(&mut self, now: Duration, id: ConnId) {
        let Some(conn) = self.conns.get(&id).filter(|conn| conn.state == State::CheckedOut) else {
            return;
        };
        if !conn.leak_reported {
            self.counters.leaks += 1;
        }
        self.remove(id, Reason::Leak);
        self.pump(now);
    }

    /// Why a connection that comes back in good order is not kept.
    pub(super) fn verdict(&self, now: Duration, conn: &Conn) -> Option<Reason> {
        if self.closed {
            Some(Reason::Close)
        } else if conn.generation < self.generation {
            Some(Reason::Drain)
        } else if self.conns.len() > self.settings.max_size {
            Some(Reason::Resize)
        } else if conn.ends_at.is_some_and(|end| end <= now) {
            Some(Reason::Lifetime)
        } else {
            None
        }
    }

    pub(super) fn remove(&mut self, id: ConnId, reason: Reason) {
        self.leave_idle(id);
        if self.conns.remove(&id).is_some() {
            *self.counters.closed.entry(reason).or_default() += 1;
            self.actions.push(Action::Close { conn: id, reason });
        }
    }

    pub(super) fn leave_idle(&mut self, id: ConnId) {
        // Most often it is the last one.
        if let Some(at) = self.idle.iter().rposition(|idle| *idle == id) {
            self.idle.remove(at);
        }
    }
}
