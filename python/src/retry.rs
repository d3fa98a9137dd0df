//! `kecoa::retry` for Python: the policy and the decision. Loops and sleeps are Python's.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kecoa::observability;
use kecoa::retry::{self, Decision, Failure, Jitter, Policy};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::errors::exception::DriverError;

/// How often and for how long a transaction is tried; times in seconds.
#[pyclass(frozen, module = "kecoa")]
#[derive(Clone)]
pub(crate) struct RetryPolicy {
    policy: Policy,
}

fn seconds(name: &str, value: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value).map_err(|_| {
        PyValueError::new_err(format!("expected {name} as seconds, 0 or more, found {value}"))
    })
}

#[pymethods]
impl RetryPolicy {
    #[new]
    #[pyo3(signature = (max_attempts=10, first_delay=0.1, factor=2.0, max_delay=5.0, total=Some(60.0), jitter=true))]
    fn new(
        max_attempts: u32,
        first_delay: f64,
        factor: f64,
        max_delay: f64,
        total: Option<f64>,
        jitter: bool,
    ) -> PyResult<RetryPolicy> {
        let policy = Policy {
            max_attempts,
            first_delay: seconds("first_delay", first_delay)?,
            factor,
            max_delay: seconds("max_delay", max_delay)?,
            total: total.map(|total| seconds("total", total)).transpose()?,
            jitter: if jitter { Jitter::Full } else { Jitter::None },
        };
        policy.validate().map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(RetryPolicy { policy })
    }

    /// How many times the transaction is tried at most.
    #[getter]
    fn max_attempts(&self) -> u32 {
        self.policy.max_attempts
    }

    /// The delay after the first failure.
    #[getter]
    fn first_delay(&self) -> f64 {
        self.policy.first_delay.as_secs_f64()
    }

    /// What the delay is multiplied by after each further failure.
    #[getter]
    fn factor(&self) -> f64 {
        self.policy.factor
    }

    /// The longest delay.
    #[getter]
    fn max_delay(&self) -> f64 {
        self.policy.max_delay.as_secs_f64()
    }

    /// Time after which no attempt begins.
    #[getter]
    fn total(&self) -> Option<f64> {
        self.policy.total.map(|total| total.as_secs_f64())
    }

    /// Whether delays are spread evenly between nothing and the full delay.
    #[getter]
    fn jitter(&self) -> bool {
        self.policy.jitter == Jitter::Full
    }

    fn __repr__(&self) -> String {
        let total = self.total().map_or_else(|| "None".to_owned(), |total| format!("{total:?}"));
        format!(
            "RetryPolicy(max_attempts={}, first_delay={:?}, factor={:?}, max_delay={:?}, \
             total={total}, jitter={})",
            self.max_attempts(),
            self.first_delay(),
            self.factor(),
            self.max_delay(),
            if self.jitter() { "True" } else { "False" },
        )
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<RetryPolicy>().is_ok_and(|other| other.get().policy == self.policy)
    }

    /// For copies and pickles.
    fn __getnewargs__(&self) -> (u32, f64, f64, f64, Option<f64>, bool) {
        let RetryPolicy { policy } = self;
        let (attempts, factor) = (policy.max_attempts, policy.factor);
        (attempts, self.first_delay(), factor, self.max_delay(), self.total(), self.jitter())
    }

    fn __hash__(&self) -> u64 {
        u64::from(self.policy.max_attempts) ^ self.policy.factor.to_bits()
    }
}

/// The state of one retried run.
#[pyclass(module = "kecoa._kecoa")]
pub(crate) struct Attempts {
    attempts: retry::Attempts,
    started: Instant,
    random: u64,
    /// What the last attempt failed with, and what that means.
    failed: Option<(Option<String>, Failure)>,
}

impl Attempts {
    fn now(&self, now: Option<f64>) -> PyResult<Duration> {
        match now {
            Some(now) => seconds("now", now),
            None => Ok(self.started.elapsed()),
        }
    }

    /// SplitMix64: jitter needs spread, not secrecy.
    fn random(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        // The upper 32 bits as a number below 1.
        f64::from(u32::try_from(bits >> 32).unwrap_or(0)) / 4_294_967_296.0
    }
}

fn seed() -> u64 {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // Process and place in memory tell apart what starts at the same moment.
    let place = 0u8;
    u64::from(clock.subsec_nanos())
        ^ (clock.as_secs() << 30)
        ^ (u64::from(std::process::id()) << 17)
        ^ u64::try_from((&raw const place).addr()).unwrap_or(0)
}

#[pymethods]
impl Attempts {
    #[new]
    #[pyo3(signature = (policy=None, *, now=None))]
    fn new(policy: Option<&Bound<'_, RetryPolicy>>, now: Option<f64>) -> PyResult<Attempts> {
        let policy = policy.map_or_else(Policy::default, |policy| policy.get().policy.clone());
        let now = now.map(|now| seconds("now", now)).transpose()?.unwrap_or_default();
        let attempts = retry::Attempts::new(policy, now)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        observability::note_transaction();
        Ok(Attempts { attempts, started: Instant::now(), random: seed(), failed: None })
    }

    /// The number of the attempt that runs now, or of the last one; from 1.
    #[getter]
    fn attempt(&self) -> u32 {
        self.attempts.attempt()
    }

    /// Seconds from the start to the last failure.
    #[getter]
    fn elapsed(&self) -> f64 {
        self.attempts.elapsed().as_secs_f64()
    }

    /// What to do about a failed attempt, and how many seconds to wait first.
    #[pyo3(signature = (sqlstate, lost, commit_sent, *, now=None, random=None))]
    fn on_failure(
        &mut self,
        sqlstate: Option<&str>,
        lost: bool,
        commit_sent: bool,
        now: Option<f64>,
        random: Option<f64>,
    ) -> PyResult<(&'static str, f64)> {
        let now = self.now(now)?;
        let random = random.unwrap_or_else(|| self.random());
        let failure = Failure::from_sqlstate(sqlstate, lost, commit_sent);
        self.failed = Some((sqlstate.map(str::to_owned), failure));
        Ok(match self.attempts.on_failure(failure, now, random) {
            Decision::RetryAfter(wait) => ("retry", wait.as_secs_f64()),
            Decision::RetryOnFreshConnection(wait) => ("reconnect", wait.as_secs_f64()),
            Decision::GiveUp => ("give_up", 0.0),
            Decision::Ambiguous => ("ambiguous", 0.0),
        })
    }

    /// What was done about the last failure, which may be less than was decided: it is counted.
    fn decided(&mut self, decision: &str, wait: f64) -> PyResult<()> {
        let Some((sqlstate, failure)) = self.failed.take() else { return Ok(()) };
        let wait = seconds("wait", wait)?;
        let decision = match decision {
            "retry" => Decision::RetryAfter(wait),
            "reconnect" => Decision::RetryOnFreshConnection(wait),
            "ambiguous" => Decision::Ambiguous,
            _ => Decision::GiveUp,
        };
        observability::note_decision(sqlstate.as_deref(), failure, decision);
        Ok(())
    }

    /// The policy's number of attempts.
    #[getter]
    fn max_attempts(&self) -> u32 {
        self.attempts.policy().max_attempts
    }
}

/// SQLSTATE, connection lost, COMMIT sent: what `Attempts.on_failure` asks for.
#[pyfunction]
#[pyo3(signature = (exc, /))]
pub(crate) fn failure_facts(exc: &Bound<'_, PyAny>) -> (Option<String>, bool, bool) {
    exc.cast::<DriverError>().map_or((None, false, false), |error| error.get().facts())
}
