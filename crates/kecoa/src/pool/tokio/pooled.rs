//! A connection that is checked out, and its way back.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use super::builder::Hook;
use super::shared::Shared;
use crate::client::tokio::Client;
use crate::error::Error;
use crate::pool::core::{ConnId, Reason, WaiterId};
use crate::proto::TransactionStatus;

/// How long it may take to make a connection ready for its next user, before it is given up.
const RESET_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection of a pool: a [`Client`] that goes back when this is dropped, whatever it is in the
/// middle of. What is under way is cancelled then and an open transaction rolled back, in the
/// background; nobody gets the connection before that is over.
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
        let shared = &self.shared;
        let Some(mut client) = shared.dismiss(self.id, client) else { return };
        let reason = if client.is_closed() {
            Some(Reason::Broken)
        } else if std::thread::panicking() || client.process_id() != self.session {
            // A body that panicked may have left the client anywhere; another session was never
            // configured.
            Some(Reason::Reset)
        } else if shared.options.reset.is_none() && client.is_at_rest() {
            ended(&mut client, Ok(()))
        } else {
            let back = Returning::new(shared, self.id, client, None);
            shared.runtime.spawn(back.run());
            return;
        };
        shared.take_back(self.id, client, reason);
    }
}

/// A connection that is made ready for its next user. Whatever becomes of the task that does it, the
/// pool hears of it.
pub(super) struct Returning {
    shared: Arc<Shared>,
    id: ConnId,
    /// There until the pool has heard.
    client: Option<Client>,
    /// Who was asking it whether it is good, and left.
    asking: Option<WaiterId>,
}

impl Returning {
    pub(super) fn new(
        shared: &Arc<Shared>,
        id: ConnId,
        client: Client,
        asking: Option<WaiterId>,
    ) -> Returning {
        Returning { shared: shared.clone(), id, client: Some(client), asking }
    }

    pub(super) async fn run(mut self) {
        let Some(client) = &mut self.client else { return };
        let cleaning = clean(client, self.shared.options.reset.as_ref());
        let reason = match tokio::time::timeout(RESET_TIMEOUT, cleaning).await {
            Ok(reason) => reason,
            Err(_) => Some(Reason::Broken),
        };
        self.report(reason);
    }

    fn report(&mut self, reason: Option<Reason>) {
        let Some(client) = self.client.take() else { return };
        match self.asking {
            None => self.shared.take_back(self.id, client, reason),
            Some(waiter) => {
                let (good, bad) = match reason {
                    None => (Some(client), None),
                    Some(_) => (None, Some(client)),
                };
                self.shared.leave_check(waiter, self.id, good);
                drop(bad);
            }
        }
    }
}

impl Drop for Returning {
    fn drop(&mut self) {
        self.report(Some(Reason::Broken));
    }
}

/// Makes a client ready for its next user; why it can't be kept, if it can't.
async fn clean(client: &mut Client, reset: Option<&Hook>) -> Option<Reason> {
    let mut outcome = client.end_everything().await;
    if let (Ok(()), Some(reset)) = (&outcome, reset) {
        outcome = reset(client).await;
    }
    ended(client, outcome)
}

/// Whether a client is ready, as far as a look at it tells.
fn ended(client: &mut Client, outcome: Result<(), Error>) -> Option<Reason> {
    let outcome = outcome.and_then(|()| client.poll_session());
    if client.is_closed() {
        return Some(Reason::Broken);
    }
    (outcome.is_err() || client.transaction_status() != TransactionStatus::Idle)
        .then_some(Reason::Reset)
}
