//! The numbers that a pool keeps to.

use std::time::Duration;

use crate::error::Error;

/// The limits of a pool; `None`: no such limit.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// How many connections are kept open; 4.
    pub min_size: usize,
    /// How many connections there are at most; 4.
    pub max_size: usize,
    /// How many callers may wait; 0, the default: any number.
    pub max_waiting: usize,
    /// The age at which a connection is replaced; 30 minutes.
    pub max_lifetime: Option<Duration>,
    /// The part of `max_lifetime` by which chance may shorten it, so that not all end at once; 0.1.
    pub lifetime_jitter: f64,
    /// How long a connection beyond `min_size` may be unused; 10 minutes.
    pub max_idle: Option<Duration>,
    /// How long a connection may be unused before it is asked by a round trip; none: it is only
    /// looked at.
    pub check_after: Option<Duration>,
    /// How often idle connections are looked at; 10 seconds.
    pub sweep_every: Option<Duration>,
    /// How long a connection may be checked out before a leak is reported; none.
    pub leak_after: Option<Duration>,
    /// The pause after a first failed attempt to connect, which doubles with each further one; 100 ms.
    pub first_backoff: Duration,
    /// The longest pause between attempts to connect; 10 seconds.
    pub max_backoff: Duration,
    /// How long an attempt to connect may take before nobody counts on it any more, and others are
    /// begun beside it; 2 seconds.
    pub slow_open_after: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            min_size: 4,
            max_size: 4,
            max_waiting: 0,
            max_lifetime: Some(Duration::from_secs(1800)),
            lifetime_jitter: 0.1,
            max_idle: Some(Duration::from_secs(600)),
            check_after: None,
            sweep_every: Some(Duration::from_secs(10)),
            leak_after: None,
            first_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(10),
            slow_open_after: Duration::from_secs(2),
        }
    }
}

impl Settings {
    /// Checks the numbers.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming what was expected and found.
    pub fn validate(&self) -> Result<(), Error> {
        check_sizes(self.min_size, self.max_size)?;
        if !(0.0..=1.0).contains(&self.lifetime_jitter) {
            return Err(Error::config(format!(
                "expected lifetime_jitter from 0 to 1, found {}",
                self.lifetime_jitter
            )));
        }
        for (name, value) in [
            ("max_lifetime", self.max_lifetime),
            ("max_idle", self.max_idle),
            ("sweep_every", self.sweep_every),
            ("leak_after", self.leak_after),
            ("first_backoff", Some(self.first_backoff)),
            ("max_backoff", Some(self.max_backoff)),
            ("slow_open_after", Some(self.slow_open_after)),
        ] {
            if value == Some(Duration::ZERO) {
                return Err(Error::config(format!("expected {name} above 0, found 0")));
            }
        }
        Ok(())
    }
}

pub(crate) fn check_sizes(min_size: usize, max_size: usize) -> Result<(), Error> {
    if max_size < min_size.max(1) {
        return Err(Error::config(format!(
            "expected min_size <= max_size and max_size > 0, found {min_size}, {max_size}"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_must_make_sense() {
        let cases: [(Settings, &str); 4] = [
            (Settings { min_size: 3, max_size: 2, ..Settings::default() }, "found 3, 2"),
            (Settings { min_size: 0, max_size: 0, ..Settings::default() }, "found 0, 0"),
            (Settings { lifetime_jitter: f64::NAN, ..Settings::default() }, "found NaN"),
            (
                Settings { max_idle: Some(Duration::ZERO), ..Settings::default() },
                "expected max_idle above 0, found 0",
            ),
        ];
        for (settings, text) in cases {
            let error = settings.validate().unwrap_err();
            assert!(error.to_string().contains(text), "{error}");
        }
    }
}
