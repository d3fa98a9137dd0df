//! `kecoa local`: the database on this machine.

mod arguments;
mod deletion;
mod environment;
mod logs;
mod running;
mod show;
mod unit;

use std::ffi::OsString;

use clap::{Args, Subcommand};
use kecoa_local::{Mode, Stopped};
use serde_json::json;

use crate::failure::Failure;
use crate::output::Output;
use crate::signals::Ending;
use arguments::{How, Place, Serve, Start};
#[cfg(any(feature = "demo", feature = "workload"))]
pub(crate) use running::start_for_command;
use running::{announce, running};
#[cfg(any(feature = "mongo", feature = "workload"))]
pub(crate) use running::{remark, start};
#[cfg(feature = "workload")]
pub(crate) use show::database;

#[derive(Debug, Args)]
#[command(
    after_help = "Which endpoint: --name; else the one that a file .kecoa names, in this folder or above it \
    (`kecoa local start --here` writes one); else `default`. Exit status: 0; 1 for a failure; 2 for a mistake in \
    the arguments; 3 when nothing runs (status, url, env)."
)]
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
    /// Print the variable DATABASE_URL for a shell: eval "$(kecoa local env)"
    Env(environment::Arguments),
    /// Show all endpoints of this home: state, URL, version, size, folder
    List(List),
    /// Print its log and its database server's
    Logs(logs::Arguments),
    /// Delete its databases and roles; one that runs is started again, with the same URL
    Reset(deletion::Arguments),
    /// Stop it and delete it: data, password, logs
    Destroy(deletion::Arguments),
    /// Print a unit for systemd that starts it
    Systemd(How),
    /// The process in the background
    #[command(hide = true)]
    Serve(Serve),
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    base: arguments::Base,
    /// Only their names, a line each
    #[arg(long)]
    names: bool,
}

pub(crate) fn run(
    arguments: Arguments,
    output: &Output,
    self_command: Vec<OsString>,
) -> Result<i32, Failure> {
    match arguments.action {
        Action::Start(start) => begin(start, output, self_command),
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
            let instance = kecoa_local::instance(&place.options())?;
            output.result(&instance, || show::instance(&instance))?;
            Ok(instance.status.exit_code())
        }
        Action::Url(place) => match running(&place.options(), output)? {
            Some(running) => {
                output.result(&json!({ "url": running.url }), || running.url.clone())?;
                Ok(0)
            }
            None => Ok(3),
        },
        Action::Env(arguments) => environment::run(&arguments, output),
        Action::List(List { base, names: true }) => {
            let instances = kecoa_local::instances(&base.options())?;
            let names = show::names(&instances);
            if output.is_json() {
                output.json(&json!({ "names": names }))?;
            } else if !names.is_empty() {
                output.line(&names.join("\n"))?;
            }
            Ok(0)
        }
        Action::List(List { base, names: false }) => {
            let instances = kecoa_local::instances(&base.options())?;
            let value = json!({ "instances": instances });
            output.result(&value, || show::list(&instances, output.stdout().columns()))?;
            Ok(0)
        }
        Action::Logs(arguments) => logs::run(&arguments, output),
        Action::Reset(arguments) => deletion::reset(&arguments, output, self_command),
        Action::Destroy(arguments) => deletion::destroy(&arguments, output),
        Action::Systemd(how) => unit::run(&how.options(self_command), output),
    }
}

fn begin(start: Start, output: &Output, self_command: Vec<OsString>) -> Result<i32, Failure> {
    let foreground = start.foreground;
    let mut options = start.how.options(self_command);
    if start.here {
        let folder = std::env::current_dir().map_err(|error| {
            Failure::Other(format!(
                "the current folder is not there any more ({error}): `cd` to another"
            ))
        })?;
        let project = kecoa_local::project::make(&folder, options.name.as_deref())
            .map_err(kecoa_local::Error::from)?;
        output.note(&format!(
            "{} names the instance `{}`: it is meant in this folder and below",
            project.file().display(),
            project.name
        ));
        // The folder says so from now on, and is kept with the instance.
        options.name = None;
    }
    if !foreground {
        announce(running::start(&options, output)?, output)?;
        return Ok(0);
    }
    let (mut printed, mut began) = (Ok(()), false);
    let ending = Ending::watch()?;
    let served = running::serve(&options, output, &ending, &mut |running| {
        began = true;
        printed = announce(running.clone(), output);
    });
    ending.status(served.and(printed), began)
}
