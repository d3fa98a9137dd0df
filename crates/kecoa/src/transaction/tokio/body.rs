//! What a body of a transaction is, so that the future around it is `Send`.
//!
//! `AsyncFnMut` cannot say that the futures it gives are `Send`, and the compiler cannot find it out for
//! a future that is handed to `tokio::spawn` ("implementation of `Send` is not general enough"). These
//! traits say it where the closure is written, for every lifetime of the transaction that it borrows.

use std::future::Future;
use std::pin::Pin;

use super::transaction::Transaction;

/// A boxed future that may be sent to another thread.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What [`Client::transaction`](crate::Client::transaction) runs, once or more: `async |tx| …`
/// or an `async fn`, whose future is `Send`.
///
/// There is nothing to implement. A closure that is not taken keeps something that is not `Send` or
/// `Sync` over an `.await`, or writes to a variable outside of it (`count += 1`): use an atomic, or
/// [`transaction_local`](crate::Client::transaction_local), which takes every closure.
#[diagnostic::on_unimplemented(
    message = "the body of this transaction cannot be sent to another thread",
    note = "its future has to be `Send`, and it may not write to variables outside of it; \
            `transaction_local` takes every other body"
)]
pub trait TransactionBody<'x, 'c, T, E, Within = &'x &'c ()>: Send {
    /// The body's future.
    type Future: Future<Output = Result<T, E>> + Send;

    /// Runs the body.
    fn run(&mut self, transaction: &'x mut Transaction<'c>) -> Self::Future;
}

impl<'x, 'c, T, E, F, Work> TransactionBody<'x, 'c, T, E> for F
where
    F: FnMut(&'x mut Transaction<'c>) -> Work + Send,
    Work: Future<Output = Result<T, E>> + Send,
{
    type Future = Work;

    fn run(&mut self, transaction: &'x mut Transaction<'c>) -> Work {
        self(transaction)
    }
}

/// What [`Transaction::savepoint`] runs: `async |tx| …` or an `async fn`, whose future is `Send`. There is
/// nothing to implement.
#[diagnostic::on_unimplemented(
    message = "the body of this savepoint cannot be sent to another thread",
    note = "its future has to be `Send`; `savepoint_local` takes every other body"
)]
pub trait SavepointBody<'x, 'c, T, E, Within = &'x &'c ()>: Send {
    /// The body's future.
    type Future: Future<Output = Result<T, E>> + Send;

    /// Runs the body.
    fn run(self, transaction: &'x mut Transaction<'c>) -> Self::Future;
}

impl<'x, 'c, T, E, F, Work> SavepointBody<'x, 'c, T, E> for F
where
    F: FnOnce(&'x mut Transaction<'c>) -> Work + Send,
    Work: Future<Output = Result<T, E>> + Send,
{
    type Future = Work;

    fn run(self, transaction: &'x mut Transaction<'c>) -> Work {
        self(transaction)
    }
}
