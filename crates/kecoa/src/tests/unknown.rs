//! Answers that are lost, and what is known then: cut at every byte, in every way to commit.

use kecoa_pgmock::Script;
use kecoa_proto::{Format, Request};

use super::harness::Net;
use crate::error::{Error, ErrorKind};
use crate::interrupt::Never;
use crate::session::call::{CallRequest, Results};

/// What a request in flight means when the connection ends behind `cut` bytes of its answer.
fn cut(before: char, sql: &str, tag: &str, after: char, cut: usize) -> Result<(), Error> {
    let ready = Script::new().query("BEGIN").complete("BEGIN").ready(before);
    let answer = Script::new().complete(tag).ready(after);
    let net = Net::postgres(vec![ready.query(sql).cut_after(cut).then(answer)]);
    let mut client = net.client();
    client.batch("BEGIN").unwrap();
    let answered = client.batch(sql).map(drop);
    assert!(client.is_closed(), "{sql} cut after {cut}");
    net.finish();
    answered
}

#[test]
fn every_byte_of_the_answer_to_a_commit_leaves_it_open() {
    let said = Script::new().complete("COMMIT").sent_bytes();
    for sql in ["COMMIT", "/* c */ COMMIT", "end transaction", "commit and no chain", "COMMIT;"] {
        for at in 0..said + Script::new().ready('I').sent_bytes() {
            match cut('T', sql, "COMMIT", 'I', at) {
                // The server said COMMIT: nothing is open.
                Ok(()) => assert!(at >= said && !sql.contains(';'), "{sql} cut after {at}"),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::AmbiguousCommit, "{sql} cut after {at}");
                    assert!(error.is_ambiguous() && error.is_connection_lost());
                    assert!(!error.nothing_was_sent() && !error.is_retryable());
                    assert!(at < said || sql.contains(';'), "{sql} cut after {at}");
                }
            }
        }
    }
    for sql in ["SELECT f(); COMMIT", "COMMIT; SELECT 1", "RELEASE SAVEPOINT cockroach_restart"] {
        let error = cut('T', sql, "SELECT 1", 'I', 3).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AmbiguousCommit, "{sql}");
    }
}

#[test]
fn a_statement_in_a_transaction_commits_nothing() {
    for sql in ["INSERT INTO t VALUES (1)", "ROLLBACK", "SAVEPOINT s", "SELECT f()"] {
        for at in 0..12 {
            let error = cut('T', sql, "INSERT 0 1", 'T', at).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{sql} cut after {at}");
            assert!(!error.is_ambiguous());
        }
    }
    // A failed transaction is rolled back by COMMIT.
    let error = cut('E', "COMMIT", "ROLLBACK", 'I', 0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
}

#[test]
fn a_statement_outside_of_a_transaction_may_have_taken_effect() {
    for (sql, open) in [("INSERT INTO t VALUES (1)", true), ("SELECT f()", true), ("SHOW x", false)]
    {
        let error = cut('I', sql, "INSERT 0 1", 'I', 4).unwrap_err();
        assert_eq!(error.is_ambiguous(), open, "{sql}");
    }
}

#[test]
fn an_error_that_was_told_before_the_end_leaves_nothing_open() {
    let script = Script::new().query("INSERT").error("23505", "duplicate key").close();
    let net = Net::postgres(vec![script]);
    let error = net.client().batch("INSERT").unwrap_err();
    assert!(error.is_connection_lost() && !error.is_ambiguous(), "{error}");
}

#[test]
fn a_commit_behind_others_leaves_all_of_them_open() {
    let begun = Script::new().query("BEGIN").complete("BEGIN").ready('T');
    let net = Net::postgres(vec![begun.query("UPDATE a").query("COMMIT").close()]);
    let mut client = net.client();
    client.batch("BEGIN").unwrap();
    let first = client.submit(&Request::Query(b"UPDATE a")).unwrap();
    let second = client.submit(&Request::Query(b"COMMIT")).unwrap();
    for request in [first, second] {
        let error = client.finish(request, &mut Never).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AmbiguousCommit, "{error}");
        assert!(error.is_connection_lost() && !error.nothing_was_sent());
    }
    let error = client.batch("SELECT f()").unwrap_err();
    assert!(
        error.nothing_was_sent() && !error.is_ambiguous(),
        "what comes later is merely refused"
    );
    net.finish();
}

