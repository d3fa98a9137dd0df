//! The state of a pool, and what its threads do with it.

use std::ops::ControlFlow;
use std::panic::Location;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::builder::Hook;
use super::maintenance::Wakeup;
use super::pooled::{Pooled, clean};
use crate::client::blocking::Client;
use crate::config::Config;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::pool::core::{ConnId, Reason};
use crate::pool::options::Options;
use crate::pool::settings::check_sizes;
use crate::pool::state::{Connection, Effects, PoolState, Signal, Waiter, WaiterState};
use crate::pool::stats::{Event, Stats};
use crate::proto::{Request, TransactionStatus};

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

type State = PoolState<Client, Arc<Condvar>>;

impl Connection for Client {
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
    pub(super) wakeup: Arc<Wakeup>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if self.process != std::process::id() {
            // Closing them would end the parent's sessions.
            state.strip().for_each(std::mem::forget);
        }
        self.wakeup.wake();
    }
}

impl Shared {
    fn new(process: u32, config: Config, options: Arc<Options<Hook>>) -> Arc<Shared> {
        let state = PoolState::new(options.settings.clone(), options.name.clone());
        Arc::new(Shared {
            process,
            child: OnceLock::new(),
            config,
            options,
            epoch: Instant::now(),
            state: Mutex::new(state),
            changed: Condvar::new(),
            wakeup: Arc::default(),
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
        let effects = state.settle(self.now());
        drop(state);
        self.changed.notify_all();
        self.carry_out(effects);
        given
    }

    // Checking out.

    pub(super) fn get(
        this: &Arc<Shared>,
        timeout: Option<Duration>,
        taken: &'static Location<'static>,
    ) -> Result<Pooled, Error> {
        let asked = this.with(|state, now| state.ask(now, timeout));
        let mut waiting = Waiting { shared: this, asked, over: false };
        loop {
            let mut state = this.lock();
            let asked = &waiting.asked;
            let word = state.word(this.now(), asked, taken);
            waiting.over = matches!(word, Ok(WaiterState::Granted(..)) | Err(_));
            match word? {
                WaiterState::Granted(id, client) => {
                    return Ok(Pooled::new(client, this.clone(), id));
                }
                WaiterState::Examine { id, client, ask } => {
                    drop(state);
                    this.examine(id, client, ask.then(|| asked.remaining(this.now())));
                }
                WaiterState::Nothing(told) => match asked.remaining(this.now()) {
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

    /// Looks at a connection, or asks it within a time, and tells the pool.
    fn examine(
        self: &Arc<Self>,
        id: ConnId,
        client: Option<Client>,
        ask: Option<Option<Duration>>,
    ) {
        let mut examined = Examined { shared: self, id, client, good: false };
        if let Some(client) = &mut examined.client {
            let mut outcome = client.poll();
            if let Some(within) = ask {
                outcome = outcome.and_then(|()| match &self.options.check {
                    Some(check) => check(client),
                    None => answers(client, within),
                });
            }
            if let Err(error) = &outcome {
                self.tell(&Event::CheckFailed(error));
            }
            let idle = client.transaction_status() == TransactionStatus::Idle;
            examined.good = outcome.is_ok() && idle && !client.is_closed();
        }
    }

    pub(super) fn take_back(self: &Arc<Self>, id: ConnId, client: Client, session: Option<i32>) {
        let Some(client) = self.with(|state, now| state.dismiss(now, id, client)) else {
            return;
        };
        let client = Some(client);
        let mut back = Returning { shared: self, id, client, reason: Some(Reason::Broken) };
        if let Some(client) = &mut back.client {
            back.reason = clean(client, session, self.options.reset.as_ref());
        }
    }

    // What follows.

    fn tell(&self, event: &Event<'_>) {
        self.options.tell(event);
    }

    /// Does what was left, without the lock.
    pub(super) fn carry_out(self: &Arc<Self>, effects: Effects<Client>) {
        for (taken, held) in effects.leaks {
            self.tell(&Event::Leak { taken, held });
        }
        for (client, reason) in effects.close {
            drop(client);
            self.tell(&Event::Closed(reason));
        }
        for _ in 0..effects.openers {
            self.start_opener();
        }
        if effects.wake {
            self.wake_maintenance();
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
        let mut opener = Opener { shared: self, opening: None, over: false };
        loop {
            opener.opening = self.lock().next_to_open();
            let Some(id) = opener.opening else {
                opener.over = true;
                return;
            };
            let opened = self.open_one();
            if let Err(error) = &opened {
                self.tell(&Event::OpenFailed(error));
            }
            opener.opening = None;
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

// What a hook may unwind through: whatever becomes of it, the pool hears of the connection.

/// One who waits.
struct Waiting<'a> {
    shared: &'a Arc<Shared>,
    asked: Waiter,
    /// Nothing is left to be told.
    over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.shared.with(|state, now| state.withdraw(now, self.asked.waiter));
        }
    }
}

/// A connection that is looked at for one who waits.
struct Examined<'a> {
    shared: &'a Arc<Shared>,
    id: ConnId,
    client: Option<Client>,
    good: bool,
}

impl Drop for Examined<'_> {
    fn drop(&mut self) {
        let (id, client, good) = (self.id, self.client.take(), self.good);
        self.shared.with(|state, now| state.checked(now, id, client, good));
    }
}

/// A connection on its way back.
struct Returning<'a> {
    shared: &'a Arc<Shared>,
    id: ConnId,
    /// There until the drop.
    client: Option<Client>,
    /// Why it is not kept.
    reason: Option<Reason>,
}

impl Drop for Returning<'_> {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            self.shared.with(|state, now| state.release(now, self.id, client, self.reason));
        }
    }
}

/// A thread that opens connections.
struct Opener<'a> {
    shared: &'a Arc<Shared>,
    opening: Option<ConnId>,
    over: bool,
}

impl Drop for Opener<'_> {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let error = Error::connect("the thread that connects has panicked: see configure()");
        self.shared.with(|state, now| {
            state.opener_ended();
            if let Some(id) = self.opening {
                state.opened(now, id, Err(error));
            }
        });
    }
}

/// Asks a connection whether it is good. One that does not answer in time is given up: to cancel what it
/// was asked would take as long again.
fn answers(client: &mut Client, within: Option<Duration>) -> Result<(), Error> {
    let Some(within) = within else {
        return client.batch("SELECT 1").map(drop);
    };
    let mut limit = Limit { asked: Instant::now(), within };
    client.run(&Request::Query(b"SELECT 1"), &mut limit).map(drop)
}

/// The time that one who waits has left.
struct Limit {
    asked: Instant,
    within: Duration,
}

impl Limit {
    fn left(&self) -> Duration {
        self.within.saturating_sub(self.asked.elapsed())
    }
}

impl Interrupt for Limit {
    fn check(&mut self) -> ControlFlow<()> {
        if self.left().is_zero() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn timeout(&self) -> Option<Duration> {
        Some(self.left())
    }

    fn gives_up(&self) -> bool {
        true
    }
}
