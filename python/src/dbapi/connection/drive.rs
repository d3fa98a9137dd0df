//! Driving the client: with the GIL released, then settled with it held.

use std::sync::atomic::Ordering;

use kecoa::blocking::Client;
use pyo3::prelude::*;

use super::Connection;
use super::link::Link;
use super::signals::{DriveResult, Signals};
use super::update::SessionUpdate;
use crate::convert::codec::{Codec, clean_name};
use crate::errors::error;
use crate::limit;
use crate::names;
use crate::sync::lock;

impl Connection {
    /// Runs `work` on the client with the GIL released, behind what pipelines have queued, then brings
    /// the connection's Python side up to date. A signal handler's exception wins over the answer.
    pub(crate) fn drive<T: Send>(
        slf: &Bound<'_, Connection>,
        work: impl FnOnce(&mut Client, &mut Signals) -> Result<T, kecoa::Error> + Send,
    ) -> DriveResult<T> {
        slf.get().check_idle(slf.py())?;
        Connection::send_queued(slf)?;
        Connection::drive_unqueued(slf, work)
    }

    /// The same in front of what pipelines have queued, for what sends nothing.
    pub(super) fn drive_unqueued<T: Send>(
        slf: &Bound<'_, Connection>,
        work: impl FnOnce(&mut Client, &mut Signals) -> Result<T, kecoa::Error> + Send,
    ) -> DriveResult<T> {
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
    ) -> DriveResult<T> {
        let this = slf.get();
        this.check_idle(slf.py())?;
        let mut busy = false;
        let driven = Connection::drive_own(slf, |link, signals| {
            // Once more, now that the client is held: another thread may have submitted a request.
            busy = lock(&this.state).busy;
            if busy { None } else { work(link, signals) }
        });
        if busy { Err(Connection::polled_elsewhere(slf.py())) } else { driven }
    }

    /// The same for the one who polls the connection.
    pub(super) fn drive_own<T: Send>(
        slf: &Bound<'_, Connection>,
        work: impl FnOnce(&mut Link, &mut Signals) -> Option<Result<T, kecoa::Error>> + Send,
    ) -> DriveResult<T> {
        let py = slf.py();
        let this = slf.get();
        this.executing.fetch_add(1, Ordering::Relaxed);
        let limit = limit::current();
        let (outcome, update, signals) = py.detach(|| {
            let mut link = lock(&this.link);
            let mut signals = Signals::default();
            signals.start(limit);
            let inside = this.reentrancy.enter();
            let outcome = work(&mut link, &mut signals);
            drop(inside);
            let update = SessionUpdate::collect(&mut link, &this.state);
            if lock(&this.state).closed == 1 {
                // By code that ran meanwhile: it could not wait for the statement.
                link.shut();
            }
            (outcome, update, signals)
        });
        this.executing.fetch_sub(1, Ordering::Relaxed);
        if let Some(update) = update {
            this.settle(py, update)?;
        }
        if let Some(outcome) = &outcome {
            this.remember_error(outcome.as_ref().err());
        }
        if let Some(raised) = signals.raised {
            return Err(raised);
        }
        if let Some(raised) = signals.rows.and_then(|rows| rows.raise(py, &this.codec())) {
            return Err(raised);
        }
        if let (true, Some(Err(failed)), Some(limit)) = (signals.expired, &outcome, limit)
            && error::is_interrupted(failed)
        {
            let codec = this.codec();
            return Err(error::timed_out(py, failed, limit, &codec));
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
    pub(crate) fn settle(&self, py: Python<'_>, update: SessionUpdate) -> PyResult<()> {
        if let Some((number, name)) = &update.encoding {
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
        if let Some(standard) = update.standard_strings {
            crate::convert::dump::remember_standard_strings(standard);
        }
        self.deliver(py, &update.notices, update.notifications)
    }

    /// ProgrammingError for what would wait for the statement that it interrupts.
    pub(super) fn refuse_reentry(&self, py: Python<'_>) -> PyResult<()> {
        if !self.reentrancy.is_here() {
            return Ok(());
        }
        Err(names::programming_error(
            py,
            "expected the connection to be left alone while a statement of this thread is under way, found \
             a signal handler, or the file or table of a COPY, that uses it: use another connection",
        ))
    }
}
