//! A connection that is checked out.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::connection::Connection;
use super::core::ConnId;
use super::shared::{Executor, Shared};

/// A connection of a pool: a client that goes back when this is dropped, whatever it is in the middle of.
/// What is under way is ended then and an open transaction rolled back, before anybody else gets the
/// connection: in the background with tokio, else at once, which takes a round trip.
#[must_use = "a connection that is dropped goes back to the pool"]
pub struct Pooled<E: Executor> {
    /// There until the drop.
    client: Option<E::Client>,
    pool: Arc<Shared<E>>,
    id: ConnId,
    /// The session that was checked out: a transaction may have gone on with another.
    session: Option<i32>,
}

impl<E: Executor> Pooled<E> {
    pub(super) fn new(pool: Arc<Shared<E>>, id: ConnId, client: E::Client) -> Pooled<E> {
        let session = client.process_id();
        Pooled { client: Some(client), pool, id, session }
    }
}

impl<E: Executor> fmt::Debug for Pooled<E>
where
    E::Client: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pooled").field(&self.client).finish()
    }
}

impl<E: Executor> Deref for Pooled<E> {
    type Target = E::Client;

    #[allow(clippy::expect_used, reason = "only the drop takes it")]
    fn deref(&self) -> &E::Client {
        self.client.as_ref().expect("a client until the drop")
    }
}

impl<E: Executor> DerefMut for Pooled<E> {
    #[allow(clippy::expect_used, reason = "only the drop takes it")]
    fn deref_mut(&mut self) -> &mut E::Client {
        self.client.as_mut().expect("a client until the drop")
    }
}

impl<E: Executor> Drop for Pooled<E> {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        if self.pool.executor.is_foreign() {
            // A forked child must not say good-bye on its parent's connection.
            std::mem::forget(client);
            return;
        }
        if let Some(client) = self.pool.release_unkept(self.id, client) {
            E::check_in(&self.pool, self.id, client, self.session);
        }
    }
}
