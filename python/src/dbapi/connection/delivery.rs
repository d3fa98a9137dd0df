//! What the server says without being asked, on its way into the lists of the connection.
//!
//! The lists are the program's: it may put any object there whose `append` is a function of its own.
//! What that raises is not the business of the statement that happened to bring the message. It is
//! reported as an exception that nobody can be given, and a notification is offered again later.

use kecoa_proto::{Notification, ServerError};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyListMethods};

use super::Connection;
use crate::dbapi::notify;
use crate::errors::error::Decoder;
use crate::errors::report::{self, Style};
use crate::sync::lock;

/// psycopg2 keeps the last fifty notices.
const MAX_NOTICES: usize = 50;
/// How many notifications wait at most for a list that does not take them; older ones give way.
const MAX_WAITING: usize = 100_000;

/// Reports what a program's own code raised. Ctrl-C and its like are nobody's to keep.
fn report(py: Python<'_>, error: PyErr, place: &Bound<'_, PyAny>) -> PyResult<()> {
    if !error.is_instance_of::<PyException>(py) {
        return Err(error);
    }
    error.write_unraisable(py, Some(place));
    Ok(())
}

impl Connection {
    /// Hands over what came.
    pub(super) fn deliver(
        &self,
        py: Python<'_>,
        notices: &[ServerError],
        notifications: Vec<Notification>,
    ) -> PyResult<()> {
        // First, so that no error keeps them from being kept.
        let waiting = !notifications.is_empty() && {
            let mut waiting = lock(&self.waiting);
            waiting.extend(notifications);
            let excess = waiting.len().saturating_sub(MAX_WAITING);
            waiting.drain(..excess);
            true
        };
        if !notices.is_empty() {
            self.push_notices(py, notices)?;
        }
        if waiting || self.has_waiting() { self.push_notifications(py) } else { Ok(()) }
    }

    fn has_waiting(&self) -> bool {
        !lock(&self.waiting).is_empty()
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
            if let Err(error) = place.call_method1("append", (text,)) {
                report(py, error, place)?;
            }
        }
        if let Ok(list) = place.cast::<PyList>()
            && let Some(excess) = list.len().checked_sub(MAX_NOTICES).filter(|excess| *excess > 0)
        {
            list.del_slice(0, excess)?;
        }
        Ok(())
    }

    fn push_notifications(&self, py: Python<'_>) -> PyResult<()> {
        let place = lock(&self.objects).notifies.as_ref().map(|notifies| notifies.clone_ref(py));
        let codec = lock(&self.state).codec.clone();
        let Some(place) = place.filter(|place| !place.is_none(py)) else {
            lock(&self.waiting).clear();
            return Ok(());
        };
        let place = place.bind(py);
        loop {
            let Some(next) = lock(&self.waiting).pop_front() else { return Ok(()) };
            let given = notify::from_server(py, &next, &codec)
                .and_then(|notify| place.call_method1("append", (notify,)));
            if let Err(error) = given {
                // In its place again, to be offered when the next message or `poll` comes.
                lock(&self.waiting).push_front(next);
                return report(py, error, place);
            }
        }
    }
}
