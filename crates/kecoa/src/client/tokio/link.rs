//! A session that tokio tells when its socket is ready.

use std::future::poll_fn;
use std::ops::{ControlFlow, Deref, DerefMut};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use kecoa_proto::{Parameter, Reply, Request, RequestId, TransactionStatus};
use tokio::io::unix::AsyncFd;
use tokio::task::{JoinHandle, spawn_blocking};

use super::socket::watch;
use crate::client::blocking;
use crate::config::Config;
use crate::error::Error;
use crate::interrupt::{Interrupt, Never};
use crate::observability::spans;
use crate::row::ResultSet;
use crate::session::call::{self, CallRequest, PendingCall, Settled};
use crate::session::extended::Encoded;
use crate::session::statement;
use crate::session::{CopyPolicy, Received, Session};

/// How long a cancelled request may take to end before the connection is given up, and after how
/// long the server is asked again: a cancel request that comes before its statement hits nothing.
const PATIENCE: Duration = Duration::from_secs(10);
const ASK_AGAIN: Duration = Duration::from_secs(1);

pub(crate) struct Link {
    client: blocking::Client,
    socket: AsyncFd<OwnedFd>,
    left: Left,
}

/// What dropped futures left behind.
#[derive(Default)]
struct Left {
    /// Requests whose replies nobody takes.
    requests: bool,
    /// The server was asked to cancel them.
    cancelled: bool,
    /// The asking.
    cancel: Option<JoinHandle<()>>,
    /// A transaction is to be rolled back.
    transaction: bool,
}

impl Left {
    fn is_nothing(&self) -> bool {
        !self.requests && !self.transaction && self.cancel.is_none()
    }
}

/// Ends a connection in the making whose future is dropped.
struct Wanted(Arc<AtomicBool>);

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Runs what waits by itself on a thread of its own; its hook breaks when the future is dropped.
async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce(&mut dyn Interrupt) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let wanted = Arc::new(AtomicBool::new(true));
    let seen = wanted.clone();
    let _guard = Wanted(wanted);
    let span = spans::current();
    let working = spawn_blocking(move || {
        let mut hook = || match seen.load(Ordering::Relaxed) {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        };
        span.in_scope(|| work(&mut hook))
    });
    match working.await {
        Ok(result) => result,
        Err(error) => Err(Error::connect("the runtime ended while connecting").with_source(error)),
    }
}

impl Link {
    pub(super) async fn connect(config: &Config) -> Result<Link, Error> {
        let config = config.clone();
        let client = on_a_thread(move |hook| blocking::Client::connect_with(&config, hook)).await?;
        let socket = watch(&client)?;
        Ok(Link { client, socket, left: Left::default() })
    }

    pub(super) async fn reconnect(&mut self) -> Result<(), Error> {
        self.session().close();
        let connector = self.client.connector();
        let link = on_a_thread(move |hook| connector.connect(hook)).await?;
        self.client.adopt(link);
        self.left = Left::default();
        self.socket = watch(&self.client)?;
        Ok(())
    }

    pub(super) fn client(&mut self) -> &mut blocking::Client {
        &mut self.client
    }

    pub(super) fn client_ref(&self) -> &blocking::Client {
        &self.client
    }

    pub(crate) fn session(&mut self) -> &mut Session {
        self.client.session()
    }

    // Waiting.

