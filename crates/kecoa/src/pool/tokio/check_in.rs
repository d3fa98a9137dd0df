//! The way back of a connection.

use std::sync::Arc;
use std::time::Duration;

use super::discard::discard_session;
use super::opener::configure;
use super::tasks::Tasks;
use crate::client::tokio::Client;
use crate::error::Error;
use crate::pool::connection::{unready, unusable};
use crate::pool::core::{ConnId, Reason, WaiterId};
use crate::pool::shared::Shared;

/// How long it may take to make a connection ready for its next user, before it is given up.
const RESET_TIMEOUT: Duration = Duration::from_secs(30);

/// At once where nothing is to be waited for, else in the background.
pub(super) fn run(pool: &Arc<Shared<Tasks>>, id: ConnId, mut client: Client, session: Option<i32>) {
    let reason = match unusable(&client, session) {
        Some(reason) => Some(reason),
        None if pool.options.reset.is_none() && client.is_at_rest() && !client.is_changed() => {
            // Who takes one that is at rest looks at the socket; who waits for one does not.
            let is_looked_at = client.may_have_news() || pool.lock().core.waiting() > 0;
            if is_looked_at { unready(&mut client, Ok(())) } else { None }
        }
        None => return spawn(pool, id, client, None),
    };
    pool.release(id, client, reason);
}

/// Makes a connection ready in the background. `checking` is the waiter that was checking it, and left.
pub(super) fn spawn(
    pool: &Arc<Shared<Tasks>>,
    id: ConnId,
    client: Client,
    checking: Option<WaiterId>,
) {
    let returning = Returning { pool: pool.clone(), id, client: Some(client), checking };
    pool.executor.runtime.spawn(returning.run());
}

/// Whatever becomes of its task, the pool hears of the connection.
struct Returning {
    pool: Arc<Shared<Tasks>>,
    id: ConnId,
    /// There until the pool has heard.
    client: Option<Client>,
    checking: Option<WaiterId>,
}

impl Returning {
    async fn run(mut self) {
        let Some(client) = &mut self.client else { return };
        let reset = reset(&self.pool, client);
        let reason = match tokio::time::timeout(RESET_TIMEOUT, reset).await {
            Ok(reason) => reason,
            Err(_) => Some(Reason::Broken),
        };
        self.finish(reason);
    }

    fn finish(&mut self, reason: Option<Reason>) {
        let Some(client) = self.client.take() else { return };
        let (pool, id) = (&self.pool, self.id);
        let Some(waiter) = self.checking else {
            return pool.release(id, client, reason);
        };
        let (good, bad) =
            if reason.is_none() { (Some(client), None) } else { (None, Some(client)) };
        pool.change(|state, now| state.remove_checking_waiter(now, waiter, id, good));
        drop(bad);
    }
}

impl Drop for Returning {
    fn drop(&mut self) {
        self.finish(Some(Reason::Broken));
    }
}

/// Undoes what the last user has changed of the session.
async fn renew(pool: &Shared<Tasks>, client: &mut Client) -> Result<(), Error> {
    discard_session(client).await?;
    configure(pool, client).await
}

/// Makes a client ready for its next user; why it can't be kept, if it can't.
async fn reset(pool: &Shared<Tasks>, client: &mut Client) -> Option<Reason> {
    let mut outcome = client.end_everything().await;
    if outcome.is_ok() {
        outcome = match &pool.options.reset {
            Some(reset) => reset(client).await,
            None if client.is_changed() => renew(pool, client).await,
            None => Ok(()),
        };
    }
    unready(client, outcome)
}
