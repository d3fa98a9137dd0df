//! The search for a host that accepts the connection: which are tried, in which order, for how long.

use kecoa_proto::Connection;

use super::address::Address;
use super::attempt::try_place;
use super::deadline::{Clock, Deadline};
use super::failure::{Failure, Failures, Place};
use super::order::{self, Balance};
use super::race::Race;
use super::stream::Stream;
use super::target_session_attrs;
use super::wait::Wait;
use crate::config::{Config, SessionAttributes, Target};
use crate::error::Error;
use crate::interrupt::Interrupt;

/// What a search depends on beside its configuration. Tests put their own in.
pub(super) struct SearchContext<'a> {
    pub(super) clock: Clock,
    pub(super) balance: Balance,
    /// The addresses of a name.
    pub(super) resolve: &'a dyn Fn(&Target) -> Result<Vec<Address>, Error>,
}

/// Connects to the first place that accepts the connection and has the session that is wanted.
pub(super) fn search(
    config: &Config,
    mut context: SearchContext<'_>,
    hook: &mut dyn Interrupt,
) -> Result<(Stream, Connection), Error> {
    let mut targets: Vec<(usize, Target)> = config.targets()?.into_iter().enumerate().collect();
    context.balance.hosts(&mut targets);
    // As libpq: whoever prefers a standby asks all for one, and then takes what there is.
    let passes: &[SessionAttributes] = match config.session_attributes() {
        SessionAttributes::PreferStandby => &[SessionAttributes::Standby, SessionAttributes::Any],
        wanted => &[wanted],
    };
    let mut failures = Failures::default();
    for wanted in passes {
        failures = Failures::default();
        for (index, target) in &targets {
            if let Some(limit) = context.clock.passed() {
                failures.take(not_tried(target, limit))?;
            }
            let addresses = match (context.resolve)(target) {
                Ok(addresses) => addresses,
                Err(error) => {
                    failures.add(error);
                    continue;
                }
            };
            let mut addresses = order::interleave(addresses);
            context.balance.addresses(&mut addresses, targets.len());
            let addresses = order::interleave(addresses);
            let attempt = HostAttempt {
                config,
                target,
                wanted: *wanted,
                password: config.password_for(*index),
            };
            let race = Race::new(config, target, context.clock, addresses);
            if let Some(connected) = attempt.run(race, hook, &mut failures)? {
                return Ok(connected);
            }
        }
    }
    Err(failures.into_error())
}

/// The time for all hosts is over, perhaps because the look-up of a name took it.
fn not_tried(target: &Target, limit: Deadline) -> Failure {
    let Deadline { option, allows, .. } = limit;
    let host = target.host_or_address();
    Failure::give_up(Error::timeout(format!(
        "timeout expired before host \"{host}\" was tried ({option} is {} s)",
        allows.as_secs_f64()
    )))
}

/// One host, and what is wanted of it.
struct HostAttempt<'a> {
    config: &'a Config,
    target: &'a Target,
    wanted: SessionAttributes,
    password: Option<&'a [u8]>,
}

impl HostAttempt<'_> {
    /// Tries the addresses of the host until one is usable. All may be different servers, so one
    /// that is not leaves the others; libpq goes on to the next host in some of these cases.
    fn run(
        &self,
        mut race: Race<'_>,
        hook: &mut dyn Interrupt,
        failures: &mut Failures,
    ) -> Result<Option<(Stream, Connection)>, Error> {
        while let Some(winner) = race.next(hook, failures)? {
            let place = Place { target: self.target, address: &winner.address };
            let mut wait = Wait::new(winner.deadline, &mut *hook);
            let tried = try_place(self.config, self.password, &place, winner.socket, &mut wait)
                .and_then(|(stream, connection)| {
                    self.check_session(stream, connection, &place, &mut wait)
                });
            match tried {
                Ok(connected) => return Ok(Some(connected)),
                Err(failure) => failures.take(failure)?,
            }
        }
        Ok(None)
    }

    fn check_session(
        &self,
        mut stream: Stream,
        mut connection: Connection,
        place: &Place<'_>,
        wait: &mut Wait<'_>,
    ) -> Result<(Stream, Connection), Failure> {
        target_session_attrs::check(self.wanted, &mut stream, &mut connection, place, wait)?;
        Ok((stream, connection))
    }
}