    /// Sends what was submitted, without reading.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let session = self.client.session();
        if session.try_send()?.is_none() {
            return Poll::Ready(Ok(()));
        }
        loop {
            let mut guard = ready!(self.socket.poll_write_ready(cx)).map_err(wait_failed)?;
            if session.try_send()?.is_none() {
                return Poll::Ready(Ok(()));
            }
            guard.clear_ready();
        }
    }

    /// Sends what was submitted as far as it goes, and reads something. A caller whose replies
    /// come one by one has a place for COPY.
    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        copies: CopyPolicy,
    ) -> Poll<Result<(), Error>> {
        // What does not go out now is tried again when there is room, or something to read.
        let _ = self.poll_send(cx)?;
        let session = self.client.session();
        loop {
            let mut guard = ready!(self.socket.poll_read_ready(cx)).map_err(wait_failed)?;
            let received = session.receive_now(copies)?;
            match received {
                Received::Nothing => guard.clear_ready(),
                Received::All => {
                    guard.clear_ready();
                    return Poll::Ready(Ok(()));
                }
                Received::Some => return Poll::Ready(Ok(())),
            }
        }
    }

    /// Sends what was submitted. What the server says meanwhile is read, or both sides would wait
    /// for each other.
    pub(super) fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            if self.poll_send(cx)?.is_ready() {
                return Poll::Ready(Ok(()));
            }
            ready!(self.poll_receive(cx, CopyPolicy::Keep))?;
        }
    }

    /// Waits until every request is answered.
    fn poll_answered(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            if self.session().has_answered() {
                return Poll::Ready(Ok(()));
            }
            ready!(self.poll_receive(cx, CopyPolicy::Refuse))?;
            if self.session().excess_to_cancel() {
                self.ask_to_cancel();
            }
        }
    }

    /// The next reply of a request whose replies are taken as they come.
    pub(super) fn poll_reply(
        &mut self,
        cx: &mut Context<'_>,
        request: RequestId,
    ) -> Poll<Result<Reply, Error>> {
        loop {
            if let Some(reply) = self.session().buffered_reply(request)? {
                return Poll::Ready(Ok(reply));
            }
            ready!(self.poll_receive(cx, CopyPolicy::Keep))?;
        }
    }

    /// Waits for something that nobody asked for.
    pub(super) async fn news(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_receive(cx, CopyPolicy::Refuse)).await?;
        self.session().poll()
    }

    // Futures that are dropped.

    /// Waits until what dropped futures left behind is over.
    pub(crate) async fn ready(&mut self) -> Result<(), Error> {
        if self.left.is_nothing() { Ok(()) } else { self.clear().await }
    }

    /// Whether nothing is under way, open, or left behind.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.left.is_nothing()
            && self.client.session_ref().pending() == 0
            && self.client.transaction_status() == TransactionStatus::Idle
    }

    /// Ends what is under way and rolls back what is open: nobody wants it any more.
    pub(crate) async fn end_everything(&mut self) -> Result<(), Error> {
        let session = self.session();
        session.poll()?;
        // What has been answered already need not be cancelled.
        if !session.discard()? && !self.left.cancelled {
            self.leave(true);
        }
        self.leave_transaction();
        self.ready().await
    }

    async fn clear(&mut self) -> Result<(), Error> {
        let started = tokio::time::Instant::now();
        loop {
            if let Some(cancel) = &mut self.left.cancel {
                // How it ended does not matter: the request ends, or it does not.
                let _ = cancel.await;
                self.left.cancel = None;
            }
            if self.session().is_closed() {
                self.left = Left::default();
                return Ok(());
            }
            let cancelled = self.left.cancelled;
            let over = poll_fn(|cx| self.poll_discarded(cx));
            if !cancelled {
                over.await?;
            } else if let Ok(over) = tokio::time::timeout(ASK_AGAIN, over).await {
                over?;
            } else if started.elapsed() < PATIENCE {
                self.ask_to_cancel();
                continue;
            } else {
                self.session().abandon();
                self.left = Left::default();
                return Err(Error::connection_lost(format!(
                    "the server did not end within {PATIENCE:?} what it was asked to cancel, so \
                     the connection was closed"
                )));
            }
            self.left.requests = false;
            self.left.cancelled = false;
            if !self.left.transaction {
                return Ok(());
            }
            self.left.transaction = false;
            if self.session().transaction_status() != TransactionStatus::Idle {
                self.session().submit(&Request::Query(b"ROLLBACK"))?;
                self.left.requests = true;
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
    pub(super) fn leave(&mut self, cancel: bool) {
        if self.client.is_closed() {
            return;
        }
        self.left.requests = true;
        if cancel && self.session().pending() > 0 {
            self.left.cancelled = true;
            self.ask_to_cancel();
        }
    }

    /// Nobody ends the transaction any more.
    pub(super) fn leave_transaction(&mut self) {
        self.left.transaction = true;
    }

    /// Somebody ends the transaction after all.
    pub(super) fn keep_transaction(&mut self) {
        self.left.transaction = false;
    }

    fn ask_to_cancel(&mut self) {
        let (canceller, runtime) = (self.client.canceller(), tokio::runtime::Handle::try_current());
        if let (None, Ok(runtime)) = (&self.left.cancel, runtime) {
            self.left.cancel = Some(runtime.spawn_blocking(move || {
                // A server that does not hear of it goes on, and is waited for.
                let _ = canceller.cancel();
            }));
        }
    }

    // Requests.

    /// Guards a request that was submitted.
    pub(super) fn fly(&mut self, call: Option<PendingCall>) -> Flight<'_> {
        Flight { link: self, call, landed: false }
    }

    /// Runs a program's statement with parameters.
    pub(super) async fn call(
        &mut self,
        begin: Option<&[u8]>,
        sql: &str,
        encoded: &Encoded,
    ) -> Result<ResultSet, Error> {
        let span = spans::statement(self.session(), sql.as_bytes());
        spans::follow(span, self.bound(begin, sql, encoded)).await
    }

    async fn bound(
        &mut self,
        begin: Option<&[u8]>,
        sql: &str,
        encoded: &Encoded,
    ) -> Result<ResultSet, Error> {
        self.ready().await?;
        let parameters: Vec<Parameter<'_>> = encoded.parameters();
        let request = encoded.request(begin, sql, &parameters);
        let session = self.session();
        let plan = call::plan(session, request.sql, request.types);
        let pending = call::submit(session, plan, &request)?;
        self.finish(pending, &request).await
    }

    pub(super) async fn finish(
        &mut self,
        mut pending: PendingCall,
        request: &CallRequest<'_>,
    ) -> Result<ResultSet, Error> {
        loop {
            let mut flight = self.fly(Some(pending));
            flight.answered().await?;
            let Some(landed) = flight.land() else {
                return Err(Error::unexpected("expected a call in flight, found none"));
            };
            match call::settle(self.session(), landed, request, &mut Never)? {
                Settled::Done(set) => return Ok(set),
                Settled::Again(again) => pending = again,
            }
        }
    }

    /// Runs a program's statements without parameters.
    pub(super) async fn batch(&mut self, sql: &str) -> Result<Vec<ResultSet>, Error> {
        let span = spans::statement(self.session(), sql.as_bytes());
        spans::follow(span, self.simple(sql.as_bytes())).await
    }

    /// Runs statements without parameters.
    pub(crate) async fn simple(&mut self, sql: &[u8]) -> Result<Vec<ResultSet>, Error> {
        self.ready().await?;
        let id = self.session().submit(&Request::Query(sql))?;
        self.results(id).await
    }

    /// The results of a submitted request.
    pub(super) async fn results(&mut self, id: RequestId) -> Result<Vec<ResultSet>, Error> {
        let mut flight = self.fly(None);
        flight.answered().await?;
        flight.land();
        statement::finish_request(self.session(), id, &mut Never)
    }
}

/// A request whose future may be dropped before it is answered.
pub(super) struct Flight<'a> {
    link: &'a mut Link,
    call: Option<PendingCall>,
    landed: bool,
}

impl Flight<'_> {
    pub(super) async fn answered(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.link.poll_answered(cx)).await
    }

    pub(super) async fn reply(&mut self, request: RequestId) -> Result<Reply, Error> {
        poll_fn(|cx| self.link.poll_reply(cx, request)).await
    }

    /// The request is over, or looked after by somebody else.
    pub(super) fn land(mut self) -> Option<PendingCall> {
        self.landed = true;
        self.call.take()
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if self.landed {
            return;
        }
        if let Some(call) = self.call.take() {
            call.forget(self.link.session());
        }
        self.link.leave(true);
    }
}

impl Deref for Flight<'_> {
    type Target = Link;

    fn deref(&self) -> &Link {
        self.link
    }
}

impl DerefMut for Flight<'_> {
    fn deref_mut(&mut self) -> &mut Link {
        self.link
    }
}

fn wait_failed(error: std::io::Error) -> Error {
    Error::io("waiting for the socket failed", error)
}
