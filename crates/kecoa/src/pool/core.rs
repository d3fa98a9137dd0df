//! The rules of a pool: who gets which connection, and when connections are opened, looked at and
//! closed.
//!
//! No I/O, clock, thread or chance in here: times (since any fixed moment) and random numbers are
//! passed in, connections and waiters are numbers. Each call changes the state and queues what the
//! pool around it has to do: [`Core::take_actions`]. The pools of the Python package have the same
//! rules; both are held to `scenarios.txt`, in virtual time.

mod due;
mod flow;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::settings::Settings;

/// The number of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// The number of one who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WaiterId(pub u64);

/// Why a connection was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// It came back unusable.
    Broken,
    /// It failed the check before a loan.
    Check,
    /// The pool is closed.
    Close,
    /// It was there before a [`drain`](Core::drain).
    Drain,
    /// It was not used for [`max_idle`](Settings::max_idle).
    Idle,
    /// It was dropped without coming back.
    Leak,
    /// It was as old as [`max_lifetime`](Settings::max_lifetime) allows.
    Lifetime,
    /// It was found ended while it was idle.
    Lost,
    /// It could not be made ready for its next user.
    Reset,
    /// The pool became smaller.
    Resize,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Reason; 10] = [
        Reason::Broken,
        Reason::Check,
        Reason::Close,
        Reason::Drain,
        Reason::Idle,
        Reason::Leak,
        Reason::Lifetime,
        Reason::Lost,
        Reason::Reset,
        Reason::Resize,
    ];

    /// The reason in one word, for figures.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Broken => "broken",
            Reason::Check => "check",
            Reason::Close => "close",
            Reason::Drain => "drain",
            Reason::Idle => "idle",
            Reason::Leak => "leak",
            Reason::Lifetime => "lifetime",
            Reason::Lost => "lost",
            Reason::Reset => "reset",
            Reason::Resize => "resize",
        }
    }
}

/// What became of an attempt to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server is there and does not serve now (57P03, 53300).
    Busy,
    /// No answer, or the end of the connection.
    Unreachable,
    /// It will not get better by itself.
    Final,
}

/// Why a waiter is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The pool is closed.
    Closed,
    /// [`max_waiting`](Settings::max_waiting) wait already.
    Full,
}

/// What the pool around the core has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Connect; then call [`Core::opened`] or [`Core::open_failed`].
    Open(ConnId),
    /// Look at a connection before it is lent, by a round trip when `ask`; then call
    /// [`Core::checked`].
    Check {
        /// The connection.
        conn: ConnId,
        /// Whom it is for.
        waiter: WaiterId,
        /// Whether a look at the socket is not enough.
        ask: bool,
    },
    /// The connection is the waiter's, until [`Core::release`].
    Grant {
        /// Who gets it.
        waiter: WaiterId,
        /// The connection.
        conn: ConnId,
    },
    /// The waiter's time is up.
    Expire(WaiterId),
    /// The waiter is told why the connection could not be opened.
    Fail {
        /// Who is told.
        waiter: WaiterId,
        /// The connection that is not.
        conn: ConnId,
    },
    /// The waiter is turned away.
    Refuse {
        /// Who is turned away.
        waiter: WaiterId,
        /// Why.
        why: Refusal,
    },
    /// Close the connection: the pool has forgotten it.
    Close {
        /// The connection.
        conn: ConnId,
        /// Why.
        reason: Reason,
    },
    /// See whether an idle connection has ended, and if so call [`Core::lost`].
    Look(ConnId),
    /// The connection has been lent for longer than [`leak_after`](Settings::leak_after).
    Leak {
        /// The connection.
        conn: ConnId,
        /// For how long.
        held: Duration,
    },
}

