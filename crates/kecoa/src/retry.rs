//! Retry: the policy, the decision, and nothing else.
//!
//! Everything here is pure. Time, sleep and randomness are passed in ([`Runtime`]), so that every
//! entry point (the Rust client, the Python driver) shares the rules and tests run in virtual time.
//!
//! A transaction is run again when the server says so (SQLSTATE 40001, at any statement and at
//! COMMIT), and when the connection was lost *before* COMMIT was sent: then nothing of it can have
//! been committed. It is never run again when COMMIT may have succeeded.
//!
//! ```
//! use kecoa::retry::{Attempts, Decision, Failure, Policy};
//! use std::time::Duration;
//!
//! let mut attempts = Attempts::new(Policy::default(), Duration::ZERO)?;
//! // … the first attempt fails with 40001 after 30 ms; 0.5 is a random number …
//! let failure = Failure::from_sqlstate(Some("40001"), false, false);
//! let decision = attempts.on_failure(failure, Duration::from_millis(30), 0.5);
//! assert_eq!(decision, Decision::RetryAfter(Duration::from_millis(50)));
//! assert_eq!(attempts.attempt(), 2);
//! # Ok::<(), kecoa::Error>(())
//! ```

use std::time::{Duration, Instant};

use crate::error::{
    COMPLETION_UNKNOWN, Error, ErrorKind, RESOLUTION_UNKNOWN, SERIALIZATION_FAILURE,
};

mod effect;

pub use effect::{Block, Effect, effect_of, is_commit};
pub(crate) use effect::{Reading, read_request};

/// How the wait between two attempts is spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Jitter {
    /// Anything between zero and the full delay, evenly: contending clients spread out the most.
    #[default]
    Full,
    /// Always the full delay.
    None,
}

/// How often and for how long a transaction is tried.
///
/// The default: 10 attempts, a first delay of 100 ms, doubled each time, capped at 5 s, with full
/// jitter, and 60 s in all.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// How many times the transaction is tried at most, the first time included; at least 1.
    pub max_attempts: u32,
    /// The delay after the first failed attempt, before jitter.
    pub first_delay: Duration,
    /// What the delay is multiplied by after each further failure; finite, at least 1.
    pub factor: f64,
    /// The delay never grows beyond this.
    pub max_delay: Duration,
    /// Time from the start after which no attempt begins; the last wait is cut to end there.
    pub total: Option<Duration>,
    /// How the delay is spread.
    pub jitter: Jitter,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            max_attempts: 10,
            first_delay: Duration::from_millis(100),
            factor: 2.0,
            max_delay: Duration::from_secs(5),
            total: Some(Duration::from_secs(60)),
            jitter: Jitter::Full,
        }
    }
}

impl Policy {
    /// A policy that tries once.
    #[must_use]
    pub fn once() -> Policy {
        Policy { max_attempts: 1, ..Policy::default() }
    }

    /// Checks the numbers.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when `max_attempts` is 0, or `factor` is below 1 or not finite.
    pub fn validate(&self) -> Result<(), Error> {
        if self.max_attempts == 0 {
            return Err(Error::config("expected max_attempts of at least 1, found 0"));
        }
        if !self.factor.is_finite() || self.factor < 1.0 {
            return Err(Error::config(format!(
                "expected a finite factor of at least 1, found {}",
                self.factor
            )));
        }
        Ok(())
    }

    /// The wait after failed attempt number `attempt` (from 1), given a random number from 0 to 1.
    #[must_use]
    pub fn delay(&self, attempt: u32, random: f64) -> Duration {
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        // The product overflows to infinity long before the cap stops mattering; zero times
        // infinity is the one case that is not a number, and a first delay of zero stays zero.
        let grown = if self.first_delay.is_zero() {
            0.0
        } else {
            self.first_delay.as_secs_f64() * self.factor.powi(exponent)
        };
        let spread = match self.jitter {
            Jitter::None => 1.0,
            Jitter::Full if random.is_finite() => random.clamp(0.0, 1.0),
            Jitter::Full => 1.0,
        };
        let capped = grown.min(self.max_delay.as_secs_f64());
        Duration::try_from_secs_f64(capped * spread).unwrap_or(self.max_delay)
    }
}

/// The clock, the sleep and the chance that a retry loop runs on.
pub trait Runtime {
    /// Time since some fixed moment; never goes back.
    fn now(&self) -> Duration;
    /// Waits.
    fn sleep(&mut self, duration: Duration);
    /// A random number, at least 0 and below 1.
    fn random(&mut self) -> f64;
}

/// The [`Runtime`] of the machine: monotonic clock, thread sleep, a fast generator.
#[derive(Clone, Copy, Debug)]
pub struct SystemRuntime {
    start: Instant,
}

