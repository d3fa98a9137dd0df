//! The wait for a connection.

use std::ops::ControlFlow;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::threads::Threads;
use crate::client::blocking::Client;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::pool::core::ConnId;
use crate::pool::event::Event;
use crate::pool::pooled::Pooled;
use crate::pool::shared::Shared;
use crate::pool::state::{Waiter, WaiterState};
use crate::proto::{Request, TransactionStatus};

type Pool = Arc<Shared<Threads>>;

pub(super) fn check_out(
    pool: &Pool,
    timeout: Option<Duration>,
    taken: &'static Location<'static>,
) -> Result<Pooled<Threads>, Error> {
    let waiter = pool.change(|state, now| state.add_waiter(now, timeout));
    let mut waiting = Waiting { pool, waiter, over: false };
    loop {
        let mut state = pool.lock();
        let next = state.poll_waiter(pool.now(), &waiter, taken);
        waiting.over = matches!(next, Ok(WaiterState::Granted(..)) | Err(_));
        match next? {
            WaiterState::Granted(id, client) => return Ok(Pooled::new(pool.clone(), id, client)),
            WaiterState::Check { id, client, ask } => {
                drop(state);
                check(pool, id, client, ask.then(|| waiter.remaining(pool.now())));
            }
            WaiterState::Waiting(signal) => match waiter.remaining(pool.now()) {
                Some(Duration::ZERO) => {
                    drop(state);
                    pool.change(|state, now| state.core.tick(now));
                }
                Some(remaining) => drop(signal.wait_timeout(state, remaining)),
                None => drop(signal.wait(state)),
            },
        }
    }
}

/// A caller that waits.
struct Waiting<'a> {
    pool: &'a Pool,
    waiter: Waiter,
    /// The pool has forgotten it.
    over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.pool.change(|state, now| state.remove_waiter(now, self.waiter.id));
        }
    }
}

/// A connection that is checked for a waiter. Whatever a hook unwinds through: the pool hears of it.
struct Checked<'a> {
    pool: &'a Pool,
    id: ConnId,
    client: Option<Client>,
    good: bool,
}

impl Drop for Checked<'_> {
    fn drop(&mut self) {
        self.pool.checked(self.id, self.client.take(), self.good);
    }
}

/// Looks at a connection, or asks it within a time, and gives the outcome to the pool.
fn check(pool: &Pool, id: ConnId, client: Option<Client>, ask: Option<Option<Duration>>) {
    let mut checked = Checked { pool, id, client, good: false };
    if let Some(client) = &mut checked.client {
        let mut outcome = client.poll();
        if let Some(within) = ask {
            outcome = outcome.and_then(|()| match &pool.options.check {
                Some(check) => check(client),
                None => ping(client, within),
            });
        }
        if let Err(error) = &outcome {
            pool.options.report(&Event::CheckFailed(error));
        }
        let idle = client.transaction_status() == TransactionStatus::Idle;
        checked.good = outcome.is_ok() && idle && !client.is_closed();
    }
}

/// Asks a connection whether it is good. One that does not answer in time is given up: to cancel what it
/// was asked would take as long again.
fn ping(client: &mut Client, within: Option<Duration>) -> Result<(), Error> {
    let Some(within) = within else {
        return client.batch("SELECT 1").map(drop);
    };
    let mut limit = Limit { since: Instant::now(), within };
    client.run(&Request::Query(b"SELECT 1"), &mut limit).map(drop)
}

/// The time that a waiter has left.
struct Limit {
    since: Instant,
    within: Duration,
}

impl Limit {
    fn left(&self) -> Duration {
        self.within.saturating_sub(self.since.elapsed())
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
