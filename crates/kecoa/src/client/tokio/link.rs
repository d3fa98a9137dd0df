//! A session that tokio tells when its socket is ready.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker, ready};

use kecoa_proto::{Reply, RequestId};
use tokio::io::unix::AsyncFd;
use tokio::task::{JoinHandle, spawn_blocking};

use super::socket::watch;
use crate::client::inner::InnerClient;
use crate::config::Config;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::observability::spans;
use crate::session::{CopyPolicy, Received, Session};

/// A client whose waits are tokio's.
pub(crate) struct Link {
    /// In a place of its own: pools and futures move clients about.
    pub(super) inner: Box<InnerClient>,
    socket: AsyncFd<OwnedFd>,
    pub(super) leftovers: Leftovers,
}

/// What dropped futures left behind.
#[derive(Default)]
pub(super) struct Leftovers {
    /// Requests whose replies nobody takes.
    pub(super) requests: bool,
    /// The server was asked to cancel them.
    pub(super) cancelled: bool,
    /// The asking.
    pub(super) cancel: Option<JoinHandle<()>>,
    /// A transaction is to be rolled back.
    pub(super) transaction: bool,
}

impl Leftovers {
    pub(super) fn is_nothing(&self) -> bool {
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
    pub(crate) async fn connect(config: &Config) -> Result<Link, Error> {
        let config = config.clone();
        let connect =
            move |hook: &mut dyn Interrupt| InnerClient::connect(&config, hook).map(Box::new);
        let inner = on_a_thread(connect).await?;
        let socket = watch(inner.session_ref())?;
        Ok(Link { inner, socket, leftovers: Leftovers::default() })
    }

    pub(crate) async fn reconnect(&mut self) -> Result<(), Error> {
        self.session().close();
        let connector = self.inner.connector();
        let link = on_a_thread(move |hook| connector.connect(hook)).await?;
        self.inner.adopt(link);
        self.leftovers = Leftovers::default();
        self.socket = watch(self.inner.session_ref())?;
        Ok(())
    }

    pub(crate) fn inner(&mut self) -> &mut InnerClient {
        &mut self.inner
    }

    pub(crate) fn inner_ref(&self) -> &InnerClient {
        &self.inner
    }

    pub(crate) fn session_ref(&self) -> &Session {
        self.inner.session_ref()
    }

    pub(crate) fn session(&mut self) -> &mut Session {
        self.inner.session()
    }

    /// Whether there is something to read, as far as the event loop has told.
    pub(crate) fn may_have_news(&self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.socket.poll_read_ready(&mut cx).is_ready()
    }

    /// Sends what was submitted, without reading.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let session = self.inner.session();
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
    pub(crate) fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        copies: CopyPolicy,
    ) -> Poll<Result<(), Error>> {
        // What does not go out now is tried again when there is room, or something to read.
        let _ = self.poll_send(cx)?;
        let session = self.inner.session();
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
    pub(crate) fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            if self.poll_send(cx)?.is_ready() {
                return Poll::Ready(Ok(()));
            }
            ready!(self.poll_receive(cx, CopyPolicy::Keep))?;
        }
    }

    /// Waits until every request is answered.
    pub(crate) fn poll_answered(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
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
    pub(crate) fn poll_reply(
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
    pub(crate) async fn news(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_receive(cx, CopyPolicy::Refuse)).await?;
        self.session().poll()
    }
}

fn wait_failed(error: std::io::Error) -> Error {
    Error::io("waiting for the socket failed", error)
}