impl SystemRuntime {
    /// A runtime whose clock starts now.
    #[must_use]
    pub fn new() -> SystemRuntime {
        SystemRuntime { start: Instant::now() }
    }
}

impl Default for SystemRuntime {
    fn default() -> SystemRuntime {
        SystemRuntime::new()
    }
}

impl Runtime for SystemRuntime {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&mut self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn random(&mut self) -> f64 {
        fastrand::f64()
    }
}

/// What an error means for the transaction it happened in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server rolled back and asks for another try on the same connection.
    Retryable,
    /// The connection is gone (or was never made) and COMMIT was not sent: nothing was committed.
    LostBeforeCommit,
    /// COMMIT may have succeeded.
    Ambiguous,
    /// Anything else: the same work would fail in the same way.
    Final,
}

impl Failure {
    /// Reads the meaning from the facts: the server's SQLSTATE if it reported an error, whether the
    /// connection was lost, and whether COMMIT had been sent (with or without an answer so far).
    #[must_use]
    pub fn from_sqlstate(sqlstate: Option<&str>, lost: bool, commit_sent: bool) -> Failure {
        match sqlstate {
            // A certain abort, even at COMMIT; all that is left to know is where to try again.
            Some(SERIALIZATION_FAILURE) if lost => Failure::LostBeforeCommit,
            Some(SERIALIZATION_FAILURE) => Failure::Retryable,
            Some(COMPLETION_UNKNOWN | RESOLUTION_UNKNOWN) => Failure::Ambiguous,
            // 57P01 in answer to COMMIT proves nothing: PostgreSQL reports it too when it ends
            // a session that waits for its committed work to reach a synchronous standby.
            _ if lost || sqlstate.is_some_and(ends_session) => {
                if commit_sent {
                    Failure::Ambiguous
                } else {
                    Failure::LostBeforeCommit
                }
            }
            // Whoever stands between has lost the server, or the server another one.
            Some(state) if commit_sent && state.starts_with("08") => Failure::Ambiguous,
            _ => Failure::Final,
        }
    }
}

/// Whether the server ends its sessions with this SQLSTATE, whatever they do: it shuts down or has
/// crashed, or their database is gone.
fn ends_session(sqlstate: &str) -> bool {
    matches!(sqlstate, "57P01" | "57P02" | "57P04" | "57P05")
}

/// Whether a server's error in answer to a COMMIT leaves open what became of it.
pub(crate) fn leaves_open(sqlstate: &str) -> bool {
    Failure::from_sqlstate(Some(sqlstate), false, true) == Failure::Ambiguous
}

/// Reads the meaning of an error; `commit_in_flight` says whether it happened at COMMIT.
#[must_use]
pub fn classify(error: &Error, commit_in_flight: bool) -> Failure {
    match error.kind() {
        ErrorKind::AmbiguousCommit => Failure::Ambiguous,
        ErrorKind::Server | ErrorKind::ConnectionLost => Failure::from_sqlstate(
            error.sqlstate(),
            error.is_connection_lost(),
            commit_in_flight && !error.nothing_was_sent(),
        ),
        ErrorKind::RolledBack if error.is_retryable() => Failure::Retryable,
        // The peer's babble in answer to COMMIT says nothing about the commit.
        ErrorKind::Protocol if commit_in_flight => Failure::Ambiguous,
        // A server that restarts or drains refuses connections for a while. What it says about
        // the caller (no such database, no such role) stays true.
        ErrorKind::Connect => match error.sqlstate() {
            None => Failure::LostBeforeCommit,
            Some(state) if state.starts_with("57P") || state.starts_with("08") => {
                Failure::LostBeforeCommit
            }
            Some("53300") => Failure::LostBeforeCommit,
            Some(_) => Failure::Final,
        },
        ErrorKind::Timeout if commit_in_flight => Failure::Ambiguous,
        ErrorKind::Timeout => Failure::LostBeforeCommit,
        // Interrupted at COMMIT: the cancel came too late or the connection was given up.
        ErrorKind::Interrupted | ErrorKind::ResultTooLarge
            if commit_in_flight && error.is_connection_lost() =>
        {
            Failure::Ambiguous
        }
        _ => Failure::Final,
    }
}

/// What to do about a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Wait, then run the transaction again on the same connection.
    RetryAfter(Duration),
    /// Wait, connect again, then run the transaction.
    RetryOnFreshConnection(Duration),
    /// Report the error: it is final, or the policy allows no further attempt.
    GiveUp,
    /// Report that the outcome is not known. Never run the transaction again.
    Ambiguous,
}

