//! The state of a pool, and what its threads do with it.

use std::collections::{HashMap, VecDeque};
use std::panic::Location;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::builder::Options;
use super::core::{Action, ConnId, Core, Reason, Refusal, WaiterId};
use super::figures::Event;
use super::guard::{Pooled, clean};
use super::house::Bell;
use super::settings::check_sizes;
use super::words::failure_of;
use crate::blocking::Client;
use crate::config::Config;
use crate::error::Error;

/// Threads that connect at the same time, for one pool.
const OPENERS: usize = 8;

/// What all handles to a pool share.
pub(super) struct Inner {
    pub(super) options: Arc<Options>,
    config: Config,
    first: Arc<Shared>,
}

impl Inner {
    pub(super) fn new(config: Config, options: Options) -> Inner {
        let inner = Inner::of(std::process::id(), config, options);
        inner.first.with(|state, now| state.core.open(now, false));
        inner
    }

    /// The pool of a process, that has nothing yet.
    pub(super) fn of(process: u32, config: Config, options: Options) -> Inner {
        let options = Arc::new(options);
        let first = Shared::new(process, config.clone(), options.clone());
        Inner { options, config, first }
    }

    /// The state that belongs to this process. A forked child can't use its parent's: another thread
    /// may have held its lock, and its sockets are the parent's.
    pub(super) fn shared(&self) -> &Arc<Shared> {
        let process = std::process::id();
        let mut at = &self.first;
        while at.process != process {
            at = at.child.get_or_init(|| {
                let shared = Shared::new(process, self.config.clone(), self.options.clone());
                shared.with(|state, now| state.core.open(now, true));
                shared
            });
        }
        at
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared().close(Duration::ZERO);
    }
}

/// Where a waiting thread finds what became of it.
#[derive(Default)]
struct Slot {
    action: Option<Action>,
    error: Option<Error>,
    told: Arc<Condvar>,
}

pub(super) struct State {
    pub(super) core: Core,
    /// All but those that are lent or being checked.
    clients: HashMap<ConnId, Client>,
    slots: HashMap<WaiterId, Slot>,
    pub(super) taken: HashMap<ConnId, &'static Location<'static>>,
    to_open: VecDeque<ConnId>,
    openers: usize,
    pub(super) housekeeper: bool,
    /// When the housekeeper looks again; `None`: when the bell rings.
    pub(super) planned: Option<Duration>,
    pub(super) last_error: Option<String>,
    /// An error on its way to the waiter that is told of it.
    failed: Option<Error>,
}

pub(super) struct Shared {
    pub(super) process: u32,
    child: OnceLock<Arc<Shared>>,
    config: Config,
    pub(super) options: Arc<Options>,
    epoch: Instant,
    state: Mutex<State>,
    /// For those who wait for a size.
    changed: Condvar,
    pub(super) bell: Arc<Bell>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if self.process != std::process::id() {
            // Closing them would end the parent's sessions.
            state.clients.drain().for_each(|(_, client)| std::mem::forget(client));
        }
        self.bell.ring();
    }
}

/// What follows from a change and is done when the lock is free again.
#[derive(Default)]
pub(super) struct Todo {
    close: Vec<(Option<Client>, Reason)>,
    look: Vec<(ConnId, Client)>,
    leaks: Vec<(&'static Location<'static>, Duration)>,
    openers: usize,
    pub(super) wake: bool,
}

impl Shared {
    fn new(process: u32, config: Config, options: Arc<Options>) -> Arc<Shared> {
        let state = State {
            core: Core::new(options.settings.clone(), Box::new(fastrand::f64)),
            clients: HashMap::new(),
            slots: HashMap::new(),
            taken: HashMap::new(),
            to_open: VecDeque::new(),
            openers: 0,
            housekeeper: false,
            planned: None,
            last_error: None,
            failed: None,
        };
        Arc::new(Shared {
            process,
            child: OnceLock::new(),
            config,
            options,
            epoch: Instant::now(),
            state: Mutex::new(state),
            changed: Condvar::new(),
            bell: Arc::default(),
        })
    }

    pub(super) fn is_foreign(&self) -> bool {
        self.process != std::process::id()
    }

    pub(super) fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and does what follows from it.
    fn with<T>(self: &Arc<Self>, change: impl FnOnce(&mut State, Duration) -> T) -> T {
        let mut state = self.lock();
        let given = change(&mut state, self.now());
        let todo = self.settle(&mut state);
        drop(state);
        self.carry_out(todo);
        given
    }

    // Lending.

    pub(super) fn get(
        this: &Arc<Shared>,
        timeout: Option<Duration>,
        taken: &'static Location<'static>,
    ) -> Result<Pooled, Error> {
        let asked = this.now();
        let waiter = this.with(|state, now| {
            let waiter = state.core.acquire(now, timeout);
            state.slots.insert(waiter, Slot::default());
            waiter
        });
        let granted = this.wait_for(waiter, asked, timeout);
        let mut state = this.lock();
        state.slots.remove(&waiter);
        let id = granted?;
        let Some(client) = state.clients.remove(&id) else {
            return Err(Error::usage("expected the connection that was granted, found none"));
        };
        state.taken.insert(id, taken);
        drop(state);
        Ok(Pooled::new(client, this.clone(), id))
    }

