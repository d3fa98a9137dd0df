//! What was done to the server, and what the checks found.

use std::collections::BTreeMap;
use std::time::Duration;

use super::bounded::{Smallest, Tallies};
use super::latency::microseconds;
use crate::plain::{MESSAGE_LENGTH, NAME_LENGTH, plain};

/// Different faults that are counted apart.
const FAULTS: usize = 40;
/// Kills that are held one by one: the first ones.
const KILLS: usize = 200;

/// Faults, and times at which the server was killed.
#[derive(Debug)]
pub(crate) struct Incidents {
    faults: Tallies<String, u64>,
    killed: Smallest<u64, ()>,
    back: Smallest<u64, u64>,
    kills: u64,
}

impl Incidents {
    pub(crate) fn new() -> Incidents {
        Incidents {
            faults: Tallies::new(FAULTS),
            killed: Smallest::new(KILLS),
            back: Smallest::new(KILLS),
            kills: 0,
        }
    }

    pub(crate) fn fault(&mut self, what: &str) {
        *self.faults.of(plain(what, NAME_LENGTH)) += 1;
    }

    pub(crate) fn killed(&mut self, at: Duration) {
        self.kills += 1;
        self.killed.offer(microseconds(at), || ());
    }

    pub(crate) fn back(&mut self, at: Duration, down: Duration) {
        self.back.offer(microseconds(at), || microseconds(down));
    }

    /// What was injected, and how often.
    pub(crate) fn faults(&self) -> impl Iterator<Item = (&str, u64)> {
        let other = self.faults.other().map(|count| ("other faults", *count));
        self.faults.named().map(|(what, count)| (what.as_str(), *count)).chain(other)
    }

    /// How often the server was killed.
    pub(crate) fn kill_count(&self) -> u64 {
        self.kills
    }

    /// When it was killed, and how long it was down; `None` where it has not come back. In microseconds.
    pub(crate) fn kills(&self) -> impl Iterator<Item = (u64, Option<u64>)> {
        let killed: Vec<u64> = self.killed.iter().map(|(at, ())| *at).collect();
        let ends: Vec<u64> = killed.iter().skip(1).copied().chain([u64::MAX]).collect();
        killed.into_iter().zip(ends).map(|(at, end)| {
            let back = self.back.iter().find(|(back, _)| (at..end).contains(*back));
            (at, back.map(|(_, down)| *down))
        })
    }
}

/// What one check found.
#[derive(Debug, Default)]
pub(crate) struct CheckTally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// When it was made last, whether it passed then, and what it said.
    pub(crate) last: Option<(u64, bool, String)>,
    /// When it failed first, and what it said.
    pub(crate) first_failure: Option<(u64, String)>,
}

/// The checks by name.
#[derive(Debug, Default)]
pub(crate) struct Checks(BTreeMap<&'static str, CheckTally>);

impl Checks {
    pub(crate) fn record(
        &mut self,
        at: Duration,
        check: &'static str,
        result: &Result<String, String>,
    ) {
        let tally = self.0.entry(check).or_default();
        let at = microseconds(at);
        let (passed, said) = match result {
            Ok(said) => (true, plain(said, MESSAGE_LENGTH)),
            Err(said) => (false, plain(said, MESSAGE_LENGTH)),
        };
        if passed {
            tally.passed += 1;
        } else {
            tally.failed += 1;
            if tally.first_failure.as_ref().is_none_or(|(first, _)| at < *first) {
                tally.first_failure = Some((at, said.clone()));
            }
        }
        if tally.last.as_ref().is_none_or(|(last, ..)| *last <= at) {
            tally.last = Some((at, passed, said));
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &CheckTally)> {
        self.0.iter().map(|(check, tally)| (*check, tally))
    }
}