impl Decision {
    /// The wait before the next attempt, when there is one.
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        match self {
            Decision::RetryAfter(wait) | Decision::RetryOnFreshConnection(wait) => Some(*wait),
            Decision::GiveUp | Decision::Ambiguous => None,
        }
    }
}

/// The state of one run of a transaction: how often it was tried, since when.
#[derive(Clone, Debug)]
pub struct Attempts {
    policy: Policy,
    started: Duration,
    attempt: u32,
    elapsed: Duration,
}

impl Attempts {
    /// Starts the first attempt at the time `now`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when the policy does not [validate](Policy::validate).
    pub fn new(policy: Policy, now: Duration) -> Result<Attempts, Error> {
        policy.validate()?;
        Ok(Attempts { policy, started: now, attempt: 1, elapsed: Duration::ZERO })
    }

    /// The number of the attempt that runs now, or of the last one; from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Time from the start to the last failure, waits included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// The policy of this run.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The running attempt failed at the time `now`; `random` is from 0 to 1. When the decision is
    /// to retry, [`attempt`](Attempts::attempt) is the number of the attempt to come.
    pub fn on_failure(&mut self, failure: Failure, now: Duration, random: f64) -> Decision {
        self.elapsed = now.saturating_sub(self.started);
        match failure {
            Failure::Ambiguous => return Decision::Ambiguous,
            Failure::Final => return Decision::GiveUp,
            Failure::Retryable | Failure::LostBeforeCommit => {}
        }
        if self.attempt >= self.policy.max_attempts {
            return Decision::GiveUp;
        }
        let mut wait = self.policy.delay(self.attempt, random);
        if let Some(total) = self.policy.total {
            match total.checked_sub(self.elapsed) {
                Some(left) if !left.is_zero() => wait = wait.min(left),
                _ => return Decision::GiveUp,
            }
        }
        self.attempt = self.attempt.saturating_add(1);
        if failure == Failure::LostBeforeCommit {
            Decision::RetryOnFreshConnection(wait)
        } else {
            Decision::RetryAfter(wait)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn policy() -> Policy {
        Policy { jitter: Jitter::None, ..Policy::default() }
    }

    #[test]
    fn delays_double_up_to_the_cap() {
        let policy = policy();
        let delays: Vec<_> = (1..=8).map(|n| policy.delay(n, 0.0).as_millis()).collect();
        assert_eq!(delays, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(policy.delay(u32::MAX, 0.0), Duration::from_secs(5));
    }

    #[test]
    fn full_jitter_spreads_from_zero_to_the_delay() {
        let policy = Policy::default();
        assert_eq!(policy.delay(2, 0.0), Duration::ZERO);
        assert_eq!(policy.delay(2, 0.25), MS(50));
        assert_eq!(policy.delay(2, 1.0), MS(200));
        assert_eq!(policy.delay(2, 7.0), MS(200), "a broken generator must not stretch the wait");
        assert_eq!(policy.delay(2, f64::NAN), MS(200));
    }

    #[test]
    fn a_first_delay_of_zero_stays_zero() {
        let policy = Policy { first_delay: Duration::ZERO, ..policy() };
        assert_eq!(policy.delay(u32::MAX, 1.0), Duration::ZERO);
    }

    #[test]
    fn huge_delays_do_not_overflow() {
        let policy =
            Policy { first_delay: Duration::MAX, max_delay: Duration::MAX, ..self::policy() };
        assert_eq!(policy.delay(3, 1.0), Duration::MAX);
    }

    #[test]
    fn numbers_are_checked() {
        for broken in [
            Policy { max_attempts: 0, ..policy() },
            Policy { factor: 0.5, ..policy() },
            Policy { factor: f64::NAN, ..policy() },
            Policy { factor: f64::INFINITY, ..policy() },
        ] {
            let error = Attempts::new(broken, Duration::ZERO).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().starts_with("expected "), "{error}");
        }
    }

    #[test]
    fn attempts_run_out() {
        let mut attempts = Attempts::new(Policy { max_attempts: 3, ..policy() }, MS(7)).unwrap();
        let decision = attempts.on_failure(Failure::Retryable, MS(8), 0.0);
        assert_eq!(decision, Decision::RetryAfter(MS(100)));
        let decision = attempts.on_failure(Failure::LostBeforeCommit, MS(110), 0.0);
        assert_eq!(decision, Decision::RetryOnFreshConnection(MS(200)));
        assert_eq!(attempts.attempt(), 3);
        assert_eq!(attempts.on_failure(Failure::Retryable, MS(400), 0.0), Decision::GiveUp);
        assert_eq!((attempts.attempt(), attempts.elapsed()), (3, MS(393)));
    }

    #[test]
    fn total_time_cuts_the_last_wait_and_then_ends_the_run() {
        let total = Some(MS(250));
        let mut attempts = Attempts::new(Policy { total, ..policy() }, Duration::ZERO).unwrap();
        let fail = |attempts: &mut Attempts, now| attempts.on_failure(Failure::Retryable, now, 0.0);
        assert_eq!(fail(&mut attempts, MS(100)), Decision::RetryAfter(MS(100)));
        assert_eq!(fail(&mut attempts, MS(210)), Decision::RetryAfter(MS(40)), "200 ms, cut");
        assert_eq!(fail(&mut attempts, MS(250)), Decision::GiveUp);
    }

    #[test]
    fn final_and_ambiguous_failures_are_never_retried() {
        let mut attempts = Attempts::new(policy(), Duration::ZERO).unwrap();
        assert_eq!(attempts.on_failure(Failure::Final, MS(1), 0.0), Decision::GiveUp);
        assert_eq!(attempts.on_failure(Failure::Ambiguous, MS(1), 0.0), Decision::Ambiguous);
        assert_eq!(attempts.attempt(), 1);
    }

    #[test]
    fn facts_are_read_as_documented() {
        use Failure::{Ambiguous, Final, LostBeforeCommit, Retryable};
        for (sqlstate, lost, commit_sent, meaning) in [
            (Some("40001"), false, false, Retryable),
            (Some("40001"), false, true, Retryable),
            (Some("40001"), true, true, LostBeforeCommit),
            (Some("40003"), false, false, Ambiguous),
            (Some("40003"), false, true, Ambiguous),
            (Some("08007"), false, false, Ambiguous),
            (Some("08007"), false, true, Ambiguous),
            (Some("08006"), false, true, Ambiguous),
            (Some("08006"), false, false, Final),
            (Some("57P02"), false, false, LostBeforeCommit),
            (Some("57P02"), false, true, Ambiguous),
            (None, true, false, LostBeforeCommit),
            (None, true, true, Ambiguous),
            (Some("57P01"), false, false, LostBeforeCommit),
            (Some("57P01"), true, false, LostBeforeCommit),
            (Some("57P01"), true, true, Ambiguous),
            (Some("40P01"), false, false, Final),
            (Some("23505"), false, true, Final),
            (Some("XXA00"), false, true, Final),
            (None, false, false, Final),
        ] {
            let found = Failure::from_sqlstate(sqlstate, lost, commit_sent);
            assert_eq!(found, meaning, "{sqlstate:?} lost={lost} commit_sent={commit_sent}");
        }
    }

    #[test]
    fn errors_are_read_as_documented() {
        let lost = || Error::connection_lost("gone");
        assert_eq!(classify(&lost(), false), Failure::LostBeforeCommit);
        assert_eq!(classify(&lost(), true), Failure::Ambiguous);
        assert_eq!(classify(&Error::closed(), true), Failure::LostBeforeCommit, "never sent");
        assert_eq!(classify(&Error::connect("nobody listens"), false), Failure::LostBeforeCommit);
        assert_eq!(classify(&Error::tls("no"), false), Failure::Final);
        assert_eq!(classify(&Error::unexpected("babble"), true), Failure::Ambiguous);
        assert_eq!(classify(&Error::unexpected("babble"), false), Failure::Final);
        assert_eq!(classify(&Error::usage("NUL"), true), Failure::Final);
        assert_eq!(classify(&Error::ambiguous_commit("?", lost()), false), Failure::Ambiguous);
    }

    proptest::proptest! {
        /// Whatever the policy and the chance: no wait is beyond the cap, no attempt beyond the
        /// number, and none begins after the time is up.
        #[test]
        fn no_policy_exceeds_itself(
            max_attempts in 1_u32..50,
            first in 0_u64..100_000,
            factor in 1.0_f64..1e6,
            cap in 0_u64..100_000,
            total in proptest::option::of(0_u64..1_000_000),
            random in proptest::num::f64::ANY,
            work in 0_u64..1_000,
        ) {
            let policy = Policy {
                max_attempts,
                first_delay: MS(first),
                factor,
                max_delay: MS(cap),
                total: total.map(MS),
                jitter: Jitter::Full,
            };
            let mut attempts = Attempts::new(policy, Duration::ZERO).unwrap();
            let mut now = Duration::ZERO;
            loop {
                now += MS(work);
                let decision = attempts.on_failure(Failure::Retryable, now, random);
                let Some(wait) = decision.wait() else { break };
                proptest::prop_assert!(wait <= MS(cap));
                now += wait;
                proptest::prop_assert!(total.is_none_or(|total| now <= MS(total)));
                proptest::prop_assert!(attempts.attempt() <= max_attempts);
            }
        }
    }
}
