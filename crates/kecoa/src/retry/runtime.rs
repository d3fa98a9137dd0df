//! The clock, the sleep and the random numbers of a retry loop.

use std::time::{Duration, Instant};

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
