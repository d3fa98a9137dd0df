//! What is due at a time.

use std::time::Duration;

use super::action::{Action, Reason};
use super::machine::{Core, State, earlier};

impl Core {
    /// Does what is due at this time.
    pub fn tick(&mut self, now: Duration) {
        self.expire(now);
        self.retire(now);
        if self.sweep_at.is_some_and(|at| at <= now) {
            self.actions.extend(self.idle.iter().map(|id| Action::Look(*id)));
            self.sweep_at = self.settings.sweep_every.and_then(|every| now.checked_add(every));
        }
        self.report_leaks(now);
        self.pump_anew(now);
    }

    /// Closes idle connections that are too old, or unused for too long.
    fn retire(&mut self, now: Duration) {
        for id in self.idle.clone() {
            let Some(conn) = self.conns.get(&id) else { continue };
            let unused = self.settings.max_idle.and_then(|idle| conn.since.checked_add(idle));
            if conn.ends_at.is_some_and(|end| end <= now) {
                self.remove(id, Reason::Lifetime);
            } else if unused.is_some_and(|at| at <= now) && self.size() > self.settings.min_size {
                self.remove(id, Reason::Idle);
            }
        }
    }

    fn report_leaks(&mut self, now: Duration) {
        let Some(after) = self.settings.leak_after else { return };
        for (id, conn) in &mut self.conns {
            let held = now.saturating_sub(conn.since);
            if conn.state == State::CheckedOut && !conn.leak_reported && held >= after {
                conn.leak_reported = true;
                self.counters.leaks += 1;
                self.actions.push(Action::Leak { conn: *id, held });
            }
        }
    }

    pub(super) fn sweep_soon(&mut self, now: Duration) {
        self.sweep_at = Some(now);
        self.due = Some(now);
    }

    /// Sets `due`, in which `may_open` has left its part.
    pub(super) fn find_due(&mut self) {
        let mut due = self.due;
        if let Some(oldest) = self.idle.front() {
            due = earlier(due, self.sweep_at);
            if self.size() > self.settings.min_size {
                let since = self.conns.get(oldest).map(|conn| conn.since);
                let idle = since.zip(self.settings.max_idle);
                due = earlier(due, idle.and_then(|(since, idle)| since.checked_add(idle)));
            }
        }
        for conn in self.conns.values() {
            let at = match conn.state {
                State::Idle => conn.ends_at,
                State::CheckedOut if !conn.leak_reported => {
                    self.settings.leak_after.and_then(|after| conn.since.checked_add(after))
                }
                _ => None,
            };
            due = earlier(due, at);
        }
        self.due = due;
    }
}
