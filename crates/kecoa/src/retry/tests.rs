//! Policies, decisions and what errors mean, in virtual time.

use std::time::Duration;

use super::*;
use crate::error::{Error, ErrorKind};

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
    let policy = Policy { first_delay: Duration::MAX, max_delay: Duration::MAX, ..self::policy() };
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
    assert_eq!(classify(&Error::timeout("connect_timeout"), false), Failure::LostBeforeCommit);
    assert_eq!(classify(&Error::timeout("a pool's").unsent(), false), Failure::Final);
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
