//! Whatever comes, in whatever order: sums agree, memory stays bounded.

use std::time::Duration;

use kecoa_workload::{Attempt, End, Event, Failure, Finished, Outcome, Resolution, Summary};
use proptest::prelude::*;

use crate::scripted::summary_of;

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        6 => Just(Outcome::Committed),
        1 => Just(Outcome::Refused("no money".to_owned())),
        1 => Just(Outcome::Failed("given up".to_owned())),
        1 => Just(Outcome::Ambiguous(Resolution::Committed)),
        1 => Just(Outcome::Ambiguous(Resolution::NotCommitted)),
        1 => Just(Outcome::Ambiguous(Resolution::Unknown)),
    ]
}

/// Mostly ordinary times; sometimes hours, nothing, or the longest there is.
fn time() -> impl Strategy<Value = Duration> {
    prop_oneof![
        20 => (0_u64..30_000_000).prop_map(Duration::from_micros),
        4 => (0_u64..1_000_000).prop_map(Duration::from_secs),
        1 => Just(Duration::ZERO),
        1 => Just(Duration::MAX),
    ]
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let failure =
        prop::option::of((0_u32..60, any::<bool>()).prop_map(|(number, coded)| Failure {
            sqlstate: coded.then(|| "40001".to_owned()),
            reason: format!("reason {number}"),
            message: format!("message {number}"),
        }));
    (time(), failure, prop::option::of(time())).prop_map(|(took, failure, wait)| Attempt {
        took,
        failure,
        wait,
    })
}

fn event() -> impl Strategy<Value = Event> {
    let transaction = (
        prop::sample::select(vec!["transfer", "read", "new order"]),
        time(),
        time(),
        prop::collection::vec(attempt(), 0..25),
        outcome(),
    );
    prop_oneof![
        10 => transaction.prop_map(|(kind, started, took, attempts, outcome)| {
            Event::Transaction(Finished { kind, worker: 0, started, took, attempts, outcome })
        }),
        1 => (time(), 0_u32..60).prop_map(|(at, number)| Event::Fault { at, what: format!("fault {number}") }),
        1 => time().prop_map(|at| Event::Killed { at }),
        1 => time().prop_map(|at| Event::Ending { at }),
        1 => (time(), time()).prop_map(|(at, down)| Event::Back { at, down }),
    ]
}

/// Events, none of which has the same worker: what makes a transaction one of its own.
fn events() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(event(), 0..120).prop_map(|mut events| {
        for (number, event) in (0..).zip(&mut events) {
            if let Event::Transaction(transaction) = event {
                transaction.worker = number;
            }
        }
        events
    })
}

fn transactions(events: &[Event]) -> impl Iterator<Item = &Finished> {
    events.iter().filter_map(|event| match event {
        Event::Transaction(transaction) => Some(transaction),
        _ => None,
    })
}

