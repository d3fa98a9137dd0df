//! Serving with a real CockroachDB.

use kecoa_server::home::variable;
use kecoa_server::signals::Signals;
use rustix::process::Signal;
use tokio::runtime::Runtime;

use super::context::{Context, INTERVAL};
use crate::error::Error;
use crate::options::Engine;
use crate::ports::Ports;
use crate::{cockroach, layout};

impl Context<'_> {
    pub(super) fn run_cockroach(
        &mut self,
        runtime: &Runtime,
        mut signals: Signals,
    ) -> Result<(), Error> {
        if self.options.faults.is_some() {
            return Err(Error::FaultsWithoutEndpoint);
        }
        let home = self.home().clone();
        let program = cockroach::find(variable("PATH").as_deref())?;
        let previous = self.serving.previous.as_ref().map(|previous| &previous.details);
        let left_over = previous.and_then(|previous| {
            let server = previous.server.clone();
            let server = server.filter(|server| cockroach::is_ours(server, &home))?;
            let port = previous.port.filter(|_| previous.engine == Engine::Cockroach)?;
            cockroach::adopt(server, port, &home)
        });
        let ports = Ports::of(&home, self.options, None);
        let mut started = match left_over {
            Some(started) => started,
            None => {
                self.progress("starting CockroachDB")?;
                cockroach::start(&home, &program, &ports, &mut || signals.have_come())?
            }
        };
        let details = self.details();
        details.server = Some(started.server.identity().clone());
        details.data_dir = Some(started.store);
        details.version = started.version;
        details.notes.extend(ports.note(started.port));
        details.notes.push(
            "CockroachDB runs with --insecure: every user of this machine can connect".to_owned(),
        );
        ports.keep(&home, started.port)?;
        let served = self.announce(started.port, None).and_then(|()| {
            runtime.block_on(async {
                let mut interval = tokio::time::interval(INTERVAL);
                loop {
                    tokio::select! {
                        () = signals.received() => return Ok(self.serving.stopping()?),
                        _ = interval.tick() => {}
                    }
                    if !self.serving.still_holds_home() {
                        return Ok(());
                    }
                    if !started.server.is_running() {
                        return Err(Error::ServerFailed {
                            program: "cockroach",
                            reason: "it ended by itself".to_owned(),
                            log: layout::server_log_file(&home),
                        });
                    }
                }
            })
        });
        let stopped = started.server.stop(Signal::TERM);
        served.and(stopped)
    }
}
