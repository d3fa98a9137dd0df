//! `kecoa workload run`.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use kecoa::retry::Policy;
use kecoa_workload::live::{self, Left};
use kecoa_workload::{
    About, Client, End, Ending, Event, Faults, Hooks, Place, Prepared, RunOptions, Summary,
};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::arguments::RunArguments;
use super::place::Server;
use super::report_file::ReportFile;
use super::seen::Seen;
use super::set_up::{set_up, size_of};
use crate::failure::Failure;
use crate::faults::upstream;
use crate::output::Output;
use crate::run::interpreter;
use crate::signals;

/// The exit status of what Ctrl-C ended.
const INTERRUPTED: i32 = 130;

pub(super) fn run(
    arguments: &RunArguments,
    output: &Output,
    self_command: Vec<OsString>,
) -> Result<i32, Failure> {
    let name = arguments.workload;
    let size = size_of(name, &arguments.size)?;
    // Before there is a server, let alone a run.
    let report = arguments.report.as_deref().map(ReportFile::open).transpose()?;
    let server = match arguments.kill {
        Some(_) => Server::start_own(output, self_command.clone())?,
        None => Server::find(arguments.url.as_deref(), output, self_command.clone())?,
    };
    let ran = run_on(&server, arguments, size, report, output, &self_command);
    let stopped = server.stop();
    let status = ran?;
    stopped?;
    Ok(status)
}

fn run_on(
    server: &Server,
    arguments: &RunArguments,
    size: u32,
    report: Option<ReportFile>,
    output: &Output,
    self_command: &[OsString],
) -> Result<i32, Failure> {
    let name = arguments.workload;
    let config = server.config()?;
    // An endpoint that was started for this has nothing in it.
    let wanted = arguments.init || arguments.kill.is_some();
    if wanted && !kecoa_workload::is_set_up(&config, name)? {
        set_up(server, name, size, false, output)?;
    }
    let options = options(arguments, &config, self_command)?;
    let place = Place { config, shown: server.shown() };
    let prepared = kecoa_workload::prepare(place, options)?;
    let signals = Signals::watch()?;
    let is_terminal = io::stderr().is_terminal() && io::stdin().is_terminal();
    let is_live = is_terminal && !arguments.no_live && !output.is_json() && !output.is_quiet();
    let (ran, summary) = drive(prepared, server, output, &signals, is_live);
    // Of a run that failed, what there was to see until then.
    let printed = print(&summary, output);
    let written = report.map(|report| report.write(&summary)).transpose();
    if let Ok(Some(path)) = &written {
        output.note(&format!("the report is in {}", path.display()));
    }
    let told = printed.and(written.map(drop));
    let failed = match ran {
        Ok(Ending { violation: None, .. }) => {
            told?;
            return Ok(if signals.was_interrupted() { INTERRUPTED } else { 0 });
        }
        Ok(Ending { violation: Some(violation), .. }) => {
            Failure::Other(format!("an invariant of {name} is violated: {violation}"))
        }
        Err(error) => error.into(),
    };
    // What became of the run counts for more than what became of its report.
    if let Err(untold) = told {
        output.note(&untold.to_string());
    }
    Err(failed)
}

fn options(
    arguments: &RunArguments,
    config: &kecoa::Config,
    self_command: &[OsString],
) -> Result<RunOptions, Failure> {
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
    if arguments.client == Client::Python {
        options.python = interpreter(self_command)?;
    }
    options.isolation = arguments.isolation.into();
    options.policy = Policy { max_attempts: arguments.max_attempts, ..Policy::default() };
    options.check_every = Some(arguments.check_every).filter(|every| !every.is_zero());
    if let Some(plan) = &arguments.faults {
        options.faults = Some(Faults { plan: plan.clone(), upstream: upstream(config)? });
    }
    options.kill_every = arguments.kill;
    Ok(options)
}

/// Runs it, and adds its events up; shows it while it runs if that `is_live`.
fn drive(
    prepared: Prepared,
    server: &Server,
    output: &Output,
    signals: &Signals,
    is_live: bool,
) -> (Result<Ending, kecoa_workload::Error>, Summary) {
    announce(prepared.about(), output);
    let seen = Arc::new(Seen::new(prepared.about().clone()));
    let report = {
        let seen = seen.clone();
        Arc::new(move |event: Event| seen.record(&event))
    };
    let ran = thread::scope(|scope| {
        let view = is_live.then(|| scope.spawn(|| watch(&seen, output, signals)));
        let ends = seen.ends();
        let is_interrupted = &|| signals.wants_end();
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

/// Shows the run until it is over, or a key ends it. Why there was nothing to see, if so.
fn watch(seen: &Seen, output: &Output, signals: &Signals) -> Option<String> {
    match live::watch(output.stderr().is_colored(), || seen.summary()) {
        Ok(Left::Over) => {}
        Ok(Left::Quit) => signals.quit.store(true, Ordering::Relaxed),
        Ok(Left::Interrupted) => signals.interrupted.store(true, Ordering::Relaxed),
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
struct Signals {
    /// Set by the first Ctrl-C, or SIGTERM. The second one ends the process at once.
    interrupted: Arc<AtomicBool>,
    /// Set by a key of the live view.
    quit: AtomicBool,
}

impl Signals {
    fn watch() -> Result<Signals, Failure> {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            signals::leave_to_others(signal);
            let flag = interrupted.clone();
            let registered = flag::register_conditional_shutdown(signal, INTERRUPTED, flag.clone())
                .and_then(|_| flag::register(signal, flag));
            let failed = |error| Failure::Other(format!("cannot watch for Ctrl-C: {error}"));
            registered.map_err(failed)?;
        }
        Ok(Signals { interrupted, quit: AtomicBool::new(false) })
    }

    fn wants_end(&self) -> bool {
        self.was_interrupted() || self.quit.load(Ordering::Relaxed)
    }

    fn was_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}
