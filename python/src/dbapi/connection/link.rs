//! The client behind a connection: driven with the GIL released, settled with it held.

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use kecoa::Interrupt;
use kecoa::blocking::{Client, Connecting};
use kecoa_proto::{Notification, RequestId, ServerError, TransactionStatus};
use pyo3::prelude::*;

use super::ahead::Ahead;
use super::gathered::{Failed, Gathered};
use super::{Connection, STATUS_BEGIN, STATUS_READY, State};
use crate::convert::codec::{Codec, clean_name};
use crate::limit::{self, Limit};
use crate::names;
use crate::sync::lock;

/// The socket and the process that opened it. Held, with the GIL released, for as long as a
/// statement runs: this is what makes connections safe to share between threads.
#[derive(Default)]
pub(crate) struct Link {
    pub(crate) client: Option<Client>,
    /// A connection in the making.
    pub(super) connecting: Option<Connecting>,
    /// The request that is polled.
    pub(super) request: Option<RequestId>,
    pub(super) ahead: Option<Ahead>,
    pub(super) gathered: Option<Gathered>,
    /// A child process must not say good-bye on its parent's connection.
    pub(crate) pid: u32,
    encoding: String,
    /// How often the encoding changed.
    encodings: u64,
    standard_strings: bool,
}

impl Link {
    /// Closes what is open.
    pub(super) fn shut(&mut self) {
        self.connecting = None;
        if self.gathered.is_some() && self.pid == std::process::id() {
            // Where statements commit by themselves they are there when the connection is not.
            let mut signals = Signals::default();
            self.settle_all(&mut signals);
        }
        self.ahead = None;
        let pid = self.pid;
        if let Some(client) = self.client.take() {
            if pid == std::process::id() {
                drop(client);
            } else {
                std::mem::forget(client);
            }
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(client) = self.client.take()
            && self.pid != std::process::id()
        {
            std::mem::forget(client);
        }
    }
}

/// Lets Python's signal handlers run while a statement waits.
#[derive(Default)]
pub(crate) struct Signals {
    /// What a handler raised.
    raised: Option<PyErr>,
    /// When the statement has taken too long.
    deadline: Option<Instant>,
    /// It has.
    expired: bool,
    /// Rows that had to be sent first have failed.
    rows: Option<Failed>,
}

impl Signals {
    /// Whether the time is up.
    pub(crate) fn has_expired(&self) -> bool {
        self.expired
    }

    /// Whether a handler raised something.
    pub(super) fn has_raised(&self) -> bool {
        self.raised.is_some()
    }

    /// From now on the time of a request runs.
    pub(super) fn start(&mut self, limit: Option<Limit>) {
        self.deadline = limit.and_then(|limit| Instant::now().checked_add(limit.time));
        self.expired = false;
    }

    /// What a handler raised, if one did.
    pub(crate) fn into_raised(self) -> Option<PyErr> {
        self.raised
    }
}

impl Interrupt for Signals {
    fn timeout(&self) -> Option<Duration> {
        Some(self.deadline?.saturating_duration_since(Instant::now()))
    }

