//! A connection that is checked out.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::shared::Shared;
use crate::client::blocking::Client;
use crate::pool::core::{ConnId, Reason};
use crate::proto::TransactionStatus;

/// A connection of a pool: a [`Client`] that goes back when this is dropped. An open transaction is
/// rolled back then, which takes a round trip.
pub struct Pooled {
    /// There until the drop.
    client: Option<Client>,
    shared: Arc<Shared>,
    id: ConnId,
    /// The session that was checked out: a transaction may have gone on with another.
    session: Option<i32>,
}

impl fmt::Debug for Pooled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pooled").field(&self.client).finish()
    }
}

impl Pooled {
    pub(super) fn new(client: Client, shared: Arc<Shared>, id: ConnId) -> Pooled {
        let session = client.process_id();
        Pooled { client: Some(client), shared, id, session }
    }
}

impl Deref for Pooled {
    type Target = Client;

    #[allow(clippy::expect_used, reason = "only the drop takes it")]
    fn deref(&self) -> &Client {
        self.client.as_ref().expect("a client until the drop")
    }
}

impl DerefMut for Pooled {
    #[allow(clippy::expect_used, reason = "only the drop takes it")]
    fn deref_mut(&mut self) -> &mut Client {
        self.client.as_mut().expect("a client until the drop")
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        if self.shared.is_foreign() {
            // A forked child must not say good-bye on its parent's connection.
            std::mem::forget(client);
            return;
        }
        self.shared.take_back(self.id, client, self.session);
    }
}

/// Makes a client ready for its next user; why it can't be kept, if it can't.
pub(super) fn clean(
    client: &mut Client,
    session: Option<i32>,
    reset: Option<&super::Hook>,
) -> Option<Reason> {
    if client.is_closed() {
        return Some(Reason::Broken);
    }
    // A body that panicked may have left the client anywhere; another session was never configured.
    if std::thread::panicking() || client.process_id() != session {
        return Some(Reason::Reset);
    }
    let mut outcome = Ok(());
    if client.transaction_status() != TransactionStatus::Idle {
        outcome = client.batch("ROLLBACK").map(drop);
    }
    if let Some(reset) = reset {
        outcome = outcome.and_then(|()| reset(client));
    }
    outcome = outcome.and_then(|()| client.poll());
    if client.is_closed() {
        return Some(Reason::Broken);
    }
    (outcome.is_err() || client.transaction_status() != TransactionStatus::Idle)
        .then_some(Reason::Reset)
}
