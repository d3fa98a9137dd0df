//! The books of a pool: its core, the connections that are at rest, and what those who wait are told.
//! Nothing in here waits, so that the pool of threads and that of tokio keep the same books.

use std::collections::{HashMap, VecDeque};
use std::panic::Location;
use std::time::Duration;

use super::core::{Action, ConnId, Core, Reason, Refusal, WaiterId};
use super::errors::failure_of;
use super::settings::Settings;
use crate::error::Error;

/// Connections that are made at the same time, for one pool.
const OPENERS: usize = 8;

/// What a pool keeps.
pub(crate) trait Connection {
    /// Whether the connection has ended, as far as a look at the socket tells.
    fn has_ended(&mut self) -> bool;
}

/// By what one who waits hears that there is word.
pub(crate) trait Signal: Clone + Default {
    fn give(&self);
}

/// Where one who waits finds what became of it.
struct Slot<S> {
    action: Option<Action>,
    error: Option<Error>,
    told: S,
}

/// What there is to hear for one who waits.
pub(crate) enum WaiterState<C, S> {
    /// The connection is its own.
    Granted(ConnId, C),
    /// It is to look at the connection, or to ask it; then [`PoolState::checked`].
    Examine { id: ConnId, client: Option<C>, ask: bool },
    /// Nothing, until the signal is given.
    Nothing(S),
}

/// One who waits: its number, since when, and for how long at most.
#[derive(Clone, Copy)]
pub(crate) struct Waiter {
    pub(crate) waiter: WaiterId,
    pub(crate) at: Duration,
    pub(crate) timeout: Option<Duration>,
}

impl Waiter {
    /// How long there is left to wait; `None`: any time.
    pub(crate) fn remaining(&self, now: Duration) -> Option<Duration> {
        self.timeout.map(|limit| self.at.saturating_add(limit).saturating_sub(now))
    }
}

pub(crate) struct PoolState<C, S> {
    pub(crate) core: Core,
    pub(super) name: String,
    /// All but those that are checked out or being checked.
    clients: HashMap<ConnId, C>,
    slots: HashMap<WaiterId, Slot<S>>,
    pub(super) taken: HashMap<ConnId, &'static Location<'static>>,
    to_open: VecDeque<ConnId>,
    openers: usize,
    /// Whether somebody does what time brings.
    pub(crate) maintained: bool,
    /// When the maintenance runs again; `None`: when it is woken.
    planned: Option<Duration>,
    pub(super) last_error: Option<String>,
    /// An error on its way to the waiter that is told of it.
    failed: Option<Error>,
}

/// What follows from a change and is done when the books are free again.
pub(crate) struct Effects<C> {
    pub(crate) close: Vec<(Option<C>, Reason)>,
    pub(crate) leaks: Vec<(&'static Location<'static>, Duration)>,
    /// How many are to be started that open connections.
    pub(crate) openers: usize,
    /// Whether the maintenance is to look when it is needed next.
    pub(crate) wake: bool,
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

    // Those who wait.

    /// Takes in one who wants a connection.
    pub(crate) fn ask(&mut self, now: Duration, timeout: Option<Duration>) -> Waiter {
        let waiter = self.core.acquire(now, timeout);
        self.slot(waiter);
        Waiter { waiter, at: now, timeout }
    }

    fn slot(&mut self, waiter: WaiterId) -> &mut Slot<S> {
        let empty = || Slot { action: None, error: None, told: S::default() };
        self.slots.entry(waiter).or_insert_with(empty)
    }

