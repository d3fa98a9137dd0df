//! Watches the commands that run, from a thread of its own: one that computes gives its thread to nobody else, so nothing
//! that waits on the runtime could tell it that its time is up.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

/// How often it looks.
const TICK: Duration = Duration::from_millis(10);
/// How long it looks without anything to see before it sleeps.
const IDLE: Duration = Duration::from_secs(1);
/// How long it sleeps at most, for it ends with the gateway.
const SLEEP: Duration = Duration::from_secs(2);
/// What the thread needs of a stack.
const STACK_BYTES: usize = 256 * 1024;

/// What is watched.
pub(super) trait Watch: Send + Sync + 'static {
    /// Looks whether it is to go on; not if everything stops.
    fn look(&self, now: Instant, stops: bool);
}

/// The commands that run, by their numbers, and the thread that watches them.
#[derive(Debug)]
pub(super) struct Watched<T> {
    state: Mutex<State<T>>,
    wake: Condvar,
}

#[derive(Debug)]
pub(super) struct State<T> {
    pub(super) operations: BTreeMap<i32, Arc<T>>,
    /// When all that run are stopped.
    pub(super) shutdown: Option<Instant>,
    has_thread: bool,
    sleeps: bool,
}

impl<T> Default for Watched<T> {
    fn default() -> Self {
        let state =
            State { operations: BTreeMap::new(), shutdown: None, has_thread: false, sleeps: false };
        Self { state: Mutex::new(state), wake: Condvar::new() }
    }
}

impl<T> Watched<T> {
    pub(super) fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Watch> Watched<T> {
    /// Watch a command.
    pub(super) fn add(self: &Arc<Self>, id: i32, operation: Arc<T>) {
        let mut state = self.lock();
        state.operations.insert(id, operation);
        if state.sleeps {
            state.sleeps = false;
            self.wake.notify_one();
        }
        if !state.has_thread {
            let watched = Arc::downgrade(self);
            let runtime = Handle::try_current().ok();
            let thread = thread::Builder::new()
                .name("kecoa-timekeeper".to_owned())
                .stack_size(STACK_BYTES)
                .spawn(move || watch(&watched, runtime.as_ref()));
            // Without it time limits hold where commands wait; the next command tries again.
            state.has_thread = thread.is_ok();
        }
    }

    /// The commands that run, and whether they are to stop. Sleeps where there were none for `idle`.
    fn look(&self, idle: &mut Duration) -> (Vec<Arc<T>>, bool) {
        let mut state = self.lock();
        if state.operations.is_empty() && *idle >= IDLE {
            state.sleeps = true;
            let asleep = |state: &mut State<T>| state.sleeps;
            let woken = self.wake.wait_timeout_while(state, SLEEP, asleep);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
            if !state.sleeps {
                *idle = Duration::ZERO;
            }
        }
        *idle = match state.operations.is_empty() {
            true => idle.saturating_add(TICK),
            false => Duration::ZERO,
        };
        let stops = state.shutdown.is_some_and(|at| Instant::now() >= at);
        (state.operations.values().cloned().collect(), stops)
    }
}

/// Look again and again, until the gateway is gone.
fn watch<T: Watch>(watched: &Weak<Watched<T>>, runtime: Option<&Handle>) {
    let mut idle = Duration::ZERO;
    loop {
        let Some(watched) = watched.upgrade() else { return };
        let (operations, stops) = watched.look(&mut idle);
        drop(watched);
        // One that computes may be the thread that waited for sockets: a task wakes another, which waits in its place.
        if let Some(runtime) = runtime.filter(|_| !operations.is_empty()) {
            drop(runtime.spawn(async {}));
        }
        let now = Instant::now();
        for operation in operations {
            operation.look(now, stops);
        }
        thread::sleep(TICK);
    }
}
