//! How often and for how long a transaction is tried.

use std::time::Duration;

use crate::error::Error;

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
///
/// ```
/// use std::time::Duration;
///
/// use kecoa::retry::Policy;
///
/// let policy = Policy { max_attempts: 20, first_delay: Duration::from_millis(10), ..Policy::default() };
/// policy.validate()?;
/// assert_eq!(Policy::once().max_attempts, 1);
/// # Ok::<(), kecoa::Error>(())
/// ```
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
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when `max_attempts` is 0, or `factor` is below 1 or not finite.
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
