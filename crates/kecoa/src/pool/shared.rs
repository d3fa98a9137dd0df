//! What the handles to a pool and its connections share, and what a change to it brings about.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::connection::{Connection, Signal};
use super::core::{ConnId, Reason};
use super::event::Event;
use super::options::Options;
use super::settings::check_sizes;
use super::state::{Effects, NextRun, PoolState};
use super::stats::Stats;
use crate::config::Config;
use crate::error::Error;

/// What runs a pool: threads, or tasks of tokio's.
pub trait Executor: Sized + Send + Sync + 'static {
    /// What is kept.
    type Client: Connection + Send;

    /// What is done with a connection, such as [`configure`](Options::configure).
    type Hook: Send + Sync;

    /// What wakes one waiter.
    type Signal: Signal + Send;

    /// The time since the pool was made.
    fn now(&self) -> Duration;

    /// Wakes those who wait for a size.
    fn notify_changed(&self);

    /// Starts one that opens connections until none is asked for.
    fn start_opener(pool: &Arc<Shared<Self>>);

    /// Starts the maintenance; false where that cannot be.
    fn start_maintenance(pool: &Arc<Shared<Self>>) -> bool;

    /// Has the maintenance see what is due.
    fn wake_maintenance(&self);

    /// Makes a connection ready for its next user, and returns it. `session` is the one that was
    /// checked out.
    fn check_in(pool: &Arc<Shared<Self>>, id: ConnId, client: Self::Client, session: Option<i32>);

    /// Whether the connections are those of a parent process.
    fn is_foreign(&self) -> bool {
        false
    }
}

type State<E> = PoolState<<E as Executor>::Client, <E as Executor>::Signal>;

/// The state of a pool, and what runs it.
pub struct Shared<E: Executor> {
    pub(super) config: Config,
    pub(super) options: Arc<Options<E::Hook>>,
    pub(super) executor: E,
    state: Mutex<State<E>>,
}

impl<E: Executor> Drop for Shared<E> {
    fn drop(&mut self) {
        if self.executor.is_foreign() {
            let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
            // Closing them would end the parent's sessions.
            state.take_connections().for_each(std::mem::forget);
        }
        self.executor.wake_maintenance();
    }
}

impl<E: Executor> Shared<E> {
    pub(super) fn new(
        config: Config,
        options: Arc<Options<E::Hook>>,
        executor: E,
    ) -> Arc<Shared<E>> {
        let state = PoolState::new(options.settings.clone(), options.name.clone());
        Arc::new(Shared { config, options, executor, state: Mutex::new(state) })
    }

    pub(super) fn now(&self) -> Duration {
        self.executor.now()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and does what follows from it.
    pub(super) fn change<T>(
        self: &Arc<Self>,
        change: impl FnOnce(&mut State<E>, Duration) -> T,
    ) -> T {
        let mut state = self.lock();
        let result = change(&mut state, self.now());
        let effects = state.settle(self.now());
        drop(state);
        self.carry_out(effects);
        result
    }

    /// Without the lock.
    fn carry_out(self: &Arc<Self>, effects: Effects<E::Client>) {
        self.executor.notify_changed();
        for (taken, held) in effects.leaks {
            self.options.report(&Event::Leak { taken, held });
        }
        for (client, reason) in effects.close {
            drop(client);
            self.options.report(&Event::Closed(reason));
        }
        for _ in 0..effects.openers {
            E::start_opener(self);
        }
        if effects.wake {
            self.wake_maintenance();
        }
    }

    // Maintenance.

    fn wake_maintenance(self: &Arc<Self>) {
        let starts = self.lock().begin_maintenance();
        if !starts {
            self.executor.wake_maintenance();
        } else if !E::start_maintenance(self) {
            // Waiters see to their own time limits; the next change tries again.
            self.lock().maintenance_ended();
        }
    }

    /// Does what is due; when to do it again.
    pub(super) fn maintain(self: &Arc<Self>) -> NextRun {
        let mut state = self.lock();
        state.core.tick(self.now());
        let effects = state.settle(self.now());
        drop(state);
        // The maintenance is awake.
        self.carry_out(Effects { wake: false, ..effects });
        self.lock().plan_maintenance(self.now())
    }

    // Connections.

    /// Takes in a connection that was asked for, or why there is none.
    pub(super) fn opened(self: &Arc<Self>, id: ConnId, opened: Result<E::Client, Error>) {
        if let Err(error) = &opened {
            self.options.report(&Event::OpenFailed(error));
        }
        self.change(|state, now| state.opened(now, id, opened));
    }

    /// An opener has ended before its time, with the connection that it was opening.
    pub(super) fn opener_failed(self: &Arc<Self>, opening: Option<ConnId>, error: Error) {
        self.change(|state, now| {
            state.opener_ended();
            if let Some(id) = opening {
                state.opened(now, id, Err(error));
            }
        });
    }

    /// Takes back a connection that is not kept; returns one that is.
    pub(super) fn release_unkept(
        self: &Arc<Self>,
        id: ConnId,
        client: E::Client,
    ) -> Option<E::Client> {
        self.change(|state, now| state.release_unkept(now, id, client))
    }

    /// Takes a connection back; with a reason, to be closed.
    pub(super) fn release(self: &Arc<Self>, id: ConnId, client: E::Client, reason: Option<Reason>) {
        self.change(|state, now| state.release(now, id, client, reason));
    }

    /// Takes the outcome of a check.
    pub(super) fn checked(self: &Arc<Self>, id: ConnId, client: Option<E::Client>, good: bool) {
        self.change(|state, now| state.checked(now, id, client, good));
    }

    // The pool as a whole.

    pub(super) fn resize(self: &Arc<Self>, min_size: usize, max_size: usize) -> Result<(), Error> {
        check_sizes(min_size, max_size)?;
        self.change(|state, now| state.core.resize(now, min_size, max_size));
        Ok(())
    }

    pub(super) fn stats(&self) -> Stats {
        Stats::of(&self.lock().core)
    }
}