    fn wait_for(
        self: &Arc<Self>,
        waiter: WaiterId,
        asked: Duration,
        timeout: Option<Duration>,
    ) -> Result<ConnId, Error> {
        loop {
            let mut state = self.lock();
            let Some(slot) = state.slots.get_mut(&waiter) else {
                return Err(Error::usage("expected one who waits, found none"));
            };
            match slot.action.take() {
                Some(Action::Grant { conn, .. }) => return Ok(conn),
                Some(Action::Check { conn, ask, .. }) => {
                    let client = state.clients.remove(&conn);
                    drop(state);
                    self.examine(conn, client, ask);
                }
                Some(Action::Refuse { why: Refusal::Closed, .. }) => {
                    return Err(self.closed_error());
                }
                Some(Action::Refuse { why: Refusal::Full, .. }) => {
                    return Err(Error::timeout(format!(
                        "{}: {} callers wait for a connection already: {}",
                        self.options.name,
                        state.core.waiting(),
                        self.describe(&state)
                    ))
                    .unsent());
                }
                Some(Action::Fail { .. }) => {
                    let error = slot.error.take();
                    return Err(error.unwrap_or_else(|| Error::connect("no connection was opened")));
                }
                Some(_) => return Err(self.timeout_error(&state, asked, timeout)),
                None => {
                    let told = slot.told.clone();
                    let remaining = timeout
                        .map(|limit| (asked.saturating_add(limit)).saturating_sub(self.now()));
                    match remaining {
                        Some(Duration::ZERO) => {
                            drop(state);
                            self.with(|state, now| state.core.tick(now));
                        }
                        Some(remaining) => drop(told.wait_timeout(state, remaining)),
                        None => drop(told.wait(state)),
                    }
                }
            }
        }
    }

    fn examine(self: &Arc<Self>, id: ConnId, client: Option<Client>, ask: bool) {
        let mut client = client;
        let mut good = false;
        if let Some(client) = &mut client {
            let mut outcome = client.poll();
            if ask {
                outcome = outcome.and_then(|()| match &self.options.check {
                    Some(check) => check(client),
                    None => client.batch("SELECT 1").map(drop),
                });
            }
            if let Err(error) = &outcome {
                self.tell(&Event::CheckFailed(error));
            }
            let idle = client.transaction_status() == crate::proto::TransactionStatus::Idle;
            good = outcome.is_ok() && idle && !client.is_closed();
        }
        self.with(|state, now| {
            if let Some(client) = client {
                state.clients.insert(id, client);
            }
            state.core.checked(now, id, good);
        });
    }

    pub(super) fn take_back(
        self: &Arc<Self>,
        id: ConnId,
        mut client: Client,
        session: Option<i32>,
    ) {
        let keeps = self.lock().core.keeps(self.now(), id);
        let reason =
            if keeps { clean(&mut client, session, self.options.reset.as_ref()) } else { None };
        self.with(|state, now| {
            state.taken.remove(&id);
            state.clients.insert(id, client);
            state.core.release(now, id, reason);
        });
    }

    // What follows.

    fn tell(&self, event: &Event<'_>) {
        if let Some(listener) = &self.options.listener {
            listener(event);
        }
    }

    /// Takes the core's actions: tells waiters, and gives what is left to do.
    pub(super) fn settle(&self, state: &mut State) -> Todo {
        let mut todo = Todo::default();
        for action in state.core.take_actions() {
            match action {
                Action::Grant { waiter, .. }
                | Action::Check { waiter, .. }
                | Action::Expire(waiter)
                | Action::Refuse { waiter, .. }
                | Action::Fail { waiter, .. } => {
                    // A waiter that has not yet a slot is about to look into it.
                    let slot = state.slots.entry(waiter).or_default();
                    slot.action = Some(action);
                    if matches!(action, Action::Fail { .. }) {
                        slot.error = state.failed.take();
                    }
                    slot.told.notify_one();
                }
                Action::Open(id) => state.to_open.push_back(id),
                Action::Close { conn, reason } => {
                    todo.close.push((state.clients.remove(&conn), reason));
                }
                Action::Look(id) => {
                    if let Some(client) = state.clients.remove(&id) {
                        todo.look.push((id, client));
                    }
                }
                Action::Leak { conn, held } => {
                    if let Some(taken) = state.taken.get(&conn) {
                        todo.leaks.push((taken, held));
                    }
                }
            }
        }
        self.look(state, &mut todo);
        todo.openers = state.to_open.len().min(OPENERS.saturating_sub(state.openers));
        state.openers += todo.openers;
        let due = state.core.due();
        let sooner = match (due, state.planned) {
            (Some(due), Some(planned)) => due < planned,
            (due, None) => due.is_some(),
            (None, Some(_)) => false,
        };
        if sooner || (state.core.is_closed() && state.core.size() == 0) {
            state.planned = due;
            todo.wake = true;
        }
        self.changed.notify_all();
        todo
    }

