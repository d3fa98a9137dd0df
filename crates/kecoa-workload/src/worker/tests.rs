//! What workers report of transactions whose server follows a script.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kecoa::Config;
use kecoa::config::Environment;
use kecoa::retry::{Jitter, Policy};
use kecoa_pgmock::{Script, Server};

use super::outcome::Worker;
use super::{asynchronous, blocking};
use crate::commit_log::CommitLog;
use crate::event::{Event, Finished, Outcome, Resolution};
use crate::kv::Kv;
use crate::options::{Name, RunOptions};
use crate::schema::Settings;
use crate::shared::Shared;
use crate::workload::Workload;

const INT8: u32 = 20;
/// Of the wait before the second attempt.
const WAIT: Duration = Duration::from_millis(30);

/// A run of `kv` with one key, which is written again and again.
struct Run {
    shared: Arc<Shared>,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Run {
    fn on(server: &Server, policy: Policy) -> Run {
        let dsn = format!(
            "host=127.0.0.1 port={} user=u dbname=d sslmode=disable gssencmode=disable",
            server.port()
        );
        let config = Config::parse(&dsn).unwrap().resolve(&Environment::empty()).unwrap();
        let settings = Settings::from([("keys".to_owned(), 1)]);
        let workload = Workload::Kv(Kv::new(&settings, None, 0).unwrap());
        let mut options = RunOptions::new(Name::Kv, 7);
        options.concurrency = 1;
        options.policy = policy;
        let events: Arc<Mutex<Vec<Event>>> = Arc::default();
        let report = {
            let events = events.clone();
            Arc::new(move |event| events.lock().unwrap().push(event))
        };
        let log = CommitLog::new(Name::Kv, 5).asking_for(Duration::ZERO);
        let configs = (config.clone(), config);
        let shared = Shared::new(options, configs, workload, log, Instant::now(), report);
        Run { shared: Arc::new(shared), events }
    }

    /// What the only transaction was.
    fn finished(&self) -> Finished {
        let events = self.events.lock().unwrap();
        let [Event::Transaction(finished)] = events.as_slice() else { unreachable!("{events:?}") };
        finished.clone()
    }
}

fn policy() -> Policy {
    Policy { first_delay: WAIT, jitter: Jitter::None, ..Policy::default() }
}

/// Runs one transaction with each client, on a server of its own.
fn with_each_client(scripts: &[Script], check: impl Fn(&Run)) {
    for client in ["blocking", "tokio"] {
        let server = Server::start(scripts.to_vec());
        let run = Run::on(&server, policy());
        transaction(&run, client);
        check(&run);
        server.finish();
    }
}

fn transaction(run: &Run, client: &str) {
    let mut worker = Worker::new(run.shared.clone(), 0);
    if client == "blocking" {
        return blocking::transaction(&mut worker, &mut None);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(asynchronous::transaction(&mut worker, &mut None));
}

/// A connection that runs the transaction, up to its COMMIT.
fn connection() -> Script {
    Script::new().startup().then(body())
}

/// The transaction's two statements, the first with BEGIN.
fn body() -> Script {
    let begun = Script::new().expect_until_sync().send_message('1', b"").send_message('2', b"");
    let written = begun.complete("BEGIN").send_message('1', b"").send_message('2', b"");
    let written = written.row_description(&[("version", INT8, 1)]);
    let written = written.row(&[Some(&1_i64.to_be_bytes())]).complete("UPDATE 1").ready('T');
    let noted = written.expect_until_sync().send_message('1', b"").send_message('2', b"");
    noted.send_message('n', b"").complete("UPDATE 1").ready('T')
}

/// A connection that finds this number in the record of the worker.
fn look_up(sequence: i64) -> Script {
    let script = Script::new().startup().simple("SET statement_timeout = '20s'", "SET", 'I');
    let script = script.expect_until_sync().send_message('1', b"").send_message('2', b"");
    let script = script.complete("BEGIN").send_message('1', b"").send_message('2', b"");
    let script = script.row_description(&[("sequence", INT8, 1)]);
    let script = script.row(&[Some(&sequence.to_be_bytes())]).complete("SELECT 1").ready('T');
    script.simple("COMMIT", "COMMIT", 'I').terminate()
}

fn retried() -> Script {
    let refused = connection().failing("COMMIT", "40001", 'I').then(body());
    refused.simple("COMMIT", "COMMIT", 'I').terminate()
}

/// What is known of the worker's commits: how many, and of how many nothing is known.
fn commits(run: &Run) -> (i64, i64) {
    let [commits] = run.shared.commits()[..] else { unreachable!() };
    (commits.known, commits.unknown)
}

#[test]
fn a_transaction_that_is_retried_has_its_attempts_and_waits() {
    with_each_client(&[retried()], |run| {
        let Finished { kind, attempts, outcome, took, .. } = run.finished();
        assert_eq!((kind, outcome), ("write", Outcome::Committed));
        let [first, second] = attempts.as_slice() else { unreachable!("{attempts:?}") };
        let failure = first.failure.as_ref().unwrap();
        assert_eq!(
            (failure.sqlstate.as_deref(), failure.reason.as_str()),
            (Some("40001"), "40001")
        );
        assert_eq!((first.wait, &second.failure, second.wait), (Some(WAIT), &None, None));
        assert!(took >= first.took + WAIT + second.took, "{took:?}: {attempts:?}");
        assert_eq!(commits(run), (1, 0));
    });
}

#[test]
fn attempts_at_a_connection_count_too() {
    let refused = || Script::new().expect_startup().fatal("57P03", "starting up").close();
    let last = connection().failing("COMMIT", "40001", 'I').terminate();
    let policy = Policy { max_attempts: 3, ..policy() };
    for client in ["blocking", "tokio"] {
        let server = Server::start(vec![refused(), refused(), last.clone()]);
        let run = Run::on(&server, policy.clone());
        transaction(&run, client);
        let Finished { attempts, outcome, .. } = run.finished();
        assert!(matches!(outcome, Outcome::Failed(_)), "{client}: {outcome:?}");
        assert_eq!(attempts.len(), 3, "{client}: {attempts:?}");
        server.finish();
    }
}

#[test]
fn a_commit_without_an_answer_is_looked_up() {
    let lost = || connection().query("COMMIT").close();
    for (found, resolution, known) in
        [(1, Resolution::Committed, (1, 0)), (0, Resolution::NotCommitted, (0, 0))]
    {
        with_each_client(&[lost(), look_up(found)], |run| {
            let Finished { attempts, outcome, .. } = run.finished();
            assert_eq!(outcome, Outcome::Ambiguous(resolution));
            let [only] = attempts.as_slice() else { unreachable!("{attempts:?}") };
            assert_eq!(only.failure.as_ref().unwrap().reason, "COMMIT without an answer");
            assert_eq!(commits(run), known);
        });
    }
    // The server does not come back.
    let refused = Script::new().expect_startup().fatal("57P03", "starting up").close();
    with_each_client(&[lost(), refused], |run| {
        assert_eq!(run.finished().outcome, Outcome::Ambiguous(Resolution::Unknown));
        assert_eq!(commits(run), (0, 1));
    });
}

#[test]
fn the_end_of_the_run_ends_waits() {
    let policy = Policy {
        first_delay: Duration::from_secs(30),
        max_delay: Duration::from_secs(30),
        jitter: Jitter::None,
        ..Policy::default()
    };
    for client in ["blocking", "tokio"] {
        let server = Server::start(vec![retried()]);
        let run = Run::on(&server, policy.clone());
        let ending = {
            let shared = run.shared.clone();
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(200));
                shared.end();
            })
        };
        transaction(&run, client);
        ending.join().unwrap();
        // The next attempt is made at once, and the wait is as long as it was.
        let Finished { attempts, outcome, took, .. } = run.finished();
        assert_eq!(outcome, Outcome::Committed, "{client}");
        assert!(took < Duration::from_secs(20), "{client}: {took:?}");
        assert!(attempts[0].wait.unwrap() <= took, "{client}: {attempts:?}");
        server.finish();
    }
}
