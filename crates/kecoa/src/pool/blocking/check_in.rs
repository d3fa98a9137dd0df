//! The way back of a connection.

use std::sync::Arc;

use super::discard::discard_session;
use super::opener::configure;
use super::threads::Threads;
use crate::client::blocking::Client;
use crate::pool::connection::{unready, unusable};
use crate::pool::core::{ConnId, Reason};
use crate::pool::shared::Shared;
use crate::proto::TransactionStatus;

/// Whatever a hook unwinds through: the pool hears of the connection.
struct Returning<'a> {
    pool: &'a Arc<Shared<Threads>>,
    id: ConnId,
    /// There until the drop.
    client: Option<Client>,
    /// Why it is not kept.
    reason: Option<Reason>,
}

impl Drop for Returning<'_> {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            self.pool.release(self.id, client, self.reason);
        }
    }
}

pub(super) fn run(pool: &Arc<Shared<Threads>>, id: ConnId, client: Client, session: Option<i32>) {
    let mut back = Returning { pool, id, client: Some(client), reason: Some(Reason::Broken) };
    if let Some(client) = &mut back.client {
        back.reason = unusable(client, session).or_else(|| reset(pool, client));
    }
}

/// Makes a client ready for its next user; why it can't be kept, if it can't.
fn reset(pool: &Shared<Threads>, client: &mut Client) -> Option<Reason> {
    let mut outcome = Ok(());
    if client.transaction_status() != TransactionStatus::Idle {
        outcome = client.batch("ROLLBACK").map(drop);
    }
    outcome = outcome.and_then(|()| match &pool.options.reset {
        Some(reset) => reset(client),
        None if client.is_changed() => {
            discard_session(client)?;
            configure(pool, client)
        }
        None => Ok(()),
    });
    unready(client, outcome)
}