    /// What there is to hear. With a connection or an error nothing more comes.
    pub(crate) fn word(
        &mut self,
        now: Duration,
        asked: &Waiter,
        taken: &'static Location<'static>,
    ) -> Result<WaiterState<C, S>, Error> {
        let Some(slot) = self.slots.get_mut(&asked.waiter) else {
            return Err(Error::usage("expected one who waits, found none"));
        };
        let told = slot.told.clone();
        let outcome = match slot.action.take() {
            None => return Ok(WaiterState::Nothing(told)),
            Some(Action::Check { conn, ask, .. }) => {
                let client = self.clients.remove(&conn);
                return Ok(WaiterState::Examine { id: conn, client, ask });
            }
            Some(Action::Grant { conn, .. }) => match self.clients.remove(&conn) {
                Some(client) => {
                    self.taken.insert(conn, taken);
                    Ok(WaiterState::Granted(conn, client))
                }
                None => Err(Error::usage("expected the connection that was granted, found none")),
            },
            Some(Action::Refuse { why: Refusal::Closed, .. }) => Err(self.closed_error()),
            Some(Action::Refuse { why: Refusal::Full, .. }) => Err(self.full_error(now)),
            Some(Action::Fail { .. }) => {
                let error = slot.error.take();
                Err(error.unwrap_or_else(|| Error::connect("no connection was opened")))
            }
            Some(_) => Err(self.timeout_error(now, asked)),
        };
        self.slots.remove(&asked.waiter);
        outcome
    }

    /// Forgets one who does not wait any more. What was granted to it is the next one's.
    pub(crate) fn withdraw(&mut self, now: Duration, waiter: WaiterId) {
        match self.slots.remove(&waiter).and_then(|slot| slot.action) {
            Some(Action::Grant { conn, .. }) => self.core.release(now, conn, None),
            _ => self.core.cancel(now, waiter),
        }
    }

    /// As [`withdraw`](PoolState::withdraw), of one that was asking a connection, which comes with it if
    /// it is any good.
    #[cfg(feature = "tokio")]
    pub(crate) fn withdraw_checked(
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
        self.withdraw(now, waiter);
        if lost {
            // Who is to look at it meanwhile finds nothing, and gets the next one.
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

    /// Takes back a connection that is not kept, whatever it is in the middle of; gives back one that
    /// is, to be made ready for its next user first.
    pub(crate) fn dismiss(&mut self, now: Duration, id: ConnId, client: C) -> Option<C> {
        if self.core.keeps(now, id) {
            return Some(client);
        }
        self.release(now, id, client, None);
        None
    }

    /// The next connection to open; `None`: nothing is left to do for who opens them.
    pub(crate) fn next_to_open(&mut self) -> Option<ConnId> {
        let next = self.to_open.pop_front();
        if next.is_none() {
            self.opener_ended();
        }
        next
    }

    /// One of those that open connections is no more.
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
    pub(in crate::pool) fn strip(&mut self) -> impl Iterator<Item = C> {
        self.clients.drain().map(|(_, client)| client)
    }

    // What follows.

    /// Takes the core's actions: tells waiters, and gives what is left to do. To be called after
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
                    | Action::Fail { waiter, .. } => self.tell(waiter, action),
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
        if sooner || self.is_over() {
            self.planned = due;
            effects.wake = true;
        }
        effects
    }

    fn tell(&mut self, waiter: WaiterId, action: Action) {
        let error = if matches!(action, Action::Fail { .. }) { self.failed.take() } else { None };
        // One that has no slot yet is about to look into it.
        let slot = self.slot(waiter);
        slot.action = Some(action);
        slot.error = error;
        slot.told.give();
    }

    // Time.

    /// Whether the pool is closed, and all connections as well.
    pub(crate) fn is_over(&self) -> bool {
        self.core.is_closed() && self.core.size() == 0
    }

    /// For how long the maintenance may sleep (`Some(None)`: until it is woken), or that it may go.
    pub(crate) fn rest(&mut self, now: Duration) -> Option<Option<Duration>> {
        if self.is_over() {
            self.maintenance_ended();
            return None;
        }
        self.planned = self.core.due();
        Some(self.planned.map(|due| due.saturating_sub(now)))
    }

    /// There is no maintained: the next change looks for one.
    pub(crate) fn maintenance_ended(&mut self) {
        self.maintained = false;
        self.planned = None;
    }
}
