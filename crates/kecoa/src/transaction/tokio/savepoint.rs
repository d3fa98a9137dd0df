//! A part of a transaction that can be undone by itself.

use super::body::{BoxFuture, SavepointBody};
use super::transaction::Transaction;
use crate::error::Error;
use crate::transaction::state::Savepoint;

impl<'t> Transaction<'t> {
    /// Runs the body behind a savepoint: what it did is undone when it returns an error, and the
    /// transaction goes on. An error that asks for a retry of the whole transaction (SQLSTATE
    /// 40001) has undone all of it: return it.
    ///
    /// ```
    /// # kecoa::example::asynchronous(async |client| {
    /// client.transaction(async |tx| {
    ///     tx.execute("UPDATE accounts SET balance = balance - 1 WHERE id = 1", &[]).await?;
    ///     let twice = tx.savepoint(async |tx| {
    ///         tx.execute("INSERT INTO accounts VALUES (1, 0)", &[]).await
    ///     }).await;
    ///     assert_eq!(twice.unwrap_err().sqlstate(), Some("23505"));
    ///     tx.execute("UPDATE accounts SET balance = balance + 1 WHERE id = 2", &[]).await
    /// }).await?;
    /// # Ok(()) });
    /// ```
    ///
    /// The future is `Send`, so the body's has to be; [`savepoint_local`](Self::savepoint_local) takes
    /// any other.
    ///
    /// # Errors
    /// The body's; the server's about the savepoint.
    pub fn savepoint<'b, T: Send + 'b, E: From<Error> + Send + 'b>(
        &'b mut self,
        body: impl AsyncFnOnce(&mut Transaction<'t>) -> Result<T, E>
        + for<'x> SavepointBody<'x, 't, T, E>
        + 'b,
    ) -> BoxFuture<'b, Result<T, E>> {
        Box::pin(async move {
            let savepoint = self.set_savepoint().await?;
            let result = body.run(self).await;
            self.end_savepoint(savepoint, result).await
        })
    }

    /// [`savepoint`](Self::savepoint) with a body whose future need not be `Send`.
    ///
    /// # Errors
    /// As [`savepoint`](Self::savepoint).
    pub async fn savepoint_local<T, E: From<Error>>(
        &mut self,
        body: impl AsyncFnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let savepoint = self.set_savepoint().await?;
        let result = body(self).await;
        self.end_savepoint(savepoint, result).await
    }

    async fn set_savepoint(&mut self) -> Result<Savepoint, Error> {
        let savepoint = Savepoint::new(&self.state);
        self.batch(&savepoint.make()).await?;
        self.state.depth += 1;
        Ok(savepoint)
    }

    async fn end_savepoint<T, E: From<Error>>(
        &mut self,
        savepoint: Savepoint,
        result: Result<T, E>,
    ) -> Result<T, E> {
        self.state.depth -= 1;
        match result {
            Ok(value) => {
                self.batch(&savepoint.release()).await?;
                Ok(value)
            }
            Err(error) => {
                // Where going back fails the transaction has failed, and says so at its end.
                if self.state.is_usable(self.link.session_ref()) {
                    let undone = self.link.simple(savepoint.undo().as_bytes()).await.is_ok();
                    self.state.undone(self.link.session_ref(), undone, &savepoint);
                }
                Err(error)
            }
        }
    }
}
