//! What dropped futures left behind: cancelled, drained and rolled back before anything else is sent.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use kecoa_proto::{Request, TransactionStatus};

use super::link::{Leftovers, Link};
use crate::error::Error;
use crate::session::CopyPolicy;

/// How long a cancelled request may take to end before the connection is given up, and after how
/// long the server is asked again: a cancel request that comes before its statement hits nothing.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
const ASK_AGAIN: Duration = Duration::from_secs(1);

impl Link {
    /// Waits until what dropped futures left behind is over.
    pub(crate) async fn ready(&mut self) -> Result<(), Error> {
        if self.leftovers.is_nothing() { Ok(()) } else { self.clear().await }
    }

    /// Whether nothing is under way, open, or left behind.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.leftovers.is_nothing()
            && self.inner.session_ref().pending() == 0
            && self.inner.transaction_status() == TransactionStatus::Idle
    }

    /// Ends what is under way and rolls back what is open: nobody wants it any more.
    pub(crate) async fn end_everything(&mut self) -> Result<(), Error> {
        let session = self.session();
        session.poll()?;
        // What has been answered already need not be cancelled.
        if !session.discard()? && !self.leftovers.cancelled {
            self.leave(true);
        }
        self.leave_transaction();
        self.ready().await
    }

    async fn clear(&mut self) -> Result<(), Error> {
        let started = tokio::time::Instant::now();
        loop {
            if let Some(cancel) = &mut self.leftovers.cancel {
                // How it ended does not matter: the request ends, or it does not.
                let _ = cancel.await;
                self.leftovers.cancel = None;
            }
            if self.session().is_closed() {
                self.leftovers = Leftovers::default();
                return Ok(());
            }
            let cancelled = self.leftovers.cancelled;
            let over = poll_fn(|cx| self.poll_discarded(cx));
            if !cancelled {
                over.await?;
            } else if let Ok(over) = tokio::time::timeout(ASK_AGAIN, over).await {
                over?;
            } else if started.elapsed() < DRAIN_TIMEOUT {
                self.ask_to_cancel();
                continue;
            } else {
                self.session().abandon();
                self.leftovers = Leftovers::default();
                return Err(Error::connection_lost(format!(
                    "the server did not end within {DRAIN_TIMEOUT:?} what it was asked to cancel, so \
                     the connection was closed"
                )));
            }
            self.leftovers.requests = false;
            self.leftovers.cancelled = false;
            if !self.leftovers.transaction {
                return Ok(());
            }
            self.leftovers.transaction = false;
            if self.session().transaction_status() != TransactionStatus::Idle {
                self.session().submit(&Request::Query(b"ROLLBACK"))?;
                self.leftovers.requests = true;
            }
        }
    }

    fn poll_discarded(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            if self.session().discard()? {
                return Poll::Ready(Ok(()));
            }
            ready!(self.poll_receive(cx, CopyPolicy::Keep))?;
        }
    }

    /// Nobody waits any more for what was submitted. It is cancelled, or only drained.
    pub(crate) fn leave(&mut self, cancel: bool) {
        if self.inner.is_closed() {
            return;
        }
        self.leftovers.requests = true;
        if cancel && self.session().pending() > 0 {
            self.leftovers.cancelled = true;
            self.ask_to_cancel();
        }
    }

    /// Nobody ends the transaction any more.
    pub(crate) fn leave_transaction(&mut self) {
        self.leftovers.transaction = true;
    }

    /// Somebody ends the transaction after all.
    pub(crate) fn keep_transaction(&mut self) {
        self.leftovers.transaction = false;
    }

    pub(crate) fn ask_to_cancel(&mut self) {
        let (canceller, runtime) = (self.inner.canceller(), tokio::runtime::Handle::try_current());
        if let (None, Ok(runtime)) = (&self.leftovers.cancel, runtime) {
            self.leftovers.cancel = Some(runtime.spawn_blocking(move || {
                // A server that does not get it goes on, and is waited for.
                let _ = canceller.cancel();
            }));
        }
    }
}
