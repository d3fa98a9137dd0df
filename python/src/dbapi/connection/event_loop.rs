//! What `kecoa.aio` asks of the connection behind its own: it drives the client by itself.

use std::sync::MutexGuard;
use std::sync::atomic::Ordering;

use kecoa::Canceller;
use kecoa::blocking::Client;
use kecoa::config::Config;
use kecoa_proto::{Notification, ServerError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::Connection;
use super::link::Link;
use super::open::masked;
use super::state::Objects;
use super::update::SessionUpdate;
use crate::convert::parameters::Binding;
use crate::sync::{lock, lock_attached};

/// What the server said without being asked.
#[derive(Default)]
pub(crate) struct Messages {
    pub(crate) notices: Vec<ServerError>,
    pub(crate) notifications: Vec<Notification>,
}

impl Connection {
    /// A connection over a client that has connected.
    pub(crate) fn over<'py>(
        py: Python<'py>,
        client: Client,
        config: &Config,
    ) -> PyResult<Bound<'py, Connection>> {
        let connection = Bound::new(py, Connection::default())?;
        let this = connection.get();
        let objects = Objects {
            string_types: Some(PyDict::new(py).unbind()),
            binary_types: Some(PyDict::new(py).unbind()),
            notices: Some(PyList::empty(py).into_any().unbind()),
            notifies: Some(PyList::empty(py).into_any().unbind()),
            ..Objects::default()
        };
        let old = std::mem::replace(&mut *lock(&this.objects), objects);
        drop(old);
        lock(&this.state).dsn = masked(client.config().unwrap_or(config));
        this.adopt(py, client, Some(config))?;
        // What has to be merged there after all keeps to its values.
        lock(&this.state).binding = Binding::Server;
        Ok(connection)
    }

    /// The client, for as long as the guard lives: for moments only, and never across a call into
    /// Python.
    pub(crate) fn link(&self, py: Python<'_>) -> MutexGuard<'_, Link> {
        lock_attached(py, &self.link)
    }

    /// Brings the Python side up to date after the client was driven. What the server said without
    /// being asked is the caller's, whatever becomes of the rest.
    pub(crate) fn catch_up(&self, py: Python<'_>) -> (Messages, PyResult<()>) {
        let (messages, update) = {
            let mut link = self.link(py);
            let Some(client) = link.client.as_mut() else { return (Messages::default(), Ok(())) };
            let messages = Messages {
                notices: client.take_notices(),
                notifications: client.take_notifications(),
            };
            (messages, SessionUpdate::collect(&mut link, &self.state))
        };
        let settled = update.map_or(Ok(()), |update| self.settle(py, update));
        (messages, settled)
    }

    /// Counts the statements under way, for `info.transaction_status`.
    pub(crate) fn count_statement(&self, begun: bool) {
        if begun {
            self.executing.fetch_add(1, Ordering::Relaxed);
        } else {
            self.executing.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Closes. A connection that was lost counts as lost from then on.
    pub(crate) fn close_link(&self, py: Python<'_>, lost: bool) {
        let was_lost = lock(&self.state).closed == 2;
        self.shut(py);
        if lost || was_lost {
            lock(&self.state).closed = 2;
        }
    }

    /// What it takes to cancel the statement under way.
    pub(crate) fn canceller(&self) -> Option<Canceller> {
        lock(&self.state).canceller.clone()
    }
}
