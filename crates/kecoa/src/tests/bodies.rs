//! Bodies of transactions: what they do by themselves, and their errors.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kecoa_pgmock::Script;

use super::harness::{Net, Virtual};
use super::transactions::{committed, first_statement, ran, retry_error, transfer};
use crate::client::blocking::Transaction;
use crate::error::{Error, ErrorKind};
use crate::retry::{Decision, Policy};
use crate::transaction::{Isolation, TransactionError, TransactionOptions};

#[test]
fn a_body_that_goes_on_after_an_error_does_not_commit() {
    let failed = |state: &str| {
        first_statement()
            .complete("BEGIN")
            .error(state, "scripted")
            .ready('E')
            .simple("ROLLBACK", "ROLLBACK", 'I')
    };
    let careless = |tx: &mut Transaction<'_>| {
        let _ = tx.batch("UPDATE a");
        Ok::<_, Error>(())
    };
    let options = TransactionOptions::default();
    let mut runtime = Virtual::new();
    let net = Net::postgres(vec![failed("23505")]);
    let error = net.client().transaction_on(&options, &mut runtime, careless).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RolledBack);
    net.finish();
    let net = Net::postgres(vec![failed("40001").then(committed())]);
    net.client().transaction_on(&options, &mut runtime, careless).unwrap();
    assert_eq!(runtime.sleeps.len(), 1, "40001 asks for a retry, seen or not");
    net.finish();
    let net = Net::postgres(vec![first_statement().close(), committed()]);
    net.client().transaction_on(&options, &mut runtime, careless).unwrap();
    net.finish();
}

#[test]
fn begin_refused_never_lets_a_statement_run_alone() {
    let refused = || {
        Script::new()
            .query("BEGIN;UPDATE a")
            .error("25006", "no")
            .ready('I')
            .failing("BEGIN", "25006", 'I')
    };
    // The body goes on: BEGIN goes in front of its next statement again.
    let net = Net::postgres(vec![refused().then(refused())]);
    let error = net
        .client()
        .transaction_on(&TransactionOptions::default(), &mut Virtual::new(), |tx| {
            let _ = tx.batch("UPDATE a");
            let _ = tx.batch("UPDATE a");
            Ok::<_, Error>(())
        })
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RolledBack);
    net.finish();
}

#[test]
fn a_body_that_ends_the_transaction_itself_is_told_so() {
    let net = Net::postgres(vec![ran().simple("COMMIT", "COMMIT", 'I')]);
    let error = net
        .client()
        .transaction_on(&TransactionOptions::default(), &mut Virtual::new(), |tx| {
            tx.batch("UPDATE a")?;
            tx.batch("COMMIT")?;
            tx.batch("UPDATE b").map(drop)
        })
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    net.finish();
}

#[test]
fn a_body_without_statements_costs_nothing() {
    let net = Net::postgres(vec![Script::new()]);
    let value = net.client().transaction(|_| Ok(7)).unwrap();
    assert_eq!(value, 7);
    net.finish();
}

#[derive(Debug)]
enum BankError {
    Database(Error),
    NotEnoughMoney,
}

impl From<Error> for BankError {
    fn from(error: Error) -> BankError {
        BankError::Database(error)
    }
}

impl TransactionError for BankError {
    fn into_database_error(self) -> Result<Error, BankError> {
        match self {
            BankError::Database(error) => Ok(error),
            other @ BankError::NotEnoughMoney => Err(other),
        }
    }
}

#[test]
fn the_bodys_own_error_rolls_back_and_comes_out_as_it_is() {
    let net = Net::postgres(vec![retry_error().then(ran()).simple("ROLLBACK", "ROLLBACK", 'I')]);
    let mut runtime = Virtual::new();
    let error = net
        .client()
        .transaction_on(&TransactionOptions::default(), &mut runtime, |tx| {
            tx.batch("UPDATE a")?;
            Err::<(), _>(BankError::NotEnoughMoney)
        })
        .unwrap_err();
    assert!(matches!(error, BankError::NotEnoughMoney));
    assert_eq!(runtime.sleeps.len(), 1, "the 40001 before it was retried");
    net.finish();
}

