//! `lsid`, `txnNumber`, `autocommit`, `startTransaction`: every combination on every kind of command.

use bson::spec::BinarySubtype;
use bson::{Binary, RawDocumentBuf, rawdoc};
use kecoa_mongo::session::options::{Abilities, session_uuid};
use kecoa_mongo::session::{ReadConcern, ReadLevel, Statement, TransactionOptions};

const PING: Abilities<'static> =
    Abilities { name: "ping", transaction: false, retryable: false, ends: false };
const FIND: Abilities<'static> =
    Abilities { name: "find", transaction: true, retryable: false, ends: false };
const INSERT: Abilities<'static> =
    Abilities { name: "insert", transaction: true, retryable: true, ends: false };
const COMMIT: Abilities<'static> =
    Abilities { name: "commitTransaction", transaction: true, retryable: false, ends: true };

fn outcome(options: TransactionOptions, command: Abilities<'_>) -> String {
    match options.statement(command) {
        Ok(Statement::Plain) => "plain".to_owned(),
        Ok(Statement::RetryableWrite(_)) => "write".to_owned(),
        Ok(Statement::Begin(_)) => "begin".to_owned(),
        Ok(Statement::Proceed(_)) => "proceed".to_owned(),
        Err(error) => error.code().number().to_string(),
    }
}

#[test]
fn fields_make_a_statement() {
    let (yes, no) = (Some(true), Some(false));
    // txnNumber, autocommit, startTransaction: ping, find, insert, commitTransaction.
    #[allow(clippy::type_complexity, reason = "a row of the table")]
    let table: &[(Option<i64>, Option<bool>, Option<bool>, [&str; 4])] = &[
        (None, None, None, ["plain", "plain", "plain", "125"]),
        (None, no, None, ["72", "72", "72", "72"]),
        (None, yes, None, ["72", "72", "72", "72"]),
        (None, None, yes, ["72", "72", "72", "72"]),
        (None, no, yes, ["72", "72", "72", "72"]),
        (Some(1), None, None, ["50768", "50768", "write", "72"]),
        (Some(1), None, yes, ["72", "72", "72", "72"]),
        (Some(1), yes, None, ["72", "72", "72", "72"]),
        (Some(1), yes, yes, ["72", "72", "72", "72"]),
        (Some(1), no, no, ["72", "72", "72", "72"]),
        (Some(1), no, None, ["263", "proceed", "proceed", "proceed"]),
        (Some(1), no, yes, ["263", "begin", "begin", "263"]),
        (Some(-1), no, yes, ["72", "72", "72", "72"]),
        (Some(-1), None, None, ["72", "72", "72", "72"]),
    ];
    for (number, autocommit, start, row) in table {
        let options = TransactionOptions {
            number: *number,
            autocommit: *autocommit,
            start: *start,
            has_session: true,
        };
        for (command, expected) in [PING, FIND, INSERT, COMMIT].into_iter().zip(row) {
            assert_eq!(outcome(options, command), *expected, "{options:?} for {}", command.name);
        }
        if number.is_some() {
            let without = TransactionOptions { has_session: false, ..options };
            assert_eq!(outcome(without, INSERT), "72", "{without:?}");
        }
    }
}

#[test]
fn concerns_stand_where_they_may() {
    let level = |level| ReadConcern { level: Some(level), ..ReadConcern::default() };
    let local = level(ReadLevel::Local);
    let table = [
        (Statement::Plain, Some(local), true, false, true),
        (Statement::RetryableWrite(1), Some(local), true, false, true),
        (Statement::Begin(1), None, false, false, true),
        (Statement::Begin(1), Some(local), false, false, true),
        (Statement::Begin(1), Some(level(ReadLevel::Majority)), false, false, true),
        (Statement::Begin(1), Some(level(ReadLevel::Snapshot)), false, false, true),
        (Statement::Begin(1), Some(level(ReadLevel::Available)), false, false, false),
        (Statement::Begin(1), Some(level(ReadLevel::Linearizable)), false, false, false),
        (Statement::Begin(1), None, true, false, false),
        (Statement::Proceed(1), None, true, false, false),
        (Statement::Proceed(1), None, true, true, true),
        (Statement::Proceed(1), Some(local), false, false, false),
        (Statement::Proceed(1), Some(ReadConcern::default()), false, false, true),
    ];
    for (statement, read, write, ends, allowed) in table {
        let result = statement.check_concerns(read.as_ref(), write, ends);
        match result {
            Ok(()) => assert!(allowed, "{statement:?} {read:?} {write}"),
            Err(error) => {
                assert!(!allowed, "{statement:?} {read:?} {write}");
                assert_eq!(error.code().number(), 72);
            }
        }
    }
}

#[test]
fn an_lsid_has_an_id() {
    let uuid = |bytes: usize| Binary { subtype: BinarySubtype::Uuid, bytes: vec![7; bytes] };
    let hash = Binary { subtype: BinarySubtype::Generic, bytes: vec![0; 32] };
    assert_eq!(session_uuid(&rawdoc! { "id": uuid(16) }).unwrap(), [7; 16]);
    assert_eq!(session_uuid(&rawdoc! { "id": uuid(16), "uid": hash.clone() }).unwrap(), [7; 16]);
    let table: &[(RawDocumentBuf, i32)] = &[
        (rawdoc! {}, 40414),
        (rawdoc! { "uid": hash.clone() }, 40414),
        (rawdoc! { "id": 1 }, 14),
        (rawdoc! { "id": "x" }, 14),
        (rawdoc! { "id": hash }, 14),
        (rawdoc! { "id": uuid(15) }, 207),
        (rawdoc! { "id": uuid(16), "uid": 1 }, 14),
        (rawdoc! { "id": uuid(16), "x": 1 }, 40415),
        (rawdoc! { "id": uuid(16), "txnNumber": 1_i64 }, 72),
    ];
    for (document, code) in table {
        assert_eq!(session_uuid(document).unwrap_err().code().number(), *code, "{document:?}");
    }
}
