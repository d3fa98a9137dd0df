//! What a pool says in its errors, and what it reads from those of others.

use std::collections::HashMap;
use std::panic::Location;
use std::time::Duration;

use super::core::{ConnId, Core, Failure};
use crate::error::{Error, ErrorKind};

/// How many of the longest holders an error names.
const NAMED: usize = 3;

/// What errors say of a pool.
pub(super) struct Report<'a> {
    pub(super) name: &'a str,
    pub(super) core: &'a Core,
    /// Where each connection was checked out.
    pub(super) taken: &'a HashMap<ConnId, &'static Location<'static>>,
    pub(super) last_error: Option<&'a str>,
}

impl Report<'_> {
    pub(super) fn closed(&self) -> Error {
        Error::usage(format!("{} is closed", self.name))
    }

    pub(super) fn full(&self, now: Duration) -> Error {
        Error::timeout(format!(
            "{}: {} callers wait for a connection already: {}",
            self.name,
            self.core.waiting(),
            self.describe(now)
        ))
        .unsent()
    }

    pub(super) fn timeout(
        &self,
        now: Duration,
        since: Duration,
        timeout: Option<Duration>,
    ) -> Error {
        Error::timeout(format!(
            "{}: no connection came free in {} s: waited {:.3} s; {}",
            self.name,
            timeout.unwrap_or_default().as_secs_f64(),
            now.saturating_sub(since).as_secs_f64(),
            self.describe(now)
        ))
        .unsent()
    }

    /// [`min_size`](super::Settings::min_size) connections were not there in time.
    pub(super) fn unfilled(&self, now: Duration, timeout: Duration) -> Error {
        Error::timeout(format!(
            "{}: expected {} connections after {} s, found {}",
            self.name,
            self.core.settings().min_size,
            timeout.as_secs_f64(),
            self.describe(now)
        ))
    }

    fn describe(&self, now: Duration) -> String {
        let core = self.core;
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
        for (at, (since, id)) in holders.iter().take(NAMED).enumerate() {
            text.push_str(if at == 0 { "; held longest: " } else { "; " });
            let held = now.saturating_sub(*since).as_secs_f64();
            match self.taken.get(id) {
                Some(taken) => text.push_str(&format!("{held:.1} s by {taken}")),
                None => text.push_str(&format!("{held:.1} s by a caller on its way")),
            }
        }
        if let Some(error) = self.last_error {
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