    /// Looks at idle connections. A look does not wait, so that the lock is held meanwhile: a client
    /// that is away could not be lent.
    fn look(&self, state: &mut State, todo: &mut Todo) {
        let mut lost = Vec::new();
        for (id, mut client) in std::mem::take(&mut todo.look) {
            let ended = client.poll().is_err() || client.is_closed();
            state.clients.insert(id, client);
            if ended {
                lost.push(id);
            }
        }
        if lost.is_empty() {
            return;
        }
        let now = self.now();
        for id in lost {
            state.core.lost(now, id);
        }
        let more = self.settle(state);
        todo.close.extend(more.close);
        todo.leaks.extend(more.leaks);
        todo.wake |= more.wake;
        // Those it has counted are to be started as well.
        state.openers = state.openers.saturating_sub(more.openers);
    }

    /// Does what was left, without the lock.
    pub(super) fn carry_out(self: &Arc<Self>, todo: Todo) {
        for (taken, held) in todo.leaks {
            self.tell(&Event::Leak { taken, held });
        }
        for (client, reason) in todo.close {
            drop(client);
            self.tell(&Event::Closed(reason));
        }
        for _ in 0..todo.openers {
            self.start_opener();
        }
        if todo.wake {
            self.wake_housekeeper();
        }
    }

    // Connecting.

    fn start_opener(self: &Arc<Self>) {
        let this = self.clone();
        let thread = std::thread::Builder::new().name(format!("{} connects", self.options.name));
        if thread.spawn(move || this.open_connections()).is_err() {
            // No thread can be had.
            self.open_connections();
        }
    }

    /// Opens connections until none is asked for.
    fn open_connections(self: &Arc<Self>) {
        loop {
            let mut state = self.lock();
            let Some(id) = state.to_open.pop_front() else {
                state.openers = state.openers.saturating_sub(1);
                return;
            };
            drop(state);
            let opened = self.open_one();
            if let Err(error) = &opened {
                self.tell(&Event::OpenFailed(error));
            }
            self.with(|state, now| match opened {
                Ok(client) => {
                    state.clients.insert(id, client);
                    state.last_error = None;
                    state.core.opened(now, id);
                }
                Err(error) => {
                    let failure = failure_of(&error);
                    state.last_error = Some(error.to_string());
                    state.failed = Some(error);
                    state.core.open_failed(now, id, failure);
                }
            });
        }
    }

    fn open_one(&self) -> Result<Client, Error> {
        let mut client = Client::connect(&self.config)?;
        if let Some(configure) = &self.options.configure {
            configure(&mut client)?;
            if client.transaction_status() != crate::proto::TransactionStatus::Idle {
                return Err(Error::usage("expected configure() to leave no transaction open"));
            }
        }
        Ok(client)
    }

    // The pool as a whole.

    /// Waits until something is so; whether it is.
    fn until(&self, timeout: Duration, mut done: impl FnMut(&State) -> bool) -> bool {
        let deadline = self.now().saturating_add(timeout);
        let mut state = self.lock();
        loop {
            if done(&state) {
                return true;
            }
            let remaining = deadline.saturating_sub(self.now());
            if remaining.is_zero() {
                return false;
            }
            state = match self.changed.wait_timeout(state, remaining) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    pub(super) fn wait(&self, timeout: Duration) -> Result<(), Error> {
        let enough = |state: &State| {
            state.core.is_closed() || state.core.size() >= state.core.settings().min_size
        };
        let reached = self.until(timeout, enough);
        let state = self.lock();
        if state.core.is_closed() {
            return Err(self.closed_error());
        }
        if !reached {
            return Err(Error::timeout(format!(
                "{}: expected {} connections after {} s, found {}",
                self.options.name,
                state.core.settings().min_size,
                timeout.as_secs_f64(),
                self.describe(&state)
            )));
        }
        Ok(())
    }

    pub(super) fn drain(self: &Arc<Self>, timeout: Duration) -> bool {
        self.with(|state, now| state.core.drain(now));
        self.until(timeout, |state| state.core.stale() == 0)
    }

    pub(super) fn close(self: &Arc<Self>, timeout: Duration) -> bool {
        self.with(|state, _| state.core.close());
        self.until(timeout, |state| state.core.size() == 0)
    }

    pub(super) fn resize(self: &Arc<Self>, min_size: usize, max_size: usize) -> Result<(), Error> {
        check_sizes(min_size, max_size)?;
        self.with(|state, now| state.core.resize(now, min_size, max_size));
        Ok(())
    }
}
