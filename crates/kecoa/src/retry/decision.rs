//! What to do about a failed attempt, and how many there were.

use std::time::Duration;

use super::failure::Failure;
use super::policy::Policy;
use crate::error::Error;

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
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the policy does not [validate](Policy::validate).
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
