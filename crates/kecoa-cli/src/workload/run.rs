//! `kecoa workload run`.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use kecoa::Config;
use kecoa::retry::Policy;
use kecoa_workload::live::{self, Left};
use kecoa_workload::{
    About, Client, End, Ending, Event, Faults, Hooks, Name, Place, Prepared, RunOptions, Summary,
};

use super::arguments::RunArguments;
use super::place::Server;
use super::report_file::ReportFile;
use super::seen::Seen;
use super::set_up::{set_up, size_of};
use crate::failure::Failure;
use crate::faults::upstream;
use crate::output::Output;
use crate::run::interpreter;
use crate::signals::Interruption;

pub(super) fn run(
    arguments: &RunArguments,
    output: &Output,
    self_command: Vec<OsString>,
) -> Result<i32, Failure> {
    let size = wanted_size(arguments)?;
    // Before there is a server, let alone a run.
    let mut options = options(arguments);
    options.validate()?;
    if arguments.client == Client::Python {
        options.python = interpreter(&self_command)?;
    }
    let report = arguments.report.as_deref().map(ReportFile::open).transpose()?;
    let server = match arguments.kill {
        Some(_) => Server::start_own(output, self_command)?,
        None => Server::find(arguments.url.as_deref(), output, self_command)?,
    };
    let ran = run_on(&server, arguments, options, size, report, output);
    let stopped = server.stop();
    let status = ran?;
    stopped?;
    Ok(status)
}

/// The size that was chosen. It is that of a set-up: a run takes what is there.
fn wanted_size(arguments: &RunArguments) -> Result<Option<u32>, Failure> {
    let size = size_of(arguments.workload, &arguments.size)?;
    if size.is_some() && !sets_up(arguments) {
        let items = arguments.workload.items();
        return Err(Failure::Usage(format!(
            "--{items} says how many a set-up makes: add --init, or leave it out and take what is there"
        )));
    }
    Ok(size)
}

/// Whether the workload is set up where it is not there. An endpoint that was started for this has nothing in it.
fn sets_up(arguments: &RunArguments) -> bool {
    arguments.init || arguments.kill.is_some()
}

/// Sets the workload up unless it is there, of the size that was chosen if one was.
fn see_set_up(
    server: &Server,
    config: &Config,
    name: Name,
    size: Option<u32>,
    output: &Output,
) -> Result<(), Failure> {
    if !kecoa_workload::is_set_up(config, name)? {
        return set_up(server, name, size.unwrap_or_else(|| name.default_size()), false, output);
    }
    let Some(size) = size else { return Ok(()) };
    let there = kecoa_workload::size(config, name)?;
    if there == i64::from(size) {
        return Ok(());
    }
    let items = name.items();
    Err(Failure::Other(format!(
        "{name} is there already, with {there} {items} and not {size}: leave --{items} out to run on those, or make \
         it anew by `kecoa workload init {name} --drop --{items} {size}`"
    )))
}

fn run_on(
    server: &Server,
    arguments: &RunArguments,
    mut options: RunOptions,
    size: Option<u32>,
    report: Option<ReportFile>,
    output: &Output,
) -> Result<i32, Failure> {
    let name = arguments.workload;
    let config = server.config()?;
    // An endpoint that was started for this is stopped also where its set-up is ended.
    let early = server.is_own().then(Wanted::watch).transpose()?;
    if sets_up(arguments) {
        see_set_up(server, &config, name, size, output)?;
    }
    if let Some(plan) = &arguments.faults {
        options.faults = Some(Faults { plan: plan.clone(), upstream: upstream(&config)? });
    }
    let place = Place { config, shown: server.shown() };
    let prepared = kecoa_workload::prepare(place, options)?;
    let wanted = early.map_or_else(Wanted::watch, Ok)?;
    let is_live = !arguments.no_live && output.shows_progress() && io::stdin().is_terminal();
    let (ran, summary) = drive(prepared, server, output, &wanted, is_live);
    // Of a run that failed, what there was to see until then.
    let printed = print(&summary, output);
    let written = report.map(|report| report.write(&summary)).transpose();
    if let Ok(Some(path)) = &written {
        output.note(&format!("the report is in {}", path.display()));
    }
    let told = printed.and(written.map(drop));
    let ended = match ran {
        Ok(Ending { violation: Some(violation), .. }) => {
            Err(Failure::Other(format!("an invariant of {name} is violated: {violation}")))
        }
        Ok(_) => match wanted.status() {
            Some(status) => Ok(status),
            None => see_committed(&summary).map(|()| 0),
        },
        Err(error) => Err(error.into()),
    };
    match (ended, told) {
        (Ok(0), told) => told.map(|()| 0),
        // What became of the run counts for more than what became of its report.
        (ended, told) => {
            if let Err(untold) = told {
                output.note(&untold.to_string());
            }
            ended
        }
    }
}

