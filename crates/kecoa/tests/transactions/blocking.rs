//! The scenarios on the blocking client, and what only it can do.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use kecoa::blocking::{Client, Transaction};
use kecoa::{Error, FailedAttempt, TransactionOptions};
use kecoa_pgmock::{Script, Server};

use super::scenarios::{Committed, End, Scenario, Step, Work, at_once, config};

pub(crate) fn play(scenario: Scenario) {
    let server = Server::start(scenario.servers);
    let mut client = Client::connect(&config(&server)).unwrap();
    for step in scenario.steps {
        take(&mut client, step);
    }
    drop(client);
    server.finish();
}

fn take(client: &mut Client, step: Step) {
    let plain = TransactionOptions::default();
    match step {
        Step::Transaction(work, end) => {
            let mut tx = client.begin(&plain).unwrap();
            perform(&mut tx, work).unwrap();
            match end {
                End::Commit(Committed::Done) => tx.commit().unwrap(),
                End::Commit(Committed::Retryable) => {
                    assert!(tx.commit().unwrap_err().is_retryable())
                }
                End::Commit(Committed::Failed(kind)) => {
                    assert_eq!(tx.commit().unwrap_err().kind(), kind);
                }
                End::RollBack => tx.rollback().unwrap(),
                End::Drop => drop(tx),
            }
        }
        Step::CannotBegin(kind) => assert_eq!(client.begin(&plain).unwrap_err().kind(), kind),
        Step::Loop { restart, outcome } => match (in_a_loop(client, &at_once(restart)), outcome) {
            (Ok(runs), Ok(expected)) => assert_eq!(runs, expected),
            (Err(error), Err(expected)) => assert!(expected(&error.kind()), "{error}"),
            (found, _) => panic!("found {found:?}"),
        },
        Step::LeftLoop { restart, work, outcome } => {
            let mut attempts = client.attempts(&at_once(restart)).unwrap();
            let error = perform(&mut attempts.begin().unwrap(), work).unwrap_err();
            assert_eq!(attempts.failed(error).map_err(|error| error.kind()), outcome);
        }
        Step::AnotherAttempt(kind) => {
            let mut attempts = client.attempts(&at_once(false)).unwrap();
            let mut tx = attempts.begin().unwrap();
            perform(&mut tx, &[Work::Do("UPDATE a")]).unwrap();
            tx.commit().unwrap();
            assert_eq!(attempts.begin().unwrap_err().kind(), kind);
        }
        Step::Commits(work) => {
            client.transaction_with(&at_once(false), |tx| perform(tx, work)).unwrap();
        }
        Step::Body { work, error, runs } => {
            let mut count = 0;
            let body = |tx: &mut Transaction<'_>| {
                count += 1;
                perform(tx, work)
            };
            let found = client.transaction_with(&at_once(false), body).unwrap_err();
            assert_eq!((found.kind(), count), (error, runs), "{found}");
        }
        Step::Panics { restart, observer, work } => {
            let mut options = at_once(restart);
            if observer {
                options.observer = Some(Arc::new(|_: &FailedAttempt<'_>| panic!("expected")));
            }
            let run = || client.transaction_with(&options, |tx| perform(tx, work));
            catch_unwind(AssertUnwindSafe(run)).unwrap_err();
        }
        Step::Select => assert_eq!(client.batch("SELECT 1").unwrap().len(), 1),
    }
}

fn perform(tx: &mut Transaction<'_>, work: &[Work]) -> Result<(), Error> {
    for work in work {
        match work {
            Work::Do(sql) => drop(tx.batch(sql)?),
            Work::Try(sql) => drop(tx.batch(sql).unwrap_err()),
            Work::Panic => panic!("expected"),
            Work::PanicBehindSavepoint => {
                tx.savepoint(|_| -> Result<(), Error> { panic!("expected") })?;
            }
        }
    }
    Ok(())
}

fn in_a_loop(client: &mut Client, options: &TransactionOptions) -> Result<u32, Error> {
    let mut runs = 0;
    let mut attempts = client.attempts(options)?;
    loop {
        runs += 1;
        let attempt = attempts.begin().and_then(|mut tx| {
            perform(&mut tx, &[Work::Do("UPDATE a")])?;
            tx.commit()
        });
        match attempt {
            Ok(()) => return Ok(runs),
            Err(error) => attempts.failed(error)?,
        }
    }
}

#[test]
fn a_reader_or_a_writer_that_panics_leaves_the_connection_usable() {
    struct Panics;
    impl std::io::Read for Panics {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            panic!("expected")
        }
    }
    impl std::io::Write for Panics {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            panic!("expected")
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let script = Script::new()
        .startup()
        .query("COPY t FROM STDIN")
        .copy_response('G', 1)
        .expect('f')
        .error("57014", "COPY from stdin failed")
        .ready('I')
        .simple("SELECT 1", "SELECT 1", 'I')
        .query("COPY t TO STDOUT")
        .copy_response('H', 1)
        .send_message('d', b"1\n")
        .send_message('d', b"2\n")
        .send_message('c', b"")
        .complete("COPY 2")
        .ready('I')
        .simple("SELECT 1", "SELECT 1", 'I')
        .terminate();
    let server = Server::start(vec![script]);
    let mut client = Client::connect(&config(&server)).unwrap();
    let never = &mut kecoa::Never;
    let copy = || client.copy_in("COPY t FROM STDIN", &mut Panics, never);
    catch_unwind(AssertUnwindSafe(copy)).unwrap_err();
    assert_eq!(client.batch("SELECT 1").unwrap().len(), 1);
    let copy = || client.copy_out("COPY t TO STDOUT", &mut Panics, never);
    catch_unwind(AssertUnwindSafe(copy)).unwrap_err();
    assert_eq!(client.batch("SELECT 1").unwrap().len(), 1);
    drop(client);
    server.finish();
}
