//! Which server a workload is for.

use std::ffi::OsString;
use std::time::Duration;

use kecoa::Config;
use kecoa::config::Environment;
use kecoa_local::process::ProcessIdentity;
use kecoa_local::{Options, Running, Status, redacted};
use kecoa_workload::Kill;

use crate::database_url;
use crate::failure::Failure;
use crate::local::{database, remark, start, start_for_command};
use crate::output::Output;

/// The endpoint that is killed.
const NAME: &str = "workload";

/// The server, and what of it was started here.
pub(super) struct Server {
    url: String,
    /// The endpoint that this command started, to be killed and stopped.
    own: Option<(Options, Running)>,
}

impl Server {
    /// The one that was named, or the local endpoint, which is started where it does not run.
    pub(super) fn find(
        url: Option<&str>,
        output: &Output,
        self_command: Vec<OsString>,
    ) -> Result<Server, Failure> {
        if let Some(url) = database_url::find(url, output)? {
            return Ok(Server { url, own: None });
        }
        let mut options = Options::default();
        options.self_command = self_command;
        let running = start_for_command(&options, output)?;
        Ok(Server { url: running.url, own: None })
    }

    /// An endpoint of its own, that may be killed.
    pub(super) fn start_own(
        output: &Output,
        self_command: Vec<OsString>,
    ) -> Result<Server, Failure> {
        if database_url::from_environment(output)?.is_some() {
            return Err(Failure::Usage(
                "--kill is for an endpoint that this command starts: DATABASE_URL names another server, unset it"
                    .to_owned(),
            ));
        }
        let mut options = Options::default();
        options.self_command = self_command;
        options.name = Some(NAME.to_owned());
        if let Status::Running(_) = kecoa_local::status(&options)? {
            return Err(Failure::Other(format!(
                "--kill is for an endpoint that this command starts, and one called {NAME} runs already: stop it \
                 by `kecoa local stop --name {NAME}`"
            )));
        }
        let running = start(&options, output)?;
        remark(&running, output);
        let (shown, database) = (redacted(&running.url), database(&running));
        output.note(&format!("{database} at {shown} (started for this, to be killed)"));
        // Whoever comes back has to be found again.
        options.port = Some(running.port);
        Ok(Server { url: running.url.clone(), own: Some((options, running)) })
    }

    /// Whether this command started it, to be killed and stopped.
    pub(super) fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// How to connect.
    pub(super) fn config(&self) -> Result<Config, Failure> {
        Ok(Config::parse(&self.url)?.resolve(&Environment::from_process())?)
    }

    /// The URL, without its password.
    pub(super) fn shown(&self) -> String {
        redacted(&self.url)
    }

    /// What kills the endpoint and starts it again, where this command started it.
    pub(super) fn kill(&self) -> Option<Kill> {
        let (options, running) = self.own.clone()?;
        let mut running = running;
        Some(Box::new(move || {
            // The database server itself, too: what it has not written is gone.
            let pids = running.server_pid.into_iter().chain([running.pid]);
            let processes: Vec<_> = pids.filter_map(ProcessIdentity::of).collect();
            for process in &processes {
                process.kill();
            }
            for process in &processes {
                process.wait_gone(Duration::from_secs(10));
            }
            let started = kecoa_local::start(&options);
            running =
                started.map_err(|error| format!("the endpoint does not start again: {error}"))?;
            Ok(())
        }))
    }

    /// Stops the endpoint if it is one of its own.
    pub(super) fn stop(self) -> Result<(), Failure> {
        if let Some((options, _)) = self.own {
            kecoa_local::stop(&options)?;
        }
        Ok(())
    }
}