fn reasons_left_out(summary: &Summary) -> bool {
    let other = |name: &str| name == "other reasons" || name == "other faults";
    summary.failures.iter().any(|f| other(&f.reason))
        || summary.faults.by_kind.iter().any(|f| other(&f.what))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_events_does_not_matter((events, shuffled) in events().prop_flat_map(|events| {
        (Just(events.clone()), Just(events).prop_shuffle())
    })) {
        let (one, other) = (summary_of(&events, End::Completed), summary_of(&shuffled, End::Completed));
        // Which reasons have a row of their own, when there are too many, depends on which came first.
        if !reasons_left_out(&one) {
            prop_assert_eq!(one, other);
        }
    }

    #[test]
    fn sums_agree(events in events()) {
        let summary = summary_of(&events, End::Completed);
        let sums = summary.transactions;
        prop_assert_eq!(sums.total, transactions(&events).count() as u64);
        prop_assert_eq!(sums.total, sums.committed + sums.refused + sums.failed + sums.ambiguous);
        let ambiguous = &summary.ambiguous;
        prop_assert_eq!(sums.ambiguous, ambiguous.committed + ambiguous.not_committed + ambiguous.unknown);

        let kinds = summary.latency.iter().skip(1);
        prop_assert_eq!(sums.committed, summary.latency[0].count);
        prop_assert_eq!(sums.committed, kinds.map(|latency| latency.count).sum::<u64>());
        prop_assert_eq!(sums.committed, summary.histogram.iter().map(|bar| bar.count).sum::<u64>());

        let points = &summary.series.points;
        prop_assert_eq!(sums.committed, points.iter().map(|point| point.committed).sum::<u64>());
        prop_assert_eq!(sums.total - sums.committed, points.iter().map(|point| point.not_committed).sum::<u64>());
        prop_assert_eq!(summary.attempts.retries, points.iter().map(|point| point.retries).sum::<u64>());
        prop_assert_eq!(summary.faults.injected, points.iter().map(|point| point.faults).sum::<u64>());

        let attempts: usize = transactions(&events).map(|transaction| transaction.attempts.len()).sum();
        prop_assert_eq!(summary.attempts.total, attempts as u64);
        let attempted = transactions(&events).filter(|t| !t.attempts.is_empty()).count();
        let counted: u64 = summary.attempts.distribution.iter().map(|row| row.transactions).sum();
        prop_assert_eq!(counted, attempted as u64);

        let failed = |t: &Finished| t.attempts.iter().filter(|attempt| attempt.failure.is_some()).count();
        let outside = transactions(&events).filter(|t| {
            matches!(t.outcome, Outcome::Failed(_)) && t.attempts.last().is_none_or(|a| a.failure.is_none())
        });
        let failures = transactions(&events).map(failed).sum::<usize>() + outside.count();
        prop_assert_eq!(summary.failures.iter().map(|f| f.retried + f.ended).sum::<u64>(), failures as u64);
    }

    #[test]
    fn what_is_held_is_bounded(events in events()) {
        let summary = summary_of(&events, End::Completed);
        prop_assert!(summary.series.points.len() <= 301);
        prop_assert!(summary.failures.len() <= 41);
        prop_assert!(summary.faults.by_kind.len() <= 41);
        for rows in [&summary.timeline.slowest, &summary.timeline.sample, &summary.timeline.latest] {
            prop_assert!(rows.len() <= 20);
        }
        prop_assert!(summary.timeline.slowest.is_sorted_by_key(|row| std::cmp::Reverse(row.took_us)));
        for (before, after) in summary.series.points.iter().zip(summary.series.points.iter().skip(1)) {
            prop_assert_eq!(before.at_us.saturating_add(summary.series.width_us), after.at_us);
        }
    }
}

#[test]
fn the_slowest_are_held_among_many() {
    let failure = Failure { sqlstate: None, reason: "busy".to_owned(), message: "busy".to_owned() };
    let events: Vec<_> = (0..2_000_u64)
        .map(|number| {
            let attempt = |took| Attempt { took, failure: Some(failure.clone()), wait: None };
            let took = Duration::from_millis(number * 7_919 % 2_000);
            Event::Transaction(Finished {
                kind: "transfer",
                worker: 0,
                started: Duration::from_millis(number),
                took,
                attempts: vec![attempt(took / 2), attempt(took / 2)],
                outcome: Outcome::Committed,
            })
        })
        .collect();
    let summary = summary_of(&events, End::Completed);
    let slowest: Vec<_> = summary.timeline.slowest.iter().map(|row| row.took_us / 1_000).collect();
    assert_eq!(slowest, (1_980..2_000).rev().collect::<Vec<_>>());
    assert_eq!(summary.timeline.sample.len(), 20);
    // A sample of the whole run, not of its beginning.
    assert!(summary.timeline.sample.iter().any(|row| row.started_us > 1_000_000));
    assert!(summary.timeline.sample.iter().any(|row| row.started_us < 1_000_000));
}
