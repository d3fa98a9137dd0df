//! The state that the rules are about.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::action::{Action, ConnId, WaiterId};
use super::counters::Counters;
use crate::pool::settings::Settings;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Opening,
    Idle,
    Checking(WaiterId),
    CheckedOut,
}

#[derive(Debug)]
pub(super) struct Conn {
    pub(super) state: State,
    pub(super) generation: u64,
    pub(super) ends_at: Option<Duration>,
    /// When its opening began, it came back, or was checked out.
    pub(super) since: Duration,
    pub(super) leak_reported: bool,
}

#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) asked_at: Duration,
    pub(super) deadline: Option<Duration>,
    pub(super) conn: Option<ConnId>,
    pub(super) queued: bool,
}

/// The state of one pool.
pub struct Core {
    pub(super) settings: Settings,
    pub(super) random: Box<dyn FnMut() -> f64 + Send>,
    pub(super) closed: bool,
    pub(super) actions: Vec<Action>,
    pub(super) due: Option<Duration>,
    pub(super) counters: Counters,
    pub(super) conns: BTreeMap<ConnId, Conn>,
    /// The one that came back last is given out first: those that are not needed grow old.
    pub(super) idle: VecDeque<ConnId>,
    /// In the order in which they asked; those whose connection is being checked keep their place.
    pub(super) waiters: BTreeMap<WaiterId, Waiter>,
    pub(super) unassigned: usize,
    pub(super) opening: usize,
    pub(super) last_conn: u64,
    pub(super) last_waiter: u64,
    pub(super) generation: u64,
    pub(super) dormant: bool,
    /// Whether there may be connections from before the last drain.
    pub(super) rolling: bool,
    /// Attempts to connect that failed, since the last that did not.
    pub(super) failures: u32,
    pub(super) retry_at: Duration,
    pub(super) sweep_at: Option<Duration>,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core")
            .field("conns", &self.conns)
            .field("waiters", &self.waiters)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

/// The earlier of two times, of which `None` never comes.
pub(super) fn earlier(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

impl Core {
    /// A closed pool without connections. `random` gives numbers from 0 to 1.
    #[must_use]
    pub fn new(settings: Settings, random: Box<dyn FnMut() -> f64 + Send>) -> Core {
        Core {
            settings,
            random,
            closed: true,
            actions: Vec::new(),
            due: None,
            counters: Counters::default(),
            conns: BTreeMap::new(),
            idle: VecDeque::new(),
            waiters: BTreeMap::new(),
            unassigned: 0,
            opening: 0,
            last_conn: 0,
            last_waiter: 0,
            generation: 0,
            dormant: false,
            rolling: false,
            failures: 0,
            retry_at: Duration::ZERO,
            sweep_at: None,
        }
    }

    /// What is to be done, in order.
    #[must_use]
    pub fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// The next time [`tick`](Core::tick) has something to do, or earlier; the deadlines of waiters
    /// are not in it.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        self.due
    }

    /// The limits, with the sizes as they are now.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What has happened so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Whether the pool is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// How many connections there are, those that are being opened not counted.
    #[must_use]
    pub fn size(&self) -> usize {
        self.conns.len().saturating_sub(self.opening)
    }

    /// How many connections are being opened.
    #[must_use]
    pub fn opening(&self) -> usize {
        self.opening
    }

    /// How many connections are being opened for so long that nobody counts on them any more.
    #[must_use]
    pub fn slow(&self, now: Duration) -> usize {
        if self.opening == 0 {
            return 0;
        }
        let after = self.settings.slow_open_after;
        let is_slow =
            |conn: &&Conn| conn.state == State::Opening && now.saturating_sub(conn.since) >= after;
        self.conns.values().filter(is_slow).count()
    }

    /// How many connections wait to be checked out.
    #[must_use]
    pub fn idle(&self) -> usize {
        self.idle.len()
    }

    /// How many wait for a connection.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.unassigned
    }

    /// How many connections are left from before the last [`drain`](Core::drain).
    #[must_use]
    pub fn stale(&self) -> usize {
        self.conns.values().filter(|conn| conn.generation < self.generation).count()
    }

    /// Since when each connection that is checked out is so: the longest held first.
    #[must_use]
    pub fn holders(&self) -> Vec<(Duration, ConnId)> {
        let held = self.conns.iter().filter(|(_, conn)| conn.state == State::CheckedOut);
        let mut holders: Vec<_> = held.map(|(id, conn)| (conn.since, *id)).collect();
        holders.sort_unstable();
        holders
    }

    /// Whether a connection that is checked out would be kept if it came back now in good order.
    #[must_use]
    pub fn keeps(&self, now: Duration, id: ConnId) -> bool {
        self.conns.get(&id).is_some_and(|conn| self.verdict(now, conn).is_none())
    }
}
