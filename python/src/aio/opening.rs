//! Connecting without making the event loop wait.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use kecoa::Interrupt;
use kecoa::blocking::Client;
use kecoa::config::Config;
use pyo3::prelude::*;

use super::thread::call_in_loop;
use crate::dbapi::connection::Connection;
use crate::errors::error;
use crate::names;
use crate::sync::lock;

type Outcome = Arc<Mutex<Option<Result<Client, kecoa::Error>>>>;

/// A connection that is being made, on a thread that ends when it is: names are resolved, files
/// read and passwords hashed there, and none of it holds the event loop up.
#[pyclass(frozen, module = "kecoa._kecoa")]
pub(crate) struct AsyncOpening {
    config: Config,
    given_up: Arc<AtomicBool>,
    outcome: Outcome,
}

/// Ends the attempt when nobody waits for it any more.
struct Interest(Arc<AtomicBool>);

impl Interrupt for Interest {
    fn check(&mut self) -> ControlFlow<()> {
        if self.0.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

#[pymethods]
impl AsyncOpening {
    /// Begins to connect. `done` is called in the event loop when there is an outcome to `take`.
    #[new]
    fn new(
        py: Python<'_>,
        dsn: &str,
        event_loop: Py<PyAny>,
        done: Py<PyAny>,
    ) -> PyResult<AsyncOpening> {
        let config =
            Config::parse(dsn).map_err(|error| names::operational_error(py, error.to_string()))?;
        let given_up = Arc::new(AtomicBool::new(false));
        let outcome = Outcome::default();
        let theirs = (config.clone(), given_up.clone(), outcome.clone());
        thread::Builder::new()
            .name("kecoa-connecting".to_owned())
            .spawn(move || {
                let (config, given_up, outcome) = theirs;
                let connected = Client::connect_with(&config, &mut Interest(given_up.clone()));
                if !given_up.load(Ordering::Relaxed) {
                    *lock(&outcome) = Some(connected);
                }
                drop(outcome);
                call_in_loop(event_loop, done);
            })
            .map_err(|error| {
                names::operational_error(py, format!("no thread to connect on: {error}"))
            })?;
        Ok(AsyncOpening { config, given_up, outcome })
    }

    /// Nobody wants the connection any more: it is closed as soon as it is made.
    fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
        let unwanted = lock(&self.outcome).take();
        drop(unwanted);
    }

    /// The connection, or OperationalError that says why there is none.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Connection>> {
        let outcome = lock(&self.outcome).take();
        match outcome {
            Some(Ok(client)) => Connection::over(py, client, &self.config),
            Some(Err(error)) => Err(error::connect_exception(py, &error)),
            None => Err(names::interface_error(
                py,
                "expected a connection that has been made, found none",
            )),
        }
    }
}
