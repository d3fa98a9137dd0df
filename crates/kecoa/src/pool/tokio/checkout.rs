//! The wait for a connection.

use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::check_in;
use super::tasks::Tasks;
use crate::client::tokio::Client;
use crate::error::Error;
use crate::pool::core::ConnId;
use crate::pool::event::Event;
use crate::pool::pooled::Pooled;
use crate::pool::shared::Shared;
use crate::pool::state::{Waiter, WaiterState};

type Pool = Arc<Shared<Tasks>>;

pub(super) async fn check_out(
    pool: &Pool,
    limit: Option<Duration>,
    taken: &'static Location<'static>,
) -> Result<Pooled<Tasks>, Error> {
    let waiter = pool.change(|state, now| state.add_waiter(now, limit));
    let mut waiting = Waiting { pool, waiter, checked: None, over: false };
    loop {
        let next = pool.lock().poll_waiter(pool.now(), &waiter, taken);
        waiting.over = matches!(next, Ok(WaiterState::Granted(..)) | Err(_));
        match next? {
            WaiterState::Granted(id, client) => return Ok(Pooled::new(pool.clone(), id, client)),
            WaiterState::Check { id, client: None, .. } => pool.checked(id, None, false),
            WaiterState::Check { id, client: Some(client), ask } => {
                waiting.check(id, client, ask).await;
            }
            WaiterState::Waiting(signal) => match waiter.remaining(pool.now()) {
                None => signal.notified().await,
                Some(remaining) => {
                    if timeout(remaining, signal.notified()).await.is_err() {
                        pool.change(|state, now| state.core.tick(now));
                    }
                }
            },
        }
    }
}

/// A caller that waits, and may leave at any time.
struct Waiting<'a> {
    pool: &'a Pool,
    waiter: Waiter,
    /// The connection that it is checking.
    checked: Option<(ConnId, Client)>,
    /// The pool has forgotten it.
    over: bool,
}

impl Waiting<'_> {
    /// Looks at a connection, or asks it, and gives the outcome to the pool.
    async fn check(&mut self, id: ConnId, client: Client, ask: bool) {
        let pool = self.pool;
        let (_, client) = self.checked.insert((id, client));
        let mut outcome = client.poll_session();
        if ask && outcome.is_ok() {
            let ping = ping(pool, client);
            outcome = match self.waiter.remaining(pool.now()) {
                None => ping.await,
                Some(remaining) => timeout(remaining, ping).await.unwrap_or_else(|_| {
                    Err(Error::timeout("a connection that was asked did not answer in time"))
                }),
            };
        }
        if let Err(error) = &outcome {
            pool.options.report(&Event::CheckFailed(error));
        }
        let good = outcome.is_ok() && client.is_at_rest() && !client.is_closed();
        if let Some((id, client)) = self.checked.take() {
            pool.checked(id, Some(client), good);
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        match self.checked.take() {
            // It is in the middle of an answer: nobody may have it before that is over.
            Some((id, client)) => check_in::spawn(self.pool, id, client, Some(self.waiter.id)),
            None if self.over => {}
            None => self.pool.change(|state, now| state.remove_waiter(now, self.waiter.id)),
        }
    }
}

/// Asks a connection whether it is good.
async fn ping(pool: &Shared<Tasks>, client: &mut Client) -> Result<(), Error> {
    match &pool.options.check {
        Some(check) => check(client).await,
        None => client.simple(b"SELECT 1").await.map(drop),
    }
}
