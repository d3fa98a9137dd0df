//! The kecoa command line: one module a command; flags -> config -> run. A command that costs much is
//! behind a cargo feature.
//!
//! [`main_from`] is the whole program. The binary calls it, and so does the Python package, in
//! whose process it runs: it returns an exit status, and sets nothing up that outlives it.
//! (`sql` handles SIGINT for the rest of the process's life. `serve` and `start --foreground` of `kecoa local`
//! and `kecoa mongo`, and `kecoa faults`, handle signals; they are a process of their own. All others leave
//! signals as they are: Ctrl-C ends them where SIGINT has its default effect, as it has in the binary.)
#![forbid(unsafe_code)]
// Every command but `faults` brings `local`; without it, a part of what prints results is not used.
#![cfg_attr(not(feature = "local"), allow(dead_code, unused_imports))]

mod completions;
#[cfg(feature = "client")]
mod database_url;
#[cfg(feature = "demo")]
mod demo;
#[cfg(feature = "doctor")]
mod doctor;
mod failure;
#[cfg(feature = "faults")]
mod faults;
#[cfg(feature = "local")]
mod local;
mod manual;
#[cfg(feature = "mongo")]
mod mongo;
mod output;
mod path;
mod run;
mod secret_arguments;
mod signals;
#[cfg(feature = "sql")]
mod sql;
#[cfg(feature = "local")]
mod starting;
mod terminal;
#[cfg(feature = "workload")]
mod workload;

use std::ffi::OsString;
use std::io::Write as _;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use output::{GlobalOptions, Output};
pub use signals::end_by_signal;

/// Tools for CockroachDB and PostgreSQL, and a local database for development and tests.
#[derive(Debug, Parser)]
#[command(
    name = "kecoa",
    version,
    arg_required_else_help = true,
    after_help = "Exit status: 0 when all went well; 1 for a failure; 2 for a mistake in the arguments; 3 when what was \
    asked for does not run; 130 when Ctrl-C ended it, 143 for SIGTERM."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: GlobalOptions,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start, find and stop the local database
    #[cfg(feature = "local")]
    Local(local::Arguments),
    /// Start, find and stop the MongoDB gateway: documents in the database, for PyMongo and its like
    #[cfg(feature = "mongo")]
    Mongo(mongo::Arguments),
    /// Inject faults into connections, through a proxy in front of a server
    #[cfg(feature = "faults")]
    Faults(faults::Arguments),
    /// Move money between two accounts, in a retried transaction
    #[cfg(feature = "demo")]
    Demo(demo::Arguments),
    /// Check a database connection step by step and suggest fixes
    #[cfg(feature = "doctor")]
    Doctor(doctor::Arguments),
    /// Talk SQL with a database, or run scripts
    #[cfg(feature = "sql")]
    Sql(Box<sql::Arguments>),
    /// Put a database under load, and check all along that nothing is lost
    #[cfg(feature = "workload")]
    Workload(workload::Arguments),
    /// Run a Python program written for psycopg2, unmodified, on kecoa
    Run(run::Arguments),
    /// Print a script that completes commands and options in a shell
    Completions(completions::Arguments),
    /// Write manual pages
    #[command(name = "man")]
    Manual(manual::Arguments),
}

/// Runs the command line: `arguments` without the program's name; `self_command` is the program
/// (and its first arguments) by which this same command line is started again, for the background
/// process of `kecoa local` and `kecoa mongo`.
///
/// Returns the exit status: 0 for success, 1 for a failure, 2 for a mistake in the arguments, 3 from `local
/// status`, `local url` and those of `mongo` when nothing runs, and 129, 130 or 143 when SIGHUP, SIGINT
/// (Ctrl-C) or SIGTERM ended a server in the foreground, a script of `sql` or a run of `workload`: the caller hands that to
/// [`end_by_signal`].
pub fn main_from(
    arguments: impl IntoIterator<Item = OsString>,
    self_command: Vec<OsString>,
) -> i32 {
    let (arguments, secrets) =
        secret_arguments::take(arguments.into_iter().collect(), &self_command);
    let cli = match parse(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are "errors" that go to stdout with status 0. If nobody reads
            // them, nothing can be done about it.
            if secrets.is_empty() {
                let _ = error.print();
            } else {
                let text = secret_arguments::mask(error.render().to_string(), &secrets);
                let _ = std::io::stderr().write_all(text.as_bytes());
            }
            return error.exit_code();
        }
    };
    let output = match &cli.command {
        #[cfg(feature = "sql")]
        Command::Sql(_) => Output::new(&cli.global).as_text(),
        _ => Output::new(&cli.global),
    };
    let result = match cli.command {
        #[cfg(feature = "local")]
        Command::Local(arguments) => local::run(arguments, &output, self_command),
        #[cfg(feature = "mongo")]
        Command::Mongo(arguments) => mongo::run(arguments, &output, self_command),
        #[cfg(feature = "faults")]
        Command::Faults(arguments) => faults::run(&arguments, &output),
        #[cfg(feature = "demo")]
        Command::Demo(arguments) => demo::run(&arguments, &output, self_command),
        #[cfg(feature = "doctor")]
        Command::Doctor(arguments) => doctor::run(&arguments, &output),
        #[cfg(feature = "sql")]
        Command::Sql(arguments) => sql::run(*arguments, &output),
        #[cfg(feature = "workload")]
        Command::Workload(arguments) => workload::run(arguments, &output, self_command),
        Command::Completions(arguments) => completions::run(&arguments, Cli::command(), &output),
        Command::Manual(arguments) => manual::run(&arguments, Cli::command(), &output),
        Command::Run(arguments) => run::run(&arguments),
    };
    match result {
        Ok(code) => code,
        Err(failure::Failure::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            // The reader has gone, as in `kecoa … | head -1`: no reason to complain.
            1
        }
        // Whoever pressed Ctrl-C knows.
        #[cfg(feature = "local")]
        Err(failure::Failure::Interrupted(status)) => status,
        Err(failure) => {
            output.failure(&failure);
            failure.status()
        }
    }
}

fn parse(arguments: Vec<OsString>) -> Result<Cli, clap::Error> {
    let when = GlobalOptions::color_of(&arguments);
    let mut command = Cli::command().styles(terminal::STYLES).color(when.for_clap());
    let name = OsString::from("kecoa");
    let mut matches = command.try_get_matches_from_mut(std::iter::once(name).chain(arguments))?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}
