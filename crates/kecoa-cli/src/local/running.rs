//! An endpoint that runs, or is about to: what is said of it.

use kecoa_local::{Mode, Options, Running, Status};

use crate::failure::Failure;
use crate::output::{Output, with_url};
use crate::signals::Ending;
use crate::starting;

/// How the endpoint is called while it starts.
const TITLE: &str = "the local endpoint";

/// Starts the endpoint, or finds the one that runs.
pub(crate) fn start(options: &Options, output: &Output) -> Result<Running, Failure> {
    starting::start(TITLE, output, |waiting| {
        let mut options = options.clone();
        options.waiting = Some(waiting);
        kecoa_local::start(&options)
    })
}

/// The same for a command that was given no database: says on which endpoint it works.
#[cfg(any(feature = "demo", feature = "workload"))]
pub(crate) fn start_for_command(options: &Options, output: &Output) -> Result<Running, Failure> {
    let running = start(options, output)?;
    remark(&running, output);
    let state = if running.was_running { "runs already" } else { "started for this" };
    let (database, shown) = (super::show::database(&running), kecoa_local::redacted(&running.url));
    output.note(&format!("{database} at {shown} ({state})"));
    Ok(running)
}

/// Deletes the endpoint's databases, and starts it again if it ran.
pub(super) fn reset(options: &Options, output: &Output) -> Result<Option<Running>, Failure> {
    starting::start(TITLE, output, |waiting| {
        let mut options = options.clone();
        options.waiting = Some(waiting);
        kecoa_local::reset(&options)
    })
}

/// Serves in this process; `ready` is called once.
pub(super) fn serve(
    options: &Options,
    output: &Output,
    ending: &Ending,
    ready: &mut dyn FnMut(&Running),
) -> Result<(), Failure> {
    let (spinner, waiting) = starting::waiting(TITLE, output);
    let mut options = options.clone();
    options.waiting = Some(waiting.unless(ending.asked()));
    let served = kecoa_local::serve(&options, Mode::Foreground, &mut |running| {
        spinner.clear();
        ready(running);
    });
    spinner.clear();
    Ok(served?)
}

/// The endpoint that is meant, if it runs; otherwise a remark says that it does not.
pub(super) fn running(options: &Options, output: &Output) -> Result<Option<Running>, Failure> {
    let status = kecoa_local::status(options)?;
    let is_broken = matches!(status, Status::Broken { .. });
    match kecoa_local::usable(status, options) {
        Ok(running) => Ok(Some(running)),
        Err(error) if is_broken => Err(error.into()),
        Err(error) => {
            output.note(&error.to_string());
            Ok(None)
        }
    }
}

/// The URL is the result; what it is and what is odd about it are remarks.
pub(super) fn announce(running: Running, output: &Output) -> Result<(), Failure> {
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
