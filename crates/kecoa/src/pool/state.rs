//! The state of a pool: its core, the connections at rest, and what the callers that wait are told.
//! Nothing in here waits, so that the pool of threads and that of tokio share it.

use std::collections::{HashMap, VecDeque};
use std::panic::Location;
use std::time::Duration;

use super::connection::{Connection, Signal};
use super::core::{Action, ConnId, Core, Reason, Refusal, WaiterId};
use super::errors::{Report, failure_of};
use super::settings::Settings;
use crate::error::Error;

/// Connections that are made at the same time, for one pool.
const OPENERS: usize = 8;

/// A caller that wants a connection: its number, since when, and for how long at most.
#[derive(Clone, Copy)]
pub(crate) struct Waiter {
    pub(crate) id: WaiterId,
    pub(crate) since: Duration,
    pub(crate) timeout: Option<Duration>,
}

impl Waiter {
    /// How long there is left to wait; `None`: any time.
    pub(crate) fn remaining(&self, now: Duration) -> Option<Duration> {
        self.timeout.map(|limit| self.since.saturating_add(limit).saturating_sub(now))
    }
}

/// What a waiter has to do next.
pub(crate) enum WaiterState<C, S> {
    /// The connection is its own.
    Granted(ConnId, C),
    /// It checks the connection, by a round trip where `ask`; then [`PoolState::checked`].
    Check { id: ConnId, client: Option<C>, ask: bool },
    /// It waits for the signal.
    Waiting(S),
}

/// What became of a waiter, until it comes to see.
struct Slot<S> {
    action: Option<Action>,
    error: Option<Error>,
    signal: S,
}

/// What follows from a change and is done without the lock.
pub(crate) struct Effects<C> {
    pub(crate) close: Vec<(Option<C>, Reason)>,
    pub(crate) leaks: Vec<(&'static Location<'static>, Duration)>,
    /// How many openers are to be started.
    pub(crate) openers: usize,
    /// Whether the maintenance is to look when it is needed next.
    pub(crate) wake: bool,
}

/// When the maintenance runs next.
pub(crate) enum NextRun {
    In(Duration),
    WhenWoken,
    Never,
}

pub(crate) struct PoolState<C, S> {
    pub(crate) core: Core,
    name: String,
    /// All but those that are checked out or being checked.
    clients: HashMap<ConnId, C>,
    slots: HashMap<WaiterId, Slot<S>>,
    taken: HashMap<ConnId, &'static Location<'static>>,
    to_open: VecDeque<ConnId>,
    openers: usize,
    /// Whether the maintenance runs.
    maintained: bool,
    /// When the maintenance runs again; `None`: when it is woken.
    planned: Option<Duration>,
    last_error: Option<String>,
    /// An error on its way to the waiter that is told of it.
    failed: Option<Error>,
}

impl<C: Connection, S: Signal> PoolState<C, S> {
    pub(crate) fn new(settings: Settings, name: String) -> PoolState<C, S> {
        PoolState {
            core: Core::new(settings, Box::new(fastrand::f64)),
            name,
            clients: HashMap::new(),
            slots: HashMap::new(),
            taken: HashMap::new(),
            to_open: VecDeque::new(),
            openers: 0,
            maintained: false,
            planned: None,
            last_error: None,
            failed: None,
        }
    }

