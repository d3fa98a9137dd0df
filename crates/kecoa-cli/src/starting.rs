//! Whoever waits for an endpoint or a gateway to start: what they see, and Ctrl-C.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use kecoa_local::Waiting;

use crate::failure::Failure;
use crate::output::Output;
use crate::signals::Interruption;

/// How often the spinner turns.
const TURN: Duration = Duration::from_millis(100);

/// Has `start` start something, which `title` names, and shows meanwhile what it is doing. A signal gives the start
/// up, and then ends the command.
pub(crate) fn start<T, E>(
    title: &str,
    output: &Output,
    start: impl FnOnce(Waiting) -> Result<T, E>,
) -> Result<T, Failure>
where
    Failure: From<E>,
{
    let interruption = Interruption::watch()?;
    let (spinner, waiting) = waiting(title, output);
    let started = start(waiting.unless(interruption.asked()));
    spinner.clear();
    match (interruption.status(), started) {
        (None, started) => started.map_err(Failure::from),
        (Some(status), Err(_)) => Err(Failure::Interrupted(status)),
        (Some(status), Ok(_)) => {
            output.note(&format!("{title} had started before it could be given up: it runs"));
            Err(Failure::Interrupted(status))
        }
    }
}

/// What tells somebody at a terminal each step of a start, and others the steps that last.
pub(crate) fn waiting(title: &str, output: &Output) -> (Spinner, Waiting) {
    let output = *output;
    let spinner = Spinner { title: title.to_owned(), bar: Arc::default() };
    if !output.shows_progress() {
        let report = move |what: &str| output.note(&format!("still starting: {what}"));
        return (spinner, Waiting::new(report));
    }
    let turning = spinner.clone();
    (spinner, Waiting::new(|_| {}).at_each_step(move |what| turning.show(what)))
}

/// A line on standard error that turns, and says what is being done. There is none before the first step.
#[derive(Clone)]
pub(crate) struct Spinner {
    title: String,
    bar: Arc<Mutex<Option<ProgressBar>>>,
}

impl Spinner {
    fn show(&self, what: &str) {
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = bar.get_or_insert_with(|| {
            let bar = ProgressBar::new_spinner();
            bar.enable_steady_tick(TURN);
            match ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        bar.set_message(format!("starting {}: {what}", self.title));
    }

    /// Takes the line away.
    pub(crate) fn clear(&self) {
        if let Some(bar) = self.bar.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }
}
