//! The state of a pool, and what its threads do with it.

use std::panic::Location;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::builder::{Hook, Options};
use super::core::ConnId;
use super::desk::{Desk, Lendable, Signal, Todo, Word};
use super::figures::{Event, Stats};
use super::guard::{Pooled, clean};
use super::house::Bell;
use super::settings::check_sizes;
use crate::blocking::Client;
use crate::config::Config;
use crate::error::Error;
use crate::proto::TransactionStatus;

/// What all handles to a pool share.
pub(super) struct Inner {
    pub(super) options: Arc<Options<Hook>>,
    config: Config,
    first: Arc<Shared>,
}

impl Inner {
    pub(super) fn new(config: Config, options: Options<Hook>) -> Inner {
        let inner = Inner::of(std::process::id(), config, options);
        inner.first.with(|state, now| state.core.open(now, false));
        inner
    }

    /// The pool of a process, that has nothing yet.
    pub(super) fn of(process: u32, config: Config, options: Options<Hook>) -> Inner {
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

type State = Desk<Client, Arc<Condvar>>;

impl Lendable for Client {
    fn has_ended(&mut self) -> bool {
        self.poll().is_err() || self.is_closed()
    }
}

impl Signal for Arc<Condvar> {
    fn give(&self) {
        self.notify_one();
    }
}

pub(super) struct Shared {
    pub(super) process: u32,
    child: OnceLock<Arc<Shared>>,
    config: Config,
    pub(super) options: Arc<Options<Hook>>,
    epoch: Instant,
    state: Mutex<State>,
    /// For those who wait for a size.
    pub(super) changed: Condvar,
    pub(super) bell: Arc<Bell>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if self.process != std::process::id() {
            // Closing them would end the parent's sessions.
            state.strip().for_each(std::mem::forget);
        }
        self.bell.ring();
    }
}

impl Shared {
    fn new(process: u32, config: Config, options: Arc<Options<Hook>>) -> Arc<Shared> {
        let state = Desk::new(options.settings.clone(), options.name.clone());
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
        let todo = state.settle(self.now());
        drop(state);
        self.changed.notify_all();
        self.carry_out(todo);
        given
    }

    // Lending.

    pub(super) fn get(
        this: &Arc<Shared>,
        timeout: Option<Duration>,
        taken: &'static Location<'static>,
    ) -> Result<Pooled, Error> {
        let asked = this.with(|state, now| state.ask(now, timeout));
        loop {
            let mut state = this.lock();
            match state.word(this.now(), &asked, taken)? {
                Word::Granted(id, client) => return Ok(Pooled::new(client, this.clone(), id)),
                Word::Examine { id, client, ask } => {
                    drop(state);
                    this.examine(id, client, ask);
                }
                Word::Nothing(told) => match asked.remaining(this.now()) {
                    Some(Duration::ZERO) => {
                        drop(state);
                        this.with(|state, now| state.core.tick(now));
                    }
                    Some(remaining) => drop(told.wait_timeout(state, remaining)),
                    None => drop(told.wait(state)),
                },
            }
        }
    }

    fn examine(self: &Arc<Self>, id: ConnId, mut client: Option<Client>, ask: bool) {
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
            let idle = client.transaction_status() == TransactionStatus::Idle;
            good = outcome.is_ok() && idle && !client.is_closed();
        }
        self.with(|state, now| state.checked(now, id, client, good));
    }

    pub(super) fn take_back(self: &Arc<Self>, id: ConnId, client: Client, session: Option<i32>) {
        let Some(mut client) = self.with(|state, now| state.dismiss(now, id, client)) else {
            return;
        };
        let reason = clean(&mut client, session, self.options.reset.as_ref());
        self.with(|state, now| state.release(now, id, client, reason));
    }

    // What follows.

    fn tell(&self, event: &Event<'_>) {
        self.options.tell(event);
    }

    /// Does what was left, without the lock.
    pub(super) fn carry_out(self: &Arc<Self>, todo: Todo<Client>) {
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
            let Some(id) = self.lock().next_to_open() else { return };
            let opened = self.open_one();
            if let Err(error) = &opened {
                self.tell(&Event::OpenFailed(error));
            }
            self.with(|state, now| state.opened(now, id, opened));
        }
    }

    fn open_one(&self) -> Result<Client, Error> {
        let mut client = Client::connect(&self.config)?;
        if let Some(configure) = &self.options.configure {
            configure(&mut client)?;
            if client.transaction_status() != TransactionStatus::Idle {
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
        let reached = self.until(timeout, State::is_filled);
        self.lock().waited(self.now(), timeout, reached)
    }

    pub(super) fn stats(&self) -> Stats {
        Stats::of(&self.lock().core)
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
