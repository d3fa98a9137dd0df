//! When transactions begin.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How many transactions begin in a second, over all workers, and when each worker begins.
#[derive(Debug)]
pub(crate) struct Pace {
    rate: Option<f64>,
    ramp: Duration,
    workers: u32,
    begun: AtomicU64,
}

impl Pace {
    /// `rate` in transactions a second, above 0; as many as the workers can when not set. During `ramp` one
    /// worker after the other begins.
    pub(crate) fn new(rate: Option<f64>, ramp: Duration, workers: u32) -> Pace {
        Pace { rate, ramp, workers: workers.max(1), begun: AtomicU64::new(0) }
    }

    /// When this worker begins, from 0.
    pub(crate) fn start_of(&self, worker: u32) -> Duration {
        self.ramp.mul_f64(f64::from(worker) / f64::from(self.workers))
    }

    /// Takes the next place in line: when its transaction may begin. Places are handed out whether they are
    /// taken in time or not, so that a slow database gets what it has missed as soon as it can.
    pub(crate) fn next(&self) -> Duration {
        let Some(rate) = self.rate else { return Duration::ZERO };
        let place = self.begun.fetch_add(1, Ordering::Relaxed);
        due(place, rate)
    }
}

/// When the transaction with this number, from 0, may begin.
#[expect(clippy::cast_precision_loss, reason = "exact for centuries of transactions")]
fn due(place: u64, rate: f64) -> Duration {
    Duration::try_from_secs_f64(place as f64 / rate).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Runs workers in virtual time, each of which is busy for `busy` with a transaction.
    fn begun_by(pace: &Pace, workers: usize, busy: Duration, end: Duration) -> Vec<Duration> {
        let mut free = vec![Duration::ZERO; workers];
        let mut begun = Vec::new();
        loop {
            let worker = free.iter_mut().min().unwrap();
            let start = pace.next().max(*worker);
            if start >= end {
                return begun;
            }
            begun.push(start);
            *worker = start + busy;
        }
    }

    proptest! {
        #[test]
        fn so_many_begin_in_a_second(rate in 1_u32..2_000, seconds in 1_u64..5) {
            let pace = Pace::new(Some(f64::from(rate)), Duration::ZERO, 4);
            let begun = begun_by(&pace, 4, Duration::from_micros(1), Duration::from_secs(seconds));
            prop_assert_eq!(begun.len() as u64, u64::from(rate) * seconds);
        }

        #[test]
        fn what_was_missed_is_made_up_for(rate in 10_u32..100) {
            // The only worker is away for the first second.
            let pace = Pace::new(Some(f64::from(rate)), Duration::ZERO, 1);
            let mut now = Duration::from_secs(1);
            let mut begun = 0;
            while now < Duration::from_secs(2) {
                now = now.max(pace.next());
                if now < Duration::from_secs(2) {
                    begun += 1;
                }
            }
            prop_assert_eq!(begun, rate * 2);
        }
    }

    #[test]
    fn without_a_rate_nobody_waits() {
        let pace = Pace::new(None, Duration::ZERO, 1);
        assert!((0..100).all(|_| pace.next() == Duration::ZERO));
    }

    #[test]
    fn workers_begin_one_after_the_other() {
        let pace = Pace::new(None, Duration::from_secs(10), 5);
        let starts: Vec<u64> = (0..5).map(|worker| pace.start_of(worker).as_secs()).collect();
        assert_eq!(starts, [0, 2, 4, 6, 8]);
    }
}
