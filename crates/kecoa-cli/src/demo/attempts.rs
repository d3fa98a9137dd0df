//! The attempts of the transfer, as they are shown: bars for attempts and for the waits between them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kecoa::{FailedAttempt, Observer};
use serde_json::{Value, json};

use crate::output::Output;

/// What one cell of a bar stands for.
const CELL_MS: u128 = 10;
/// The longest bar, in cells.
const LONGEST: usize = 40;

/// The attempts of one transaction.
pub(super) struct Attempts {
    output: Output,
    began: Instant,
    failed: Mutex<Failed>,
}

/// Those that failed.
#[derive(Default)]
struct Failed {
    /// When the wait behind the last one ends, since the beginning.
    past: Duration,
    /// The last one's error: it is said once, not each time.
    message: String,
    values: Vec<Value>,
}

impl Attempts {
    /// Of a transaction that begins now.
    pub(super) fn begin(output: &Output) -> Arc<Attempts> {
        Arc::new(Attempts { output: *output, began: Instant::now(), failed: Mutex::default() })
    }

    /// What is told about each attempt that fails, and shows it.
    pub(super) fn observer(self: &Arc<Attempts>) -> Observer {
        let attempts = Arc::clone(self);
        Arc::new(move |failed| attempts.record(failed))
    }

    /// Shows the attempt that committed, if others had failed.
    pub(super) fn committed(&self) {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if !failed.values.is_empty() {
            let took = self.began.elapsed().saturating_sub(failed.past);
            let number = failed.values.len() + 1;
            self.show(&format!("attempt {number} {} committed", attempt(took, "█")));
        }
    }

    /// The attempts that failed, for JSON.
    pub(super) fn values(&self) -> Vec<Value> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).values.clone()
    }

    fn record(&self, now: &FailedAttempt<'_>) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let (number, wait) = (now.attempt, now.decision.wait());
        let message = now.error.to_string();
        if failed.message != message {
            self.output.note(&format!("attempt {number} failed: {message}"));
            failed.message.clone_from(&message);
        }
        let took = attempt(now.elapsed.saturating_sub(failed.past), "▒");
        let next = match wait {
            Some(wait) => format!("{} wait {} ms", bar(wait, "·"), wait.as_millis()),
            None => "given up".to_owned(),
        };
        self.show(&format!("attempt {number} {took} {next}"));
        failed.past = now.elapsed + wait.unwrap_or_default();
        failed.values.push(json!({
            "attempt": number,
            "sqlstate": now.error.sqlstate(),
            "message": message,
            "wait_ms": wait.map(|wait| wait.as_secs_f64() * 1000.0),
        }));
    }

    /// Bars are for people; with `--json` the result has the numbers.
    fn show(&self, line: &str) {
        if !self.output.is_json() {
            self.output.note(line);
        }
    }
}

/// An attempt's bar, and how long it took.
fn attempt(took: Duration, cell: &str) -> String {
    format!("{} {} ms", bar(took, cell), took.as_millis())
}

/// A cell each 10 ms: at least one, and not more than fit on a line.
fn bar(time: Duration, cell: &str) -> String {
    let cells = usize::try_from(time.as_millis().div_ceil(CELL_MS)).unwrap_or(usize::MAX);
    if cells > LONGEST {
        return format!("{}…", cell.repeat(LONGEST - 1));
    }
    cell.repeat(cells.max(1))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{attempt, bar};

    #[test]
    fn a_cell_is_ten_milliseconds() {
        let cells = |ms| bar(Duration::from_millis(ms), "·").chars().count();
        assert_eq!([0, 1, 10, 11, 347, 400].map(cells), [1, 1, 1, 2, 35, 40]);
        assert_eq!(attempt(Duration::from_millis(12), "█"), "██ 12 ms");
    }

    #[test]
    fn a_long_wait_is_cut_to_the_line() {
        let long = bar(Duration::from_secs(5), "·");
        assert_eq!((long.chars().count(), long.ends_with("·…")), (40, true));
        assert_eq!(bar(Duration::MAX, "·"), long);
    }
}
