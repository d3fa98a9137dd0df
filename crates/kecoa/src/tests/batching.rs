//! BEGIN travels with the first statement, and nobody can tell.

use kecoa_pgmock::Script;
use kecoa_proto::TransactionStatus;

use super::harness::Net;
use crate::error::{Error, ErrorKind};
use crate::interrupt::Never;
use crate::row::ResultSet;

fn begin(
    net: &std::sync::Arc<Net>,
    sql: &str,
) -> (Result<Vec<ResultSet>, Error>, TransactionStatus) {
    let mut client = net.client();
    let result = client.run_in_transaction(b"BEGIN", sql.as_bytes(), &mut Never);
    (result, client.transaction_status())
}

#[test]
fn one_round_trip_and_no_trace_of_begin() {
    let net = Net::postgres(vec![
        Script::new()
            .query("BEGIN;UPDATE t SET x = 1")
            .complete("BEGIN")
            .complete("UPDATE 3")
            .ready('T'),
    ]);
    let (result, status) = begin(&net, "UPDATE t SET x = 1");
    let sets = result.unwrap();
    assert_eq!(sets.len(), 1);
    assert_eq!(sets[0].tag.as_ref().unwrap().as_bytes(), b"UPDATE 3");
    assert_eq!(status, TransactionStatus::InTransaction);
    net.finish();
}

#[test]
fn an_empty_statement_is_an_empty_statement() {
    let script = Script::new().query("BEGIN;").complete("BEGIN").ready('T');
    let net = Net::postgres(vec![script]);
    let sets = begin(&net, "").0.unwrap();
    assert!(sets.len() == 1 && sets[0].empty && sets[0].tag.is_none());
    net.finish();
}

#[test]
fn a_syntax_error_is_replayed_one_by_one() {
    let net = Net::postgres(vec![
        Script::new()
            .query("BEGIN;SELEC 1")
            .notice("42622", "identifier will be truncated")
            .error_at("42601", "syntax error", 7)
            .ready('I')
            .simple("BEGIN", "BEGIN", 'T')
            .query("SELEC 1")
            .notice("42622", "identifier will be truncated")
            .error_at("42601", "syntax error", 1)
            .ready('E'),
    ]);
    let mut client = net.client();
    let error = client.run_in_transaction(b"BEGIN", b"SELEC 1", &mut Never).unwrap_err();
    assert_eq!(error.server().unwrap().position(), Some(1));
    assert_eq!(client.transaction_status(), TransactionStatus::Failed);
    assert_eq!(client.take_notices().len(), 1, "the notices of the replay only");
    net.finish();
}

#[test]
fn begin_refused_is_begins_own_error_and_the_statement_never_runs() {
    let net = Net::postgres(vec![
        Script::new()
            .query("BEGIN;DELETE FROM t")
            .error("25006", "not now")
            .ready('I')
            .failing("BEGIN", "25006", 'I'),
    ]);
    let (result, status) = begin(&net, "DELETE FROM t");
    assert_eq!(result.unwrap_err().sqlstate(), Some("25006"));
    assert_eq!(status, TransactionStatus::Idle);
    net.finish();
}

#[test]
fn a_cancelled_begin_does_not_let_the_statement_through() {
    let net = Net::postgres(vec![
        Script::new()
            .query("BEGIN;DELETE FROM t")
            .error("57014", "canceling statement due to user request")
            .ready('I'),
    ]);
    assert_eq!(begin(&net, "DELETE FROM t").0.unwrap_err().sqlstate(), Some("57014"));
    net.finish();
}

#[test]
fn positions_are_moved_back_by_the_prefix() {
    // The position is 1-based and counts characters: `BEGIN é;` is eight of them.
    for (begin, position, expected) in
        [("BEGIN", 13, Some(7)), ("BEGIN é", 13, Some(5)), ("BEGIN", 6, None), ("BEGIN", 3, None)]
    {
        let script = Script::new()
            .query(&format!("{begin};SELECT nix"))
            .complete("BEGIN")
            .error_at("42703", "no such column", position)
            .ready('E');
        let net = Net::postgres(vec![script]);
        let mut client = net.client();
        let error =
            client.run_in_transaction(begin.as_bytes(), b"SELECT nix", &mut Never).unwrap_err();
        assert_eq!(error.server().unwrap().position(), expected, "{begin} {position}");
        assert_eq!(client.transaction_status(), TransactionStatus::Failed);
        net.finish();
    }
}

#[test]
fn inside_a_transaction_begin_is_not_sent() {
    let net = Net::postgres(vec![
        Script::new().simple("BEGIN", "BEGIN", 'T').simple("SELECT 1", "SELECT 1", 'T'),
    ]);
    let mut client = net.client();
    client.batch("BEGIN").unwrap();
    assert_eq!(client.run_in_transaction(b"BEGIN", b"SELECT 1", &mut Never).unwrap().len(), 1);
    net.finish();
}

#[test]
fn a_connection_that_ended_before_begin_is_lost_not_replayed() {
    let net = Net::postgres(vec![
        Script::new().query("BEGIN;SELECT 1").fatal("57P01", "terminating connection").close(),
    ]);
    let mut client = net.client();
    let error = client.run_in_transaction(b"BEGIN", b"SELECT 1", &mut Never).unwrap_err();
    assert_eq!((error.kind(), error.sqlstate()), (ErrorKind::Server, Some("57P01")));
    assert!(error.is_connection_lost() && client.is_closed());
    net.finish();
}
