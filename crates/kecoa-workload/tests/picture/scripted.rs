//! Small runs by script: the same events each time.

use std::time::{Duration, UNIX_EPOCH};

use kecoa_workload::{
    About, Attempt, End, Event, Failure, Finished, Outcome, Recorder, Resolution, Summary,
};

pub(crate) fn about() -> About {
    About {
        workload: "bank".to_owned(),
        client: "blocking",
        server: "CockroachDB CCL v25.4.0".to_owned(),
        url: "postgresql://maria:s3cret@db.example:26257/bank?sslmode=require&sslpassword=s3cret"
            .to_owned(),
        concurrency: 4,
        rate: None,
        duration: Some(Duration::from_secs(30)),
        seed: 7,
        chosen: vec![("accounts", "1000".to_owned()), ("hot share", "0.5".to_owned())],
    }
}

pub(crate) fn summary_of(events: &[Event], end: End) -> Summary {
    let mut recorder = Recorder::new();
    for event in events {
        recorder.record(event);
    }
    Summary::new(&recorder, &about(), UNIX_EPOCH + Duration::from_millis(1_764_583_200_400), end)
}

pub(crate) fn failure(sqlstate: Option<&str>, reason: &str, message: &str) -> Failure {
    Failure {
        sqlstate: sqlstate.map(str::to_owned),
        reason: reason.to_owned(),
        message: message.to_owned(),
    }
}

/// An attempt that failed after so many milliseconds, and the wait behind it.
pub(crate) fn failed(took: u64, failure: Failure, wait: Option<u64>) -> Attempt {
    Attempt {
        took: Duration::from_millis(took),
        failure: Some(failure),
        wait: wait.map(Duration::from_millis),
    }
}

pub(crate) fn succeeded(took: u64) -> Attempt {
    Attempt { took: Duration::from_millis(took), failure: None, wait: None }
}

/// A transaction that began so many milliseconds after the run, and took its attempts and waits.
pub(crate) fn transaction(
    kind: &'static str,
    worker: u32,
    started: u64,
    attempts: Vec<Attempt>,
    outcome: Outcome,
) -> Event {
    let took = attempts.iter().map(|a| a.took + a.wait.unwrap_or_default()).sum();
    let started = Duration::from_millis(started);
    Event::Transaction(Finished { kind, worker, started, took, attempts, outcome })
}

/// A dozen events, of every sort.
pub(crate) fn small() -> Vec<Event> {
    let write_too_old = || {
        failure(
            Some("40001"),
            "WriteTooOld",
            "restart transaction: TransactionRetryWithProtoRefreshError: WriteTooOldError",
        )
    };
    let lost = || failure(None, "connection lost", "server closed the connection unexpectedly");
    vec![
        transaction("transfer", 0, 0, vec![succeeded(4)], Outcome::Committed),
        transaction("transfer", 1, 2, vec![succeeded(6)], Outcome::Committed),
        transaction("read", 2, 3, vec![succeeded(1)], Outcome::Committed),
        Event::Fault { at: Duration::from_millis(300), what: "error:40001@commit:0.2".to_owned() },
        transaction(
            "transfer",
            0,
            400,
            vec![
                failed(5, write_too_old(), Some(11)),
                failed(7, write_too_old(), Some(23)),
                succeeded(5),
            ],
            Outcome::Committed,
        ),
        transaction(
            "transfer",
            3,
            900,
            vec![succeeded(2)],
            Outcome::Refused("not enough money".to_owned()),
        ),
        Event::Checked {
            at: Duration::from_millis(1_000),
            check: "sum",
            result: Ok("1,000,000 in 1,000 accounts".to_owned()),
        },
        Event::Killed { at: Duration::from_millis(1_500) },
        transaction(
            "transfer",
            1,
            1_490,
            vec![failed(12, lost(), None)],
            Outcome::Ambiguous(Resolution::Committed),
        ),
        transaction(
            "transfer",
            2,
            1_495,
            vec![failed(8, lost(), Some(40)), failed(3, lost(), None)],
            Outcome::Failed("the connection could not be opened again".to_owned()),
        ),
        Event::Back { at: Duration::from_millis(2_100), down: Duration::from_millis(600) },
        transaction("transfer", 0, 2_200, vec![succeeded(4)], Outcome::Committed),
        Event::Checked {
            at: Duration::from_millis(3_500),
            check: "sum",
            result: Err("1,000,100 in 1,000 accounts, and 1,000,000 at the start".to_owned()),
        },
    ]
}

