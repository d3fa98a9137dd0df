//! What a process that serves has at hand, whatever the engine is.

use std::time::Duration;

use kecoa_server::home::Home;
use kecoa_server::serving::Serving;
use kecoa_server::signals::Signals;
use tokio::runtime::{Builder, Runtime};

use crate::error::Error;
use crate::options::Options;
use crate::postgres::{CLIENT_ROLE, DEFAULT_DATABASE};
use crate::running::{Running, running};
use crate::state::Details;

/// How often we look whether the database server still runs.
pub(super) const INTERVAL: Duration = Duration::from_millis(200);

/// A process that serves.
pub(super) struct Context<'a> {
    pub(super) options: &'a Options,
    pub(super) serving: Serving<Details>,
    /// Is called once, when clients are accepted.
    pub(super) ready: &'a mut dyn FnMut(&Running),
}

impl Context<'_> {
    pub(super) fn home(&self) -> &Home {
        self.serving.home()
    }

    pub(super) fn details(&mut self) -> &mut Details {
        &mut self.serving.state.details
    }

    /// Runs with threads, and with signals that wait until we can stop in an orderly way.
    pub(super) fn with_runtime(
        &mut self,
        run: impl FnOnce(&mut Self, &Runtime, Signals) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(Error::io("starting threads for", self.home().instance()))?;
        let signals = {
            let _in_runtime = runtime.enter();
            Signals::install().map_err(Error::io("handling signals for", self.home().instance()))?
        };
        run(self, &runtime, signals)
    }

    /// Says what is being done on the way to being ready.
    pub(super) fn progress(&mut self, what: &str) -> Result<(), Error> {
        if let Some(waiting) = &self.options.waiting {
            waiting.begins(what);
        }
        Ok(self.serving.progress(what, self.options.timeout)?)
    }

    /// Announces that clients are accepted on this port.
    pub(super) fn announce(&mut self, port: u16, password: Option<&str>) -> Result<(), Error> {
        let password = password.map_or_else(String::new, |password| format!(":{password}"));
        let url = format!(
            "postgresql://{CLIENT_ROLE}{password}@127.0.0.1:{port}/{DEFAULT_DATABASE}?sslmode=disable"
        );
        self.details().port = Some(port);
        self.details().url = Some(url);
        let home = self.home().clone();
        let ready = &mut *self.ready;
        self.serving.ready(|state| {
            if let Some(running) = running(state, &home, false) {
                ready(&running);
            }
        })?;
        Ok(())
    }
}
