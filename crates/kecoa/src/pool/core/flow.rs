//! How connections and waiters come together.

use std::time::Duration;

use super::{Action, Conn, ConnId, Core, Reason, State, WaiterId, earlier};

impl Core {
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

    pub(super) fn remove(&mut self, id: ConnId, reason: Reason) {
        self.leave_idle(id);
        if self.conns.remove(&id).is_some() {
            *self.counters.closed.entry(reason).or_default() += 1;
            self.actions.push(Action::Close { conn: id, reason });
        }
    }

    fn leave_idle(&mut self, id: ConnId) {
        // Most often it is the last one.
        if let Some(at) = self.idle.iter().rposition(|idle| *idle == id) {
            self.idle.remove(at);
        }
    }

    pub(super) fn sweep_soon(&mut self, now: Duration) {
        self.sweep_at = Some(now);
        self.due = Some(now);
    }

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
            self.lend(now, waiter, id);
            return;
        }
        conn.state = State::Checking(waiter);
        self.actions.push(Action::Check { conn: id, waiter, ask });
    }

    pub(super) fn lend(&mut self, now: Duration, waiter: WaiterId, id: ConnId) {
        let Some(waiting) = self.waiters.remove(&waiter) else { return };
        let Some(conn) = self.conns.get_mut(&id) else { return };
        conn.state = State::Lent;
        conn.since = now;
        conn.told = false;
        self.counters.lent += 1;
        if waiting.queued {
            self.count_wait(now.saturating_sub(waiting.asked_at));
        }
        let told_at = self.settings.leak_after.and_then(|after| now.checked_add(after));
        self.due = earlier(self.due, told_at);
        self.actions.push(Action::Grant { waiter, conn: id });
    }

    pub(super) fn count_wait(&mut self, waited: Duration) {
        self.counters.waits += 1;
        self.counters.wait_total = self.counters.wait_total.saturating_add(waited);
        self.counters.wait_max = self.counters.wait_max.max(waited);
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

    fn is_stale(&self, id: ConnId) -> bool {
        self.conns.get(&id).is_some_and(|conn| conn.generation < self.generation)
    }

    fn newest(&self) -> Option<ConnId> {
        let fresh = self.idle.iter().rev().find(|id| !self.is_stale(**id));
        fresh.or_else(|| self.idle.back()).copied()
    }

    pub(super) fn oldest_stale(&mut self) -> Option<ConnId> {
        if !self.rolling {
            return None;
        }
        self.rolling = self.stale() > 0;
        self.idle.iter().find(|id| self.is_stale(**id)).copied()
    }

    /// Opens connections for those who wait, and up to the smallest size.
    fn grow(&mut self, now: Duration) {
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
    fn roll(&mut self, now: Duration) {
        let Some(old) = self.oldest_stale() else { return };
        if self.opening > self.slow(now) || !self.may_open(now) {
            return;
        }
        if self.conns.len() >= self.settings.max_size {
            self.remove(old, Reason::Drain);
        }
        self.begin_opening(now);
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
            told: false,
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
