//! `kecoa workload run`.

use std::ffi::OsString;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use kecoa::retry::Policy;
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
    let interrupted = watch_signals()?;
    let (ending, summary) = drive(prepared, server, output, &interrupted)?;
    print(&summary, output)?;
    match &ending.violation {
        Some(violation) => {
            Err(Failure::Other(format!("an invariant of {name} is violated: {violation}")))
        }
        None if ending.interrupted => Ok(INTERRUPTED),
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

/// Runs it, and adds its events up.
fn drive(
    prepared: Prepared,
    server: &Server,
    output: &Output,
    interrupted: &AtomicBool,
) -> Result<(Ending, Summary), Failure> {
    let about = prepared.about().clone();
    announce(&about, output);
    let recorder = Arc::new(Mutex::new(Recorder::new()));
    let report = {
        let recorder = recorder.clone();
        Arc::new(move |event: Event| {
            recorder.lock().unwrap_or_else(PoisonError::into_inner).record(&event);
        })
    };
    let started = SystemTime::now();
    let begun = Instant::now();
    let hooks = Hooks {
        report,
        kill: server.kill(),
        is_interrupted: &|| interrupted.load(Ordering::Relaxed),
    };
    let ran = prepared.run(hooks);
    let mut recorder = recorder.lock().unwrap_or_else(PoisonError::into_inner);
    recorder.advance(ran.as_ref().map_or(begun.elapsed(), |ending| ending.took));
    let end = match &ran {
        Err(_) => End::Failed,
        Ok(Ending { violation: Some(_), .. }) => End::Violated,
        Ok(Ending { interrupted: true, .. }) => End::Interrupted,
        Ok(_) => End::Completed,
    };
    let summary = Summary::new(&recorder, &about, started, end);
    match ran {
        Ok(ending) => Ok((ending, summary)),
        Err(error) => {
            // What there was to see until then.
            print(&summary, output)?;
            Err(error.into())
        }
    }
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

/// Set by the first Ctrl-C, or SIGTERM. The second one ends the process at once.
fn watch_signals() -> Result<Arc<AtomicBool>, Failure> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        let registered =
            flag::register_conditional_shutdown(signal, INTERRUPTED, interrupted.clone())
                .and_then(|_| flag::register(signal, interrupted.clone()));
        registered.map_err(|error| Failure::Other(format!("cannot watch for Ctrl-C: {error}")))?;
    }
    Ok(interrupted)
}