#[test]
fn a_boxed_error_is_found_in_its_box() {
    type Boxed = Box<dyn std::error::Error + Send + Sync>;
    let net = Net::postgres(vec![retry_error().then(committed())]);
    net.client()
        .transaction_on(&TransactionOptions::default(), &mut Virtual::new(), |tx| {
            tx.batch("UPDATE a")?;
            Ok::<_, Boxed>(())
        })
        .unwrap();
    net.finish();
}

#[test]
fn every_failed_attempt_is_observed() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let options = TransactionOptions {
        isolation: Some(Isolation::Serializable),
        observer: Some(Arc::new(move |failed| {
            let sqlstate = failed.error.sqlstate().map(str::to_owned);
            log.lock().unwrap().push((failed.attempt, sqlstate, failed.decision));
        })),
        ..TransactionOptions::default()
    };
    let begin = "BEGIN ISOLATION LEVEL SERIALIZABLE;UPDATE a";
    let ran = || Script::new().query(begin).complete("BEGIN").complete("UPDATE 1").ready('T');
    let net = Net::postgres(vec![
        ran().failing("COMMIT", "40001", 'I').query(begin).close(),
        ran().failing("COMMIT", "23503", 'I'),
    ]);
    let result: Result<(), Error> =
        net.client()
            .transaction_on(&options, &mut Virtual::new(), |tx| tx.batch("UPDATE a").map(drop));
    assert_eq!(result.unwrap_err().sqlstate(), Some("23503"));
    let wait = Duration::from_millis;
    let expected = [
        (1, Some("40001".to_owned()), Decision::RetryAfter(wait(50))),
        (2, None, Decision::RetryOnFreshConnection(wait(100))),
        (3, Some("23503".to_owned()), Decision::GiveUp),
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
    net.finish();
}

#[test]
fn parameters_go_with_begin_in_one_extended_request() {
    let net = Net::postgres(vec![
        Script::new()
            .expect_exactly('P', b"\0BEGIN\0\0\0")
            .expect('B')
            .expect('E')
            .expect_exactly('P', b"\0UPDATE a SET x = $1\0\0\x01\0\0\0\x14")
            .expect('B')
            .expect('D')
            .expect('E')
            .expect('S')
            .send(&[&b"1\0\0\0\x042\0\0\0\x04"[..]].concat())
            .complete("BEGIN")
            .send(&[&b"1\0\0\0\x042\0\0\0\x04n\0\0\0\x04"[..]].concat())
            .complete("UPDATE 4")
            .ready('T')
            .simple("COMMIT", "COMMIT", 'I'),
    ]);
    let updated =
        net.client().transaction(|tx| tx.execute("UPDATE a SET x = $1", &[&1_i64])).unwrap();
    assert_eq!(updated, 4);
    net.finish();
}

#[test]
fn a_client_that_was_closed_stays_closed() {
    let net = Net::postgres(vec![Script::new().terminate()]);
    let mut client = net.client();
    client.close();
    let error = transfer(&mut client, &mut Virtual::new()).unwrap_err();
    assert!(error.nothing_was_sent());
    net.finish();
}

#[test]
fn an_open_transaction_is_in_the_way() {
    let net = Net::postgres(vec![Script::new().simple("BEGIN", "BEGIN", 'T')]);
    let mut client = net.client();
    client.batch("BEGIN").unwrap();
    let error = transfer(&mut client, &mut Virtual::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    net.finish();
}

#[test]
fn a_broken_policy_is_refused_before_anything_is_sent() {
    let net = Net::postgres(vec![Script::new()]);
    let policy = Policy { max_attempts: 0, ..Policy::default() };
    let options = TransactionOptions { policy, ..TransactionOptions::default() };
    let result: Result<(), Error> = net.client().transaction_with(&options, |_| Ok(()));
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Config);
    net.finish();
}
