//! `kecoa mongo`: MongoDB's protocol in front of the database.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use kecoa::Config;
use kecoa_local::project;
use kecoa_mongo::launch::{
    self, Mode, Options, Running, Status, Stopped, TlsOptions, Waiting, redacted,
};
use serde_json::json;

use crate::database_url;
use crate::failure::Failure;
use crate::output::{Output, with_url};
use crate::signals::Ending;
use crate::starting;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Start it in the background, unless it runs, and print its URL
    Start(Start),
    /// Stop it, and not the database; fine when nothing runs
    Stop(Place),
    /// Say whether it runs: exit status 0 when it does, 3 when not, 1 when it is broken
    Status(Place),
    /// Print its URL; exit status 3 when it does not run
    Url(Place),
    /// The process in the background
    #[command(hide = true)]
    Serve(Serve),
}

/// Which gateway is meant.
#[derive(Debug, Args)]
struct Place {
    /// Where its password and state are kept [default: $KECOA_HOME; for root /var/lib/kecoa; for others
    /// $XDG_DATA_HOME/kecoa or ~/.local/share/kecoa]
    #[arg(long, value_name = "DIR", value_parser = crate::path::parser())]
    home: Option<PathBuf>,
    /// Which of several gateways in one home [default: what a file .kecoa, in this folder or above
    /// it, names, or `default`]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

/// How it is to run.
#[derive(Debug, Args)]
struct How {
    #[command(flatten)]
    place: Place,
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    address: IpAddr,
    /// This port and no other, 0 for any [default: 27017, or a free one when that is taken]
    #[arg(long)]
    port: Option<u16>,
    /// Let in whoever reaches the port, every user of this machine among them
    #[arg(long)]
    no_password: bool,
    /// The first user: made when the database knows none of that name
    #[arg(long, value_name = "NAME", default_value = "root")]
    user: String,
    /// The file with that user's password [default: one is made, and kept in the home]
    #[arg(long, value_name = "FILE", value_parser = crate::path::parser(), conflicts_with = "no_password")]
    password_file: Option<PathBuf>,
    /// Play a replica set of one; without this, clients take it for `mongos`
    #[arg(long, value_name = "NAME[@HOST:PORT]")]
    replica_set: Option<String>,
    /// The certificates for TLS, in PEM, the server's own first
    #[arg(long, value_name = "FILE", value_parser = crate::path::parser(), requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The key for TLS, in PEM
    #[arg(long, value_name = "FILE", value_parser = crate::path::parser(), requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// With TLS, take clients without it, too
    #[arg(long, requires = "tls_certificate")]
    allow_plain: bool,
    /// The most connections to the database; three in four of them may hold a transaction
    #[arg(long, value_name = "NUMBER", default_value_t = 16, value_parser = connections)]
    connections: usize,
    /// Take the commands that tests of drivers need, such as fail points
    #[arg(long)]
    test_commands: bool,
}

#[derive(Debug, Args)]
struct Start {
    /// The database that keeps the documents, `-` for standard input [default: $DATABASE_URL, or the local endpoint,
    /// which is started]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
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

impl Place {
    fn options(self) -> Result<Options, Failure> {
        let mut options = Options::default();
        options.home = self.home;
        if let Some(name) = self.name {
            options.name = name;
        } else if let Some(project) = project::current().map_err(kecoa_local::Error::from)? {
            // The gateway of a folder that has a local endpoint of its own.
            options.name = project.name;
        }
        Ok(options)
    }
}

impl How {
    fn options(self, database: String, self_command: Vec<OsString>) -> Result<Options, Failure> {
        let mut options = self.place.options()?;
        options.database = database;
        options.address = self.address;
        options.port = self.port;
        options.no_password = self.no_password;
        options.user = self.user;
        options.password_file = self.password_file;
        options.replica_set = self.replica_set;
        options.tls = self.tls_certificate.zip(self.tls_key).map(|(certificate, key)| TlsOptions {
            certificate,
            key,
            allow_plain: self.allow_plain,
        });
        options.test_commands = self.test_commands;
        options.connections = self.connections;
        options.self_command = self_command;
        Ok(options)
    }
}

pub(crate) fn run(
    arguments: Arguments,
    output: &Output,
    self_command: Vec<OsString>,
) -> Result<i32, Failure> {
    match arguments.action {
        Action::Start(arguments) => start(arguments, output, self_command),
        Action::Serve(serve) => {
            let options = serve.how.options(String::new(), self_command)?;
            kecoa_mongo::serve::serve(&options, Mode::Detached, &mut |_| {})?;
            Ok(0)
        }
        Action::Stop(place) => stop(&place.options()?, output),
        Action::Status(place) => {
            let status = launch::status(&place.options()?)?;
            output.result(&status, || describe(&status))?;
            Ok(status.exit_code())
        }
        Action::Url(place) => match launch::status(&place.options()?)? {
            Status::Running(running) => {
                output.result(&json!({ "url": running.url }), || running.url.clone())?;
                Ok(0)
            }
            Status::Stopped => {
                output.note("the MongoDB gateway does not run: start it with `kecoa mongo start`");
                Ok(3)
            }
            Status::Starting => {
                output.note("the MongoDB gateway is just starting: try again in a moment");
                Ok(3)
            }
            Status::Stopping => {
                output.note("the MongoDB gateway is just stopping: start it again");
                Ok(3)
            }
            Status::Broken { reason } => Err(Failure::Other(reason)),
        },
    }
}

/// Stops the gateway, and says what became of the documents.
fn stop(options: &Options, output: &Output) -> Result<i32, Failure> {
    // Where it cannot be told, there is only less to say.
    let database = match launch::status(options) {
        Ok(Status::Running(running)) => Some(running.database),
        _ => None,
    };
    let stopped = launch::stop(options)?;
    output.note(&match (stopped, database) {
        (Stopped::WasNotRunning, _) => "nothing was running".to_owned(),
        (Stopped::Stopped, None) => "stopped".to_owned(),
        (Stopped::Stopped, Some(database)) => {
            let runs = match local_behind(&database, options) {
                Some(name) => format!(
                    "; that is a local endpoint, which still runs: `kecoa local stop{name}` stops it"
                ),
                None => String::new(),
            };
            format!("stopped; the documents stay in {database}{runs}")
        }
    });
    if output.is_json() {
        let value = json!({ "stopped": stopped == Stopped::Stopped });
        output.json(&value)?;
    }
    Ok(0)
}

/// How the local endpoint of the same home is named that runs there.
fn local_behind(database: &str, options: &Options) -> Option<String> {
    let mut all = kecoa_local::Options::default();
    all.home.clone_from(&options.home);
    let instances = kecoa_local::instances(&all).ok()?;
    let is_there = |url: &str| Config::parse(url).is_ok_and(|it| it.to_string() == database);
    let found = instances.into_iter().find(|instance| match &instance.status {
        kecoa_local::Status::Running(running) => is_there(&running.url),
        _ => false,
    })?;
    Some(if found.current { String::new() } else { format!(" --name {}", found.name) })
}

/// A number of connections.
fn connections(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 2..=10_000) => Ok(number),
        _ => Err("expected a number from 2 to 10000".to_owned()),
    }
}