/// Half a minute of contention, with faults, a kill and checks: thousands of events.
pub(crate) fn busy() -> Vec<Event> {
    let mut random = Random(7);
    let mut events = Vec::new();
    for worker in 0..8 {
        let mut now = u64::from(worker) * 3;
        while now < 30_000 {
            if (14_000..15_200).contains(&now) {
                now = 15_200;
            }
            let (attempts, outcome) = busy_transaction(&mut random, now);
            let kind = ["transfer", "transfer", "transfer", "balance"][random.below(4)];
            let took: Duration = attempts.iter().map(|a| a.took + a.wait.unwrap_or_default()).sum();
            events.push(transaction(kind, worker, now, attempts, outcome));
            now += u64::try_from(took.as_millis()).unwrap() + 1;
        }
    }
    for number in 0..40 {
        let what = ["error:40001@commit:0.2", "drop:0.01", "delay:20ms"][random.below(3)];
        let at = Duration::from_millis(number * 740);
        events.push(Event::Fault { at, what: what.to_owned() });
    }
    events.push(Event::Killed { at: Duration::from_millis(14_000) });
    events.push(Event::Back {
        at: Duration::from_millis(15_150),
        down: Duration::from_millis(1_150),
    });
    for second in (2..30).step_by(2) {
        for (check, found) in [
            ("sum", "1,000,000 in 1,000 accounts"),
            ("commits", "every acknowledged transfer is there"),
        ] {
            let at = Duration::from_secs(second);
            events.push(Event::Checked { at, check, result: Ok(found.to_owned()) });
        }
    }
    events
}

fn busy_transaction(random: &mut Random, now: u64) -> (Vec<Attempt>, Outcome) {
    let mut attempts = Vec::new();
    let mut wait = 8_usize;
    let slow = if now > 20_000 { 3 } else { 1 };
    loop {
        let took = (2 + random.below(12) as u64) * slow + [0, 0, 0, 60][random.below(4)];
        match random.below(24) {
            0..5 if attempts.len() < 6 => {
                let (reason, message) = [
                    ("WriteTooOld", "restart transaction: WriteTooOldError: write too old"),
                    ("ReadWithinUncertainty", "restart transaction: ReadWithinUncertaintyInterval"),
                    ("SerializationFailure", "could not serialize access due to concurrent update"),
                ][random.below(3)];
                let pause = wait / 2 + random.below(wait) / 2 + 1;
                attempts.push(failed(
                    took,
                    failure(Some("40001"), reason, message),
                    Some(pause as u64),
                ));
                wait *= 2;
            }
            5 if random.below(20) == 0 => {
                let lost = failure(
                    None,
                    "connection lost",
                    "server closed the connection unexpectedly <while it answered>",
                );
                attempts.push(failed(took, lost, None));
                let resolution =
                    [Resolution::Committed, Resolution::NotCommitted, Resolution::Unknown];
                return (attempts, Outcome::Ambiguous(resolution[random.below(3)]));
            }
            6 if random.below(10) == 0 => {
                attempts.push(failed(took, failure(Some("57P01"), "admin shutdown", "bye"), None));
                return (attempts, Outcome::Failed("bye".to_owned()));
            }
            7 => {
                attempts.push(succeeded(took));
                return (attempts, Outcome::Refused("not enough money".to_owned()));
            }
            _ => {
                attempts.push(succeeded(took));
                return (attempts, Outcome::Committed);
            }
        }
    }
}

/// SplitMix64: the same numbers each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((x ^ (x >> 31)) % end as u64).unwrap()
    }
}
