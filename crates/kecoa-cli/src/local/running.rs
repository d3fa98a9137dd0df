//! An endpoint that runs, or is about to: what is said of it.

use kecoa_local::{Options, Running, Status};

use crate::failure::Failure;
use crate::output::{Output, with_url};

/// Says what a start is doing when that takes long.
pub(crate) fn waiting(output: &Output) -> kecoa_local::Waiting {
    let output = *output;
    kecoa_local::Waiting::new(move |what| output.note(&format!("still starting: {what}")))
}

/// The endpoint that is meant, if it runs; otherwise a remark says that it does not.
pub(super) fn running(options: &Options, output: &Output) -> Result<Option<Running>, Failure> {
    match kecoa_local::status(options)? {
        Status::Running(running) => Ok(Some(running)),
        Status::Stopped => {
            output.note(&kecoa_local::not_running(options)?.to_string());
            Ok(None)
        }
        Status::Broken { reason } => Err(Failure::Other(reason)),
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