/// Starts the gateway. An endpoint that was started for it is stopped again if it fails.
fn start(arguments: Start, output: &Output, self_command: Vec<OsString>) -> Result<i32, Failure> {
    let Start { how, database: given, foreground } = arguments;
    let (database, local) = database(given.as_deref(), &how.place, output, &self_command)?;
    let options = how.options(database, self_command)?;
    let mut began = false;
    let done = if foreground {
        serve_here(&options, output, &mut began)
    } else {
        let started = starting::start("the MongoDB gateway", output, |waiting| {
            let mut options = options.clone();
            options.waiting = Some(waiting);
            launch::start(&options)
        });
        started.and_then(|running| {
            began = true;
            announce(running, output).map(|()| 0)
        })
    };
    if !began
        && let Some(local) = local
        && let Err(error) = kecoa_local::stop(&local)
    {
        output.note(&format!(
            "the local endpoint that was started for the gateway still runs: {error}"
        ));
    }
    done
}

/// Serves in this process; takes note of when that begins.
fn serve_here(options: &Options, output: &Output, began: &mut bool) -> Result<i32, Failure> {
    let mut printed = Ok(());
    let ending = Ending::watch()?;
    let mut options = options.clone();
    options.waiting = Some(Waiting::new(|_| {}).unless(ending.asked()));
    let served = kecoa_mongo::serve::serve(&options, Mode::Foreground, &mut |running| {
        *began = true;
        printed = announce(running.clone(), output);
    });
    ending.status(served.map_err(Failure::from).and(printed), *began)
}

/// The connection string of the database: the one given, the environment's, or that of the local endpoint, and how
/// to stop that if it did not run before.
fn database(
    given: Option<&str>,
    place: &Place,
    output: &Output,
    self_command: &[OsString],
) -> Result<(String, Option<kecoa_local::Options>), Failure> {
    if let Some(url) = database_url::find(given, output)? {
        return Ok((url, None));
    }
    let mut options = kecoa_local::Options::default();
    options.home.clone_from(&place.home);
    options.self_command = self_command.to_vec();
    let running = crate::local::start(&options, output)?;
    crate::local::remark(&running, output);
    Ok((running.url, (!running.was_running).then_some(options)))
}

/// The URL is the result; what is odd about it is a remark.
fn announce(running: Running, output: &Output) -> Result<(), Failure> {
    if !running.was_running {
        for text in &running.notes {
            output.note(text);
        }
    }
    let url = running.url.clone();
    output.result(&with_url(&Status::Running(Box::new(running)), &url), || url.clone())
}

fn describe(status: &Status) -> String {
    match status {
        Status::Stopped => "stopped".to_owned(),
        Status::Starting => "starting".to_owned(),
        Status::Stopping => "stopping".to_owned(),
        Status::Broken { reason } => format!("broken: {reason}"),
        Status::Running(running) => {
            let mut text = format!("running: {}, process {}", redacted(&running.url), running.pid);
            if running.password {
                text.push_str("\n  `kecoa mongo url` prints the URL with the password");
            }
            text.push_str(&format!("\n  documents in {}", running.database));
            if let Some(version) = &running.version {
                text.push_str(&format!(" ({version})"));
            }
            if let Some(name) = &running.replica_set {
                text.push_str(&format!("\n  as the replica set {name}"));
            }
            text.push_str(&format!("\n  log in {}", running.log.display()));
            for note in &running.notes {
                text.push_str(&format!("\n  {note}"));
            }
            text
        }
    }
}
