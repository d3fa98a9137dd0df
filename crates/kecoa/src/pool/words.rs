//! What a pool says in its errors, and what it reads from those of others.

use std::time::Duration;

use super::core::Failure;
use super::shared::{Shared, State};
use crate::error::{Error, ErrorKind};

/// How many of the longest holders an error names.
const NAMED: usize = 3;

impl Shared {
    pub(super) fn closed_error(&self) -> Error {
        Error::usage(format!("{} is closed", self.options.name))
    }

    pub(super) fn timeout_error(
        &self,
        state: &State,
        asked: Duration,
        timeout: Option<Duration>,
    ) -> Error {
        Error::timeout(format!(
            "{}: no connection came free in {} s: waited {:.3} s; {}",
            self.options.name,
            timeout.unwrap_or_default().as_secs_f64(),
            self.now().saturating_sub(asked).as_secs_f64(),
            self.describe(state)
        ))
        .unsent()
    }

    pub(super) fn describe(&self, state: &State) -> String {
        let core = &state.core;
        let holders = core.holders();
        let mut text = format!(
            "size {} of at most {}, {} in use, {} more wait",
            core.size(),
            core.settings().max_size,
            holders.len(),
            core.waiting()
        );
        if core.opening() > 0 {
            text.push_str(&format!(", {} being opened", core.opening()));
        }
        let now = self.now();
        for (at, (since, id)) in holders.iter().take(NAMED).enumerate() {
            text.push_str(if at == 0 { "; held longest: " } else { "; " });
            let held = now.saturating_sub(*since).as_secs_f64();
            match state.taken.get(id) {
                Some(taken) => text.push_str(&format!("{held:.1} s by {taken}")),
                None => text.push_str(&format!("{held:.1} s by a caller on its way")),
            }
        }
        if let Some(error) = &state.last_error {
            text.push_str(&format!("; the last attempt to connect failed: {error}"));
        }
        text
    }
}

/// Reads from an error in connecting whether another attempt may do better.
pub(super) fn failure_of(error: &Error) -> Failure {
    match error.kind() {
        ErrorKind::Connect | ErrorKind::Server | ErrorKind::ConnectionLost | ErrorKind::Timeout => {
            match error.sqlstate() {
                None => Failure::Unreachable,
                Some(state) if state.starts_with("57P") || state.starts_with("08") => Failure::Busy,
                Some("53300") => Failure::Busy,
                Some(_) => Failure::Final,
            }
        }
        _ => Failure::Final,
    }
}
