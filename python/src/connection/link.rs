//! The client behind a connection: driven with the GIL released, settled with it held.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kecoa::Interrupt;
use kecoa::blocking::{Client, Connecting};
use kecoa_proto::{Notification, RequestId, ServerError, TransactionStatus};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyListMethods};

use super::Connection;
use super::ahead::Ahead;
use super::limits::{self, Limit};
use crate::codec::{Codec, clean_name};
use crate::error::Decoder;
use crate::globals;
use crate::notify;
use crate::report::{self, Style};

/// psycopg2 keeps the last fifty notices.
const MAX_NOTICES: usize = 50;

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
    /// A child process must not say good-bye on its parent's connection.
    pub(crate) pid: u32,
    encoding: String,
    standard_strings: bool,
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

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn patience(&self) -> Option<Duration> {
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
    status: TransactionStatus,
    commits: u64,
    closed: bool,
    notices: Vec<ServerError>,
    notifications: Vec<Notification>,
    encoding: Option<String>,
    standard_strings: Option<bool>,
}

impl Aftermath {
    /// Looks at the client; what did not change is not copied.
    pub(crate) fn collect(link: &mut Link) -> Option<Aftermath> {
        let client = link.client.as_mut()?;
        let encoding = client.parameter("client_encoding").unwrap_or("UTF8");
        let encoding = (encoding != link.encoding).then(|| encoding.to_owned());
        // Without a report (very old servers) backslashes are special.
        let standard = client.parameter("standard_conforming_strings") == Some("on");
        let standard_strings = (standard != link.standard_strings).then_some(standard);
        let aftermath = Aftermath {
            status: client.transaction_status(),
            commits: client.commits(),
            closed: client.is_closed(),
            notices: client.take_notices(),
            notifications: client.take_notifications(),
            encoding,
            standard_strings,
        };
        if let Some(encoding) = &aftermath.encoding {
            link.encoding.clone_from(encoding);
        }
        link.standard_strings = standard;
        Some(aftermath)
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
            link.settle_ahead(signals);
            if signals.raised.is_some() {
                return None;
            }
            // What came before is no part of its time.
            signals.start(limits::current());
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
        let limit = limits::current();
        let (outcome, aftermath, signals) = py.detach(|| {
            let mut link = lock(&this.link);
            let mut signals = Signals::default();
            signals.start(limit);
            let outcome = work(&mut link, &mut signals);
            let aftermath = Aftermath::collect(&mut link);
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
        if let (true, Some(Err(error)), Some(limit)) = (signals.expired, &outcome, limit)
            && crate::error::is_interrupted(error)
        {
            let codec = this.codec();
            return Err(crate::error::timed_out(py, error, limit, &codec));
        }
        match outcome {
            Some(outcome) => Ok(outcome),
            None => Err(globals::get(py)?.exceptions.interface(py, "connection already closed")),
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
        let codec = match &aftermath.encoding {
            Some(name) => Some((clean_name(name), Codec::for_server_name(py, &clean_name(name))?)),
            None => None,
        };
        {
            let mut state = lock(&self.state);
            state.transaction = aftermath.status;
            state.commits = aftermath.commits;
            if aftermath.closed && state.closed == 0 {
                state.closed = 2;
            }
            if let Some((name, codec)) = codec {
                state.encoding = name;
                state.codec = codec.into();
            }
            if let Some(standard) = aftermath.standard_strings {
                state.standard_strings = standard;
                crate::dump::remember_standard_strings(standard);
            }
        }
        if !aftermath.notices.is_empty() {
            self.push_notices(py, &aftermath.notices)?;
        }
        if !aftermath.notifications.is_empty() {
            self.push_notifications(py, &aftermath.notifications)?;
        }
        Ok(())
    }

    fn push_notices(&self, py: Python<'_>, notices: &[ServerError]) -> PyResult<()> {
        let place = lock(&self.objects).notices.as_ref().map(|notices| notices.clone_ref(py));
        let Some(place) = place else { return Ok(()) };
        let place = place.bind(py);
        if place.is_none() {
            return Ok(());
        }
        let codec = lock(&self.state).codec.clone();
        let decoder = Decoder { py, codec: &codec };
        for notice in notices {
            let text = report::format(notice, None, Style::Notice, &decoder);
            place.call_method1("append", (text,))?;
        }
        if let Ok(list) = place.cast::<PyList>()
            && let Some(excess) = list.len().checked_sub(MAX_NOTICES).filter(|excess| *excess > 0)
        {
            list.del_slice(0, excess)?;
        }
        Ok(())
    }

    fn push_notifications(&self, py: Python<'_>, came: &[Notification]) -> PyResult<()> {
        let place = lock(&self.objects).notifies.as_ref().map(|notifies| notifies.clone_ref(py));
        let Some(place) = place.filter(|place| !place.is_none(py)) else { return Ok(()) };
        let codec = lock(&self.state).codec.clone();
        for notification in came {
            let notify = notify::from_server(py, notification, &codec)?;
            place.call_method1(py, "append", (notify,))?;
        }
        Ok(())
    }
}