    fn check(&mut self) -> ControlFlow<()> {
        if self.raised.is_some() {
            return ControlFlow::Break(());
        }
        match Python::try_attach(|py| py.check_signals()) {
            Some(Err(error)) => {
                self.raised = Some(error);
                ControlFlow::Break(())
            }
            // None: the interpreter is going away; the wait ends with it.
            Some(Ok(())) | None => {
                self.expired = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
                if self.expired { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            }
        }
    }
}

/// What a statement left behind for Python to see.
pub(crate) struct Aftermath {
    notices: Vec<ServerError>,
    notifications: Vec<Notification>,
    encoding: Option<(u64, String)>,
    standard_strings: Option<bool>,
}

impl Aftermath {
    /// Looks at the client. What needs no Python is brought up to date at once, while the client is
    /// held: of two threads the one that comes to the interpreter later may have come here first.
    pub(crate) fn collect(link: &mut Link, state: &Mutex<State>) -> Option<Aftermath> {
        let client = link.client.as_mut()?;
        let encoding = client.parameter("client_encoding").unwrap_or("UTF8");
        let changed = encoding != link.encoding;
        if changed {
            link.encoding = encoding.to_owned();
            link.encodings += 1;
        }
        // Without a report (very old servers) backslashes are special.
        let standard = client.parameter("standard_conforming_strings") == Some("on");
        let standard_strings = (standard != link.standard_strings).then_some(standard);
        link.standard_strings = standard;
        let mut state = lock(state);
        state.transaction = client.transaction_status();
        if state.status == STATUS_BEGIN
            && state.transaction == TransactionStatus::Idle
            && client.was_ended_by_server()
        {
            // What follows is a transaction of its own. One that a statement of the program ended counts
            // as begun still, as in psycopg2: programs run COMMIT and then CREATE DATABASE.
            state.status = STATUS_READY;
            state.mark += 1;
        }
        state.commits = client.commits();
        if client.is_closed() && state.closed == 0 {
            state.closed = 2;
        }
        state.standard_strings = standard;
        drop(state);
        Some(Aftermath {
            notices: client.take_notices(),
            notifications: client.take_notifications(),
            encoding: changed.then(|| (link.encodings, link.encoding.clone())),
            standard_strings,
        })
    }
}

/// A statement's outcome: the client's answer, or an exception of Python's own that came between.
pub(crate) type Driven<T> = PyResult<Result<T, kecoa::Error>>;

impl Connection {
    /// Runs `work` on the client with the GIL released, then brings the connection's Python side
    /// up to date. A signal handler's exception wins over the answer.
    pub(crate) fn drive<T: Send>(
        slf: &Bound<'_, Connection>,
        work: impl FnOnce(&mut Client, &mut Signals) -> Result<T, kecoa::Error> + Send,
    ) -> Driven<T> {
        Connection::drive_link(slf, |link, signals| {
            signals.rows = link.settle_all(signals);
            if signals.raised.is_some() || signals.rows.is_some() {
                return None;
            }
            // What came before is no part of its time.
            signals.start(limit::current());
            link.client.as_mut().map(|client| work(client, signals))
        })
    }

    /// The same with the whole link; `work` gives nothing when the connection is closed.
    pub(super) fn drive_link<T: Send>(
        slf: &Bound<'_, Connection>,
        work: impl FnOnce(&mut Link, &mut Signals) -> Option<Result<T, kecoa::Error>> + Send,
    ) -> Driven<T> {
        let py = slf.py();
        let this = slf.get();
        this.check_idle(py)?;
        this.executing.fetch_add(1, Ordering::Relaxed);
        let limit = limit::current();
        let (outcome, aftermath, signals) = py.detach(|| {
            let mut link = lock(&this.link);
            let mut signals = Signals::default();
            signals.start(limit);
            let inside = this.within.enter();
            let outcome = work(&mut link, &mut signals);
            drop(inside);
            let aftermath = Aftermath::collect(&mut link, &this.state);
            if lock(&this.state).closed == 1 {
                // By code that ran meanwhile: it could not wait for the statement.
                link.shut();
            }
            (outcome, aftermath, signals)
        });
        this.executing.fetch_sub(1, Ordering::Relaxed);
        if let Some(aftermath) = aftermath {
            this.settle(py, aftermath)?;
        }
        if let Some(outcome) = &outcome {
            this.remember_error(outcome.as_ref().err());
        }
        if let Some(raised) = signals.raised {
            return Err(raised);
        }
        if let Some(raised) = signals.rows.and_then(|rows| rows.raise(slf)) {
            return Err(raised);
        }
        if let (true, Some(Err(error)), Some(limit)) = (signals.expired, &outcome, limit)
            && crate::errors::error::is_interrupted(error)
        {
            let codec = this.codec();
            return Err(crate::errors::error::timed_out(py, error, limit, &codec));
        }
        match outcome {
            Some(outcome) => Ok(outcome),
            None => Err(names::interface_error(py, "connection already closed")),
        }
    }

    /// Keeps what `info.error_message` says: the error of the last request, if it had one.
    pub(crate) fn remember_error(&self, error: Option<&kecoa::Error>) {
        let message = error.map(ToString::to_string);
        let mut state = lock(&self.state);
        if message.is_some() || state.last_error.is_some() {
            state.last_error = message;
        }
    }

    /// Takes over what a statement left behind.
    pub(crate) fn settle(&self, py: Python<'_>, aftermath: Aftermath) -> PyResult<()> {
        if let Some((number, name)) = &aftermath.encoding {
            let name = clean_name(name);
            let codec = Codec::in_force(py, &name);
            let mut state = lock(&self.state);
            // Another thread may have brought a later one.
            if *number > state.encodings {
                state.encodings = *number;
                state.encoding = name;
                state.codec = codec.into();
            }
        }
        if let Some(standard) = aftermath.standard_strings {
            crate::convert::dump::remember_standard_strings(standard);
        }
        self.deliver(py, &aftermath.notices, aftermath.notifications)
    }
}