/// What has happened since the pool was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Connections that were opened.
    pub opened: u64,
    /// Attempts to connect that failed.
    pub open_failures: u64,
    /// Connections that were closed, by reason; a reason that did not occur may be absent.
    pub closed: BTreeMap<Reason, u64>,
    /// Connections that failed the check before a loan.
    pub checks_failed: u64,
    /// Loans.
    pub lent: u64,
    /// Loans and time-outs of those who were not served at once.
    pub waits: u64,
    /// How long those waited, added up.
    pub wait_total: Duration,
    /// How long the longest of those waits was.
    pub wait_max: Duration,
    /// Waiters whose time was up.
    pub timeouts: u64,
    /// Waiters who were turned away because the line was full.
    pub refused: u64,
    /// Connections that were held for too long, or dropped.
    pub leaks: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Opening,
    Idle,
    Checking(WaiterId),
    Lent,
}

#[derive(Debug)]
struct Conn {
    state: State,
    generation: u64,
    ends_at: Option<Duration>,
    /// When its opening began, it came back, or was lent.
    since: Duration,
    told: bool,
}

#[derive(Debug)]
struct Waiter {
    asked_at: Duration,
    deadline: Option<Duration>,
    conn: Option<ConnId>,
    queued: bool,
}

/// The state of one pool.
pub struct Core {
    settings: Settings,
    random: Box<dyn FnMut() -> f64 + Send>,
    closed: bool,
    actions: Vec<Action>,
    due: Option<Duration>,
    counters: Counters,
    conns: BTreeMap<ConnId, Conn>,
    /// The one that came back last is lent first: those that are not needed grow old.
    idle: VecDeque<ConnId>,
    /// In the order in which they asked; those whose connection is being checked keep their place.
    waiters: BTreeMap<WaiterId, Waiter>,
    unassigned: usize,
    opening: usize,
    last_conn: u64,
    last_waiter: u64,
    generation: u64,
    dormant: bool,
    /// Whether there may be connections from before the last drain.
    rolling: bool,
    /// Attempts to connect that failed, since the last that did not.
    failures: u32,
    retry_at: Duration,
    sweep_at: Option<Duration>,
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
fn earlier(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
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

    /// How many connections wait to be lent.
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

    /// Since when each lent connection is lent: the longest held first.
    #[must_use]
    pub fn holders(&self) -> Vec<(Duration, ConnId)> {
        let lent = self.conns.iter().filter(|(_, conn)| conn.state == State::Lent);
        let mut holders: Vec<_> = lent.map(|(id, conn)| (conn.since, *id)).collect();
        holders.sort_unstable();
        holders
    }

    /// Whether a lent connection would be kept if it came back now in good order.
    #[must_use]
    pub fn keeps(&self, now: Duration, id: ConnId) -> bool {
        self.conns.get(&id).is_some_and(|conn| self.verdict(now, conn).is_none())
    }

    // The life of the pool.

    /// Begins; `dormant`: nothing is opened until somebody asks for a connection.
    pub fn open(&mut self, now: Duration, dormant: bool) {
        self.closed = false;
        self.dormant = dormant;
        // What was lent before the pool was closed does not come back to it.
        self.generation += 1;
        self.rolling = true;
        self.pump(now);
    }

    /// Ends: idle connections are closed, lent ones when they come back, waiters are turned away.
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

    /// Replaces every connection: idle ones one after the other, lent ones when they come back.
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

    // Those who wait.

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

    // Connections.

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
            self.lend(now, waiter, id);
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

    /// Takes a lent connection back; with a reason, to be closed.
    pub fn release(&mut self, now: Duration, id: ConnId, reason: Option<Reason>) {
        let Some(conn) = self.conns.get(&id).filter(|conn| conn.state == State::Lent) else {
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

    /// Takes note that a lent connection was dropped and can't come back.
    pub fn collected(&mut self, now: Duration, id: ConnId) {
        let Some(conn) = self.conns.get(&id).filter(|conn| conn.state == State::Lent) else {
            return;
        };
        if !conn.told {
            self.counters.leaks += 1;
        }
        self.remove(id, Reason::Leak);
        self.pump(now);
    }
}
