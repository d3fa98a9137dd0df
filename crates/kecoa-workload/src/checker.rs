//! Checks the invariants, all along and at the end.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use kecoa::ErrorKind;
use kecoa::blocking::Client;

use crate::error::Error;
use crate::event::Event;
use crate::invariant::Check;
use crate::options;
use crate::schema::Settings;
use crate::shared::{Commits, Shared};
use crate::statements::complete;
use crate::workload::invariants;

/// How long the checks at the end wait for the server.
const AT_THE_END: Duration = Duration::from_secs(60);
/// How long they wait for it where the caller wants the run to end.
const HURRIED: Duration = Duration::from_secs(2);
const SILENT: &str = "the server does not answer, so the invariants could not be checked at the end: check them by \
                      `kecoa workload check` when it does";

/// Checks until the run is over. While the server is away nothing is checked.
pub(crate) fn watch(shared: &Arc<Shared>, settings: &Settings, every: Duration) {
    let mut connected = None;
    let mut next = every;
    loop {
        shared.sleep_until(next);
        if shared.is_ending() {
            return;
        }
        let client = match connected.take() {
            Some(client) => Ok(client),
            None => Client::connect(&shared.direct),
        };
        if let Ok(mut client) = client
            && let Ok(checks) = check(shared, settings, &mut client, false)
            // Whoever was not waited for has nothing to say any more.
            && !shared.is_cut()
        {
            connected = Some(client);
            report(shared, &checks);
        }
        next = shared.now() + every;
    }
}

/// Checks once all workers have ended.
///
/// A server that does not answer a connection is given up, soon where the caller wants the run to end.
pub(crate) fn at_the_end(
    shared: &Arc<Shared>,
    settings: &Settings,
    is_interrupted: &dyn Fn() -> bool,
) -> Result<Vec<Check>, Error> {
    let began = Instant::now();
    let until = began + AT_THE_END;
    let mut waits_on = || {
        let is_hurried = is_interrupted() && began.elapsed() >= HURRIED;
        match is_hurried || Instant::now() >= until {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    loop {
        let connected = Client::connect_with(&shared.direct, &mut waits_on);
        let connected = connected.map_err(|error| match error.kind() {
            ErrorKind::Interrupted => Error::Setup(SILENT.to_owned()),
            _ => error.into(),
        });
        let checked = connected.and_then(|mut client| check(shared, settings, &mut client, true));
        match checked {
            Ok(checks) => {
                report(shared, &checks);
                return Ok(checks);
            }
            // The server may be about to come back.
            Err(Error::Database(error)) if is_away(&error) && waits_on().is_continue() => {
                thread::sleep(Duration::from_millis(200));
            }
            Err(error) => return Err(error),
        }
    }
}

fn is_away(error: &kecoa::Error) -> bool {
    error.is_connection_lost()
        || kecoa::retry::classify(error, false) != kecoa::retry::Failure::Final
}

fn check(
    shared: &Shared,
    settings: &Settings,
    client: &mut Client,
    is_last: bool,
) -> Result<Vec<Check>, Error> {
    let mut checks = invariants(client, shared.options.name, settings)?;
    let before = shared.commits();
    let found = complete(shared.log.commits(client))?;
    let after = shared.commits();
    let under_way = match shared.options.client {
        _ if is_last => Some(0),
        options::Client::Blocking | options::Client::Tokio => Some(1),
        // Its reports come later than its commits, by how much is not known.
        options::Client::Python => None,
    };
    checks.push(commits(&before, &found, &after, under_way));
    if is_last {
        checks.extend(shared.workload.check_versions(client)?);
    }
    Ok(checks)
}

fn report(shared: &Shared, checks: &[Check]) {
    for Check { name, result } in checks {
        let at = shared.now();
        shared.report(Event::Checked { at, check: name, result: result.clone() });
        if let Err(violation) = result {
            shared.violate(format!("{name}: {violation}"));
        }
    }
}

/// Compares the commits that the database has of each worker with those that the worker knew of before and after
/// they were read. `under_way` is how many more there may be that are not reported yet; `None` for any number.
fn commits(
    before: &[Commits],
    found: &[(u32, i64)],
    after: &[Commits],
    under_way: Option<i64>,
) -> Check {
    let mut wrong = Vec::new();
    let mut total = 0;
    for (worker, (before, after)) in before.iter().zip(after).enumerate() {
        let row = found.iter().find(|(number, _)| usize::try_from(*number) == Ok(worker));
        let Some((_, commits)) = row else {
            wrong.push(format!("worker {worker} has no record"));
            continue;
        };
        total += commits;
        if *commits < before.known {
            wrong.push(format!(
                "worker {worker} knows of {} commits, and the database has {commits}: {} were lost",
                before.known,
                before.known - commits
            ));
        }
        let most = under_way.map(|under_way| after.known + after.unknown + under_way);
        if most.is_some_and(|most| *commits > most) {
            wrong.push(format!(
                "worker {worker} knows of {} commits, and the database has {commits}: what was reported as not \
                 committed was, or was committed twice",
                after.known
            ));
        }
    }
    match wrong.is_empty() {
        true => Check::holds("commits", format!("{total}, each once")),
        false => Check::violated("commits", wrong.join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(known: i64) -> Commits {
        Commits { known, unknown: 0 }
    }

    #[test]
    fn a_commit_that_was_lost_or_done_twice_shows() {
        let at_end = |found: i64| commits(&[known(5)], &[(0, found)], &[known(5)], Some(0)).result;
        assert!(at_end(5).is_ok());
        assert!(at_end(4).unwrap_err().contains("1 were lost"));
        assert!(at_end(6).unwrap_err().contains("committed twice"));
        assert!(commits(&[known(5)], &[], &[known(5)], Some(0)).result.is_err());
    }

    #[test]
    fn what_is_under_way_may_be_there_or_not() {
        let all_along = |found| commits(&[known(5)], &[(0, found)], &[known(7)], Some(1)).result;
        for found in 5..=8 {
            assert!(all_along(found).is_ok(), "{found}");
        }
        assert!(all_along(4).is_err());
        assert!(all_along(9).is_err());
        let unknown = Commits { known: 5, unknown: 1 };
        assert!(commits(&[unknown], &[(0, 6)], &[unknown], Some(0)).result.is_ok());
        assert!(commits(&[unknown], &[(0, 7)], &[unknown], Some(0)).result.is_err());
    }
}