/// A run in which nothing was done has shown nothing.
fn see_committed(summary: &Summary) -> Result<(), Failure> {
    let sums = &summary.transactions;
    if sums.committed + summary.ambiguous.committed > 0 {
        return Ok(());
    }
    let found = match summary.failures.first() {
        _ if sums.total == 0 => "none had come to its end when the run was over".to_owned(),
        None => format!("{} were refused, by the program's own rules", sums.refused),
        Some(failure) => format!("{} failed, most often so: {}", sums.failed, failure.message),
    };
    let name = &summary.run.workload;
    Err(Failure::Other(format!("not one transaction of {name} committed: {found}")))
}

/// What is known of the run before there is a server.
fn options(arguments: &RunArguments) -> RunOptions {
    let seed = arguments.seed.unwrap_or_else(kecoa_faults::draw_seed);
    let mut options = RunOptions::new(arguments.workload, seed);
    options.duration = arguments.duration;
    options.concurrency = arguments.concurrency;
    options.rate = arguments.rate;
    options.ramp = arguments.ramp;
    options.distribution = arguments.distribution;
    options.reads = arguments.reads;
    options.mix = arguments.mix;
    options.client = arguments.client;
    options.isolation = arguments.isolation.into();
    options.policy = Policy { max_attempts: arguments.max_attempts, ..Policy::default() };
    options.check_every = Some(arguments.check_every).filter(|every| !every.is_zero());
    options.kill_every = arguments.kill;
    options
}

/// Runs it, and adds its events up; shows it while it runs if that `is_live`.
fn drive(
    prepared: Prepared,
    server: &Server,
    output: &Output,
    wanted: &Wanted,
    is_live: bool,
) -> (Result<Ending, kecoa_workload::Error>, Summary) {
    announce(prepared.about(), output);
    let seen = Arc::new(Seen::new(prepared.about().clone()));
    let report = {
        let seen = seen.clone();
        Arc::new(move |event: Event| seen.record(&event))
    };
    let ran = thread::scope(|scope| {
        let view = is_live.then(|| scope.spawn(|| watch(&seen, output, wanted)));
        let ends = seen.ends();
        let is_interrupted = &|| wanted.is_wanted();
        let ran = prepared.run(Hooks { report, kill: server.kill(), is_interrupted });
        ends.by(match &ran {
            Err(_) => End::Failed,
            Ok(Ending { violation: Some(_), .. }) => End::Violated,
            Ok(Ending { interrupted: true, .. }) => End::Interrupted,
            Ok(_) => End::Completed,
        });
        if let Some(Ok(Some(why))) = view.map(thread::ScopedJoinHandle::join) {
            output.note(&why);
        }
        ran
    });
    (ran, seen.summary())
}

/// Shows the run until it is over, or somebody wants it to be. Why there was nothing to see, if so.
fn watch(seen: &Seen, output: &Output, wanted: &Wanted) -> Option<String> {
    // Whoever sends a second signal, which ends the process at once, finds the terminal as it was.
    let summary = || (!wanted.is_wanted()).then(|| seen.summary());
    match live::watch(output.stderr().is_colored(), summary) {
        Ok(Left::Over) => {}
        Ok(Left::Quit) => wanted.quit.store(true, Ordering::Relaxed),
        Ok(Left::Interrupted) => wanted.signal.pressed(),
        Err(error) => return Some(format!("no live view: {error}")),
    }
    None
}

fn print(summary: &Summary, output: &Output) -> Result<(), Failure> {
    output.result(summary, || {
        let text = summary.to_text(output.stdout().is_colored());
        text.trim_end().to_owned()
    })
}

/// Says on standard error what begins.
fn announce(about: &About, output: &Output) {
    let length = match about.duration {
        Some(duration) => format!("for {} s", duration.as_secs_f64()),
        None => "until Ctrl-C".to_owned(),
    };
    let chosen = about.chosen.iter().map(|(name, value)| format!("{name} {value}"));
    let chosen: Vec<String> = chosen.collect();
    output.note(&format!(
        "{} {length}: {} workers ({}), seed {}, {}",
        about.workload,
        about.concurrency,
        about.client,
        about.seed,
        chosen.join(", ")
    ));
}

/// Who wants the run to end.
struct Wanted {
    /// A signal, or Ctrl-C in the live view; the second one ends the process at once.
    signal: Interruption,
    /// `q` in the live view.
    quit: AtomicBool,
}

impl Wanted {
    fn watch() -> Result<Wanted, Failure> {
        Ok(Wanted { signal: Interruption::watch()?, quit: AtomicBool::new(false) })
    }

    fn is_wanted(&self) -> bool {
        self.status().is_some() || self.quit.load(Ordering::Relaxed)
    }

    /// The exit status of a run that a signal ended, or Ctrl-C.
    fn status(&self) -> Option<i32> {
        self.signal.status()
    }
}