#[test]
fn a_commit_that_runs_by_its_name_is_one() {
    let done = |script: Script, status| script.complete("COMMIT").ready(status);
    let parsed = || {
        let asked = Script::new().expect('P').expect('B').expect('D').expect('E').expect('S');
        done(asked.send_message('1', b"").send_message('2', b"").send_message('n', b""), 'T')
    };
    let named = Script::new().expect('B').expect('E').expect('S').close();
    let begun = Script::new().query("BEGIN").complete("BEGIN").ready('T');
    let net = Net::postgres(vec![begun.then(parsed()).then(parsed()).then(named)]);
    let mut client = net.client();
    client.batch("BEGIN").unwrap();
    let request = CallRequest {
        begin: None,
        sql: b"COMMIT AND CHAIN",
        types: &[],
        parameters: &[],
        results: Results::All(Format::Text),
    };
    let mut commit = || {
        let plan = client.plan_call(request.sql, request.types);
        let pending = client.submit_call(plan, &request)?;
        client.finish_call(pending, &request, &mut Never).map(drop)
    };
    commit().unwrap();
    commit().unwrap();
    assert_eq!(commit().unwrap_err().kind(), ErrorKind::AmbiguousCommit);
    net.finish();
}

#[test]
fn some_errors_in_answer_to_commit_prove_nothing() {
    for (sql, sqlstate, open) in [
        ("COMMIT", "40003", true),
        ("COMMIT", "08007", true),
        ("COMMIT", "08006", true),
        ("COMMIT", "57P01", true),
        ("COMMIT", "40001", false),
        ("COMMIT", "23505", false),
        ("INSERT", "08007", true),
    ] {
        let begun = Script::new().query("BEGIN").complete("BEGIN").ready('T');
        let net = Net::postgres(vec![begun.query(sql).error(sqlstate, "?").ready('I')]);
        let mut client = net.client();
        client.batch("BEGIN").unwrap();
        let error = client.batch(sql).unwrap_err();
        assert_eq!(error.is_ambiguous(), open, "{sql} {sqlstate}");
        assert_eq!(error.sqlstate(), Some(sqlstate));
        assert!(!client.is_closed());
        net.finish();
    }
}

#[test]
fn a_copy_without_its_end_is_given_up() {
    let sql = "COPY t FROM STDIN";
    let script = Script::new().query(sql).copy_response('G', 1).expect('d').close();
    let net = Net::postgres(vec![script]);
    let mut endless = std::io::repeat(b'x');
    let error = net.client().copy_in(sql, &mut endless, &mut Never).unwrap_err();
    assert!(error.is_connection_lost() && !error.is_ambiguous(), "{error}");
    let script = Script::new().query(sql).copy_response('G', 1).expect('d').expect('c').close();
    let net = Net::postgres(vec![script]);
    let error = net.client().copy_in(sql, &mut &b"1\n"[..], &mut Never).unwrap_err();
    assert!(error.is_ambiguous(), "its end was sent: {error}");
}

#[test]
fn the_end_of_the_stream_behind_fatal_is_not_waited_for() {
    for severity in ["FATAL", "PANIC"] {
        let fields = format!("S{severity}\0V{severity}\0CXX000\0Mgone\0\0");
        let script = Script::new().query("SELECT 1").send_message('E', fields.as_bytes()).stall();
        let net = Net::postgres(vec![script]);
        let mut client = net.client();
        let error = client.batch("SELECT 1").unwrap_err();
        assert_eq!(error.sqlstate(), Some("XX000"));
        assert!(error.is_connection_lost() && client.is_closed());
    }
}

#[test]
fn a_commit_that_is_given_up_is_open() {
    let begun = Script::new().query("BEGIN").complete("BEGIN").ready('T');
    let net = Net::postgres(vec![begun.query("COMMIT").stall()]);
    let mut client = net.client();
    client.batch("BEGIN").unwrap();
    let mut hook = || std::ops::ControlFlow::Break(());
    let error = client.run(&Request::Query(b"COMMIT"), &mut hook).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AmbiguousCommit);
    assert_eq!(error.last_attempt().map(Error::kind), Some(ErrorKind::Interrupted));
}