    /// What errors say of the pool.
    fn report(&self) -> Report<'_> {
        Report {
            name: &self.name,
            core: &self.core,
            taken: &self.taken,
            last_error: self.last_error.as_deref(),
        }
    }

    // Waiters.

    /// Takes in a caller that wants a connection.
    pub(crate) fn add_waiter(&mut self, now: Duration, timeout: Option<Duration>) -> Waiter {
        let id = self.core.acquire(now, timeout);
        self.slot(id);
        Waiter { id, since: now, timeout }
    }

    fn slot(&mut self, waiter: WaiterId) -> &mut Slot<S> {
        let empty = || Slot { action: None, error: None, signal: S::default() };
        self.slots.entry(waiter).or_insert_with(empty)
    }

    /// What a waiter has to do next. With a connection or an error it is forgotten.
    pub(crate) fn poll_waiter(
        &mut self,
        now: Duration,
        waiter: &Waiter,
        taken: &'static Location<'static>,
    ) -> Result<WaiterState<C, S>, Error> {
        let Some(slot) = self.slots.get_mut(&waiter.id) else {
            return Err(Error::usage("expected a waiter of this pool, found none"));
        };
        let signal = slot.signal.clone();
        let outcome = match slot.action.take() {
            None => return Ok(WaiterState::Waiting(signal)),
            Some(Action::Check { conn, ask, .. }) => {
                let client = self.clients.remove(&conn);
                return Ok(WaiterState::Check { id: conn, client, ask });
            }
            Some(Action::Grant { conn, .. }) => match self.clients.remove(&conn) {
                Some(client) => {
                    self.taken.insert(conn, taken);
                    Ok(WaiterState::Granted(conn, client))
                }
                None => Err(Error::usage("expected the connection that was granted, found none")),
            },
            Some(Action::Refuse { why: Refusal::Closed, .. }) => Err(self.report().closed()),
            Some(Action::Refuse { why: Refusal::Full, .. }) => Err(self.report().full(now)),
            Some(Action::Fail { .. }) => {
                let error = slot.error.take();
                Err(error.unwrap_or_else(|| Error::connect("no connection was opened")))
            }
            Some(_) => Err(self.report().timeout(now, waiter.since, waiter.timeout)),
        };
        self.slots.remove(&waiter.id);
        outcome
    }

    /// Forgets a waiter that has left. What was granted to it is the next one's.
    pub(crate) fn remove_waiter(&mut self, now: Duration, waiter: WaiterId) {
        match self.slots.remove(&waiter).and_then(|slot| slot.action) {
            Some(Action::Grant { conn, .. }) => self.core.release(now, conn, None),
            _ => self.core.cancel(now, waiter),
        }
    }

    /// As [`remove_waiter`](PoolState::remove_waiter), of one that was checking a connection, which comes
    /// with it if it is any good.
    #[cfg(feature = "tokio")]
    pub(crate) fn remove_checking_waiter(
        &mut self,
        now: Duration,
        waiter: WaiterId,
        id: ConnId,
        client: Option<C>,
    ) {
        let lost = client.is_none();
        if let Some(client) = client {
            self.clients.insert(id, client);
        }
        self.remove_waiter(now, waiter);
        if lost {
            // Another waiter that is to check it finds nothing, and gets the next one.
            self.core.lost(now, id);
        }
    }

    // Connections.

    /// Takes the outcome of a check.
    pub(crate) fn checked(&mut self, now: Duration, id: ConnId, client: Option<C>, good: bool) {
        if let Some(client) = client {
            self.clients.insert(id, client);
        }
        self.core.checked(now, id, good);
    }

    /// Takes a connection back; with a reason, to be closed.
    pub(crate) fn release(&mut self, now: Duration, id: ConnId, client: C, why: Option<Reason>) {
        self.taken.remove(&id);
        self.clients.insert(id, client);
        self.core.release(now, id, why);
    }

    /// Takes back a connection that is not kept, whatever it is in the middle of; returns one that is,
    /// to be made ready for its next user first.
    pub(crate) fn release_unkept(&mut self, now: Duration, id: ConnId, client: C) -> Option<C> {
        if self.core.keeps(now, id) {
            return Some(client);
        }
        self.release(now, id, client, None);
        None
    }

    /// The next connection to open; `None`: the opener has nothing left to do.
    pub(crate) fn next_to_open(&mut self) -> Option<ConnId> {
        let next = self.to_open.pop_front();
        if next.is_none() {
            self.opener_ended();
        }
        next
    }

    /// An opener has ended.
    pub(crate) fn opener_ended(&mut self) {
        self.openers = self.openers.saturating_sub(1);
    }

    /// Takes in a connection, or why there is none.
    pub(crate) fn opened(&mut self, now: Duration, id: ConnId, opened: Result<C, Error>) {
        match opened {
            Ok(client) => {
                self.clients.insert(id, client);
                self.last_error = None;
                self.core.opened(now, id);
            }
            Err(error) => {
                let failure = failure_of(&error);
                self.last_error = Some(error.to_string());
                self.failed = Some(error);
                self.core.open_failed(now, id, failure);
            }
        }
    }

    /// Takes all connections out, of a process that may not use them.
    pub(crate) fn take_connections(&mut self) -> impl Iterator<Item = C> {
        self.clients.drain().map(|(_, client)| client)
    }

    // What follows.

    /// Takes the core's actions: notifies waiters, and returns what is left to do. To be called after
    /// each change.
    pub(crate) fn settle(&mut self, now: Duration) -> Effects<C> {
        let mut effects = Effects { close: Vec::new(), leaks: Vec::new(), openers: 0, wake: false };
        loop {
            let mut lost = Vec::new();
            for action in self.core.take_actions() {
                match action {
                    Action::Grant { waiter, .. }
                    | Action::Check { waiter, .. }
                    | Action::Expire(waiter)
                    | Action::Refuse { waiter, .. }
                    | Action::Fail { waiter, .. } => self.notify(waiter, action),
                    Action::Open(id) => self.to_open.push_back(id),
                    Action::Close { conn, reason } => {
                        effects.close.push((self.clients.remove(&conn), reason));
                    }
                    Action::Look(id) => {
                        if self.clients.get_mut(&id).is_some_and(Connection::has_ended) {
                            lost.push(id);
                        }
                    }
                    Action::Leak { conn, held } => {
                        if let Some(taken) = self.taken.get(&conn) {
                            effects.leaks.push((taken, held));
                        }
                    }
                }
            }
            if lost.is_empty() {
                break;
            }
            for id in lost {
                self.core.lost(now, id);
            }
        }
        // Those that are stuck hold up no others.
        let limit = OPENERS + self.core.slow(now);
        effects.openers = self.to_open.len().min(limit.saturating_sub(self.openers));
        self.openers += effects.openers;
        let due = self.core.due();
        let sooner = match (due, self.planned) {
            (Some(due), Some(planned)) => due < planned,
            (due, None) => due.is_some(),
            (None, Some(_)) => false,
        };
        if sooner || self.has_ended() {
            self.planned = due;
            effects.wake = true;
        }
        effects
    }

    fn notify(&mut self, waiter: WaiterId, action: Action) {
        let error = if matches!(action, Action::Fail { .. }) { self.failed.take() } else { None };
        // One that has no slot yet is about to come and see.
        let slot = self.slot(waiter);
        slot.action = Some(action);
        slot.error = error;
        slot.signal.notify();
    }

    // Maintenance.

    /// Whether nothing is left to maintain: the pool is closed, and all its connections are.
    fn has_ended(&self) -> bool {
        self.core.is_closed() && self.core.size() == 0
    }

    /// Whether the maintenance has to be started; from now on it counts as running.
    pub(crate) fn begin_maintenance(&mut self) -> bool {
        !std::mem::replace(&mut self.maintained, true)
    }

    /// When the maintenance, which is about to sleep, runs next.
    pub(crate) fn plan_maintenance(&mut self, now: Duration) -> NextRun {
        if self.has_ended() {
            self.maintenance_ended();
            return NextRun::Never;
        }
        self.planned = self.core.due();
        match self.planned {
            Some(due) => NextRun::In(due.saturating_sub(now)),
            None => NextRun::WhenWoken,
        }
    }

    /// No maintenance runs: the next change starts it.
    pub(crate) fn maintenance_ended(&mut self) {
        self.maintained = false;
        self.planned = None;
    }

    // What callers wait for.

    /// Whether nobody has to wait any more for [`min_size`](Settings::min_size) connections.
    pub(crate) fn is_filled(&self) -> bool {
        self.core.is_closed() || self.core.size() >= self.core.settings().min_size
    }

    /// What became of waiting for [`min_size`](Settings::min_size) connections.
    pub(crate) fn filled(
        &self,
        now: Duration,
        timeout: Duration,
        reached: bool,
    ) -> Result<(), Error> {
        if self.core.is_closed() {
            return Err(self.report().closed());
        }
        if reached { Ok(()) } else { Err(self.report().unfilled(now, timeout)) }
    }
}
