//! `kecoa workload run`.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Instant, SystemTime};

use kecoa::retry::Policy;
use kecoa_workload::live::{self, Left};
use kecoa_workload::{
    About, Client, End, Ending, Event, Faults, Hooks, Place, Prepared, Recorder, RunOptions,
    Summary,
};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::arguments::RunArguments;
use super::place::Server;
use super::set_up::{set_up, size_of};
use crate::failure::Failure;
use crate::faults::upstream;
use crate::output::Output;
use crate::run::interpreter;

/// The exit status of what Ctrl-C ended.
const INTERRUPTED: i32 = 130;

pub(super) fn run(
    arguments: &RunArguments,
    output: &Output,
    self_command: Vec<OsString>,
) -> Result<i32, Failure> {
    let name = arguments.workload;
    let size = size_of(name, &arguments.size)?;
    let server = match arguments.kill {
        Some(_) => Server::start_own(output, self_command.clone())?,
        None => Server::find(arguments.url.as_deref(), output, self_command.clone())?,
    };
    let ran = run_on(&server, arguments, size, output, &self_command);
    let stopped = server.stop();
    let status = ran?;
    stopped?;
    Ok(status)
}

fn run_on(
    server: &Server,
    arguments: &RunArguments,
    size: u32,
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
    let report = arguments.report.as_deref().map(ReportFile::new).transpose()?;
    let signals = Signals::watch()?;
    let is_terminal = io::stderr().is_terminal() && io::stdin().is_terminal();
    let is_live = is_terminal && !arguments.no_live && !output.is_json() && !output.is_quiet();
    let (ending, summary) = drive(prepared, server, output, &signals, is_live)?;
    print(&summary, output)?;
    if let Some(report) = report {
        report.write(&summary)?;
        output.note(&format!("the report is in {}", report.0.display()));
    }
    match &ending.violation {
        Some(violation) => {
            Err(Failure::Other(format!("an invariant of {name} is violated: {violation}")))
        }
        None if signals.was_interrupted() => Ok(INTERRUPTED),
        None => Ok(0),
    }
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

/// What there is to show of a run.
struct Seen {
    about: About,
    recorder: Mutex<Recorder>,
    started: SystemTime,
    begun: Instant,
    end: Mutex<End>,
}

impl Seen {
    fn record(&self, event: &Event) {
        self.recorder.lock().unwrap_or_else(PoisonError::into_inner).record(event);
    }

    fn end(&self, end: End) {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = end;
    }

    fn summary(&self) -> Summary {
        let end = *self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let mut recorder = self.recorder.lock().unwrap_or_else(PoisonError::into_inner);
        if end == End::Running {
            recorder.advance(self.begun.elapsed());
        }
        Summary::new(&recorder, &self.about, self.started, end)
    }
}

/// Runs it, and adds its events up; shows it while it runs if that `is_live`.
fn drive(
    prepared: Prepared,
    server: &Server,
    output: &Output,
    signals: &Signals,
    is_live: bool,
) -> Result<(Ending, Summary), Failure> {
    let about = prepared.about().clone();
    announce(&about, output);
    let seen = Arc::new(Seen {
        about,
        recorder: Mutex::new(Recorder::new()),
        started: SystemTime::now(),
        begun: Instant::now(),
        end: Mutex::new(End::Running),
    });
    let report = {
        let seen = seen.clone();
        Arc::new(move |event: Event| seen.record(&event))
    };
    let ran = thread::scope(|scope| {
        let view = is_live.then(|| scope.spawn(|| watch(&seen, output, signals)));
        let is_interrupted = &|| signals.wants_end();
        let ran = prepared.run(Hooks { report, kill: server.kill(), is_interrupted });
        seen.end(match &ran {
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
    let summary = seen.summary();
    match ran {
        Ok(ending) => Ok((ending, summary)),
        Err(error) => {
            // What there was to see until then.
            print(&summary, output)?;
            Err(error.into())
        }
    }
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

/// The file of the report, of which is known that it can be written.
struct ReportFile<'a>(&'a Path);

impl ReportFile<'_> {
    fn new(path: &Path) -> Result<ReportFile<'_>, Failure> {
        let opened = OpenOptions::new().create(true).append(true).open(path);
        opened.map_err(|error| ReportFile(path).failure(&error))?;
        Ok(ReportFile(path))
    }

    fn write(&self, summary: &Summary) -> Result<(), Failure> {
        fs::write(self.0, summary.to_html()).map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &std::io::Error) -> Failure {
        Failure::Other(format!("cannot write the report {}: {error}", self.0.display()))
    }
}
