//! Statements of one request: what fails at each of them, what is lost, and what the server has forgotten.

use kecoa_pgmock::Script;

use super::harness::Net;
use crate::client::blocking::Client;
use crate::error::{Error, ErrorKind};
use crate::session::pipeline::{Answers, Pipeline, Slot};

const TRANSFER: [(&str, &str); 4] = [
    ("BEGIN", "BEGIN"),
    ("INSERT INTO t VALUES (1)", "INSERT 0 1"),
    ("UPDATE t SET x = 2", "UPDATE 3"),
    ("COMMIT", "COMMIT"),
];
const COLUMNS: [(&str, u32, u16); 1] = [("x", 20, 1)];

fn run(client: &mut Client, statements: &[&str]) -> Result<(Answers, Vec<Slot>), Error> {
    let mut pipeline = Pipeline::atomic();
    let slots = statements.iter().map(|sql| pipeline.add(sql, &[]).unwrap()).collect();
    client.run_pipeline(&pipeline).map(|answers| (answers, slots))
}

fn transfer(client: &mut Client) -> Result<(Answers, Vec<Slot>), Error> {
    run(client, &TRANSFER.map(|(sql, _)| sql))
}

/// A statement that comes with its text.
fn asked(script: Script, sql: &str) -> Script {
    script
        .expect_exactly('P', format!("\0{sql}\0\0\0").as_bytes())
        .expect('B')
        .expect('D')
        .expect('E')
}

fn answered(script: Script, tag: &str) -> Script {
    script.send_message('1', b"").send_message('2', b"").send_message('n', b"").complete(tag)
}

/// All statements, and one Sync behind them.
fn all_asked() -> Script {
    TRANSFER.iter().fold(Script::new(), |script, (sql, _)| asked(script, sql)).expect('S')
}

#[test]
fn nothing_runs_behind_the_statement_that_fails() {
    for failing in 0..TRANSFER.len() {
        for state in ["53200", "57014", "40001", "42601"] {
            let before = TRANSFER.iter().take(failing);
            let script = before.fold(all_asked(), |script, (_, tag)| answered(script, tag));
            let status = if failing == 0 || failing == 3 { 'I' } else { 'E' };
            let net = Net::postgres(vec![script.error(state, "made up").ready(status)]);
            let mut client = net.client();
            let error = transfer(&mut client).unwrap_err();
            assert_eq!(error.sqlstate(), Some(state), "at {failing}");
            assert!(!error.is_ambiguous() && !client.is_closed(), "{state} at {failing}");
            // The server was sent no more than the one request.
            net.finish();
        }
    }
}

#[test]
fn what_became_of_a_commit_is_not_known_where_the_answer_says_so_or_is_lost() {
    let script = TRANSFER[..3].iter().fold(all_asked(), |script, (_, tag)| answered(script, tag));
    let unknown = script.clone().error("40003", "statement completion unknown").ready('I');
    let ended = script.clone().fatal("57P01", "ended").close();
    for script in [unknown, ended, script.close(), all_asked().close()] {
        let net = Net::cockroach(vec![script]);
        let error = transfer(&mut net.client()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AmbiguousCommit, "{error}");
        net.finish();
    }
    // Where no COMMIT is among them, a transaction that is open stays so.
    let begun = asked(Script::new(), "BEGIN").expect('S');
    let net = Net::postgres(vec![begun.close()]);
    let error = run(&mut net.client(), &["BEGIN"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
}

#[test]
fn the_third_use_goes_by_name() {
    let by_name = |script: Script| script.expect('B').expect('E');
    let first = TRANSFER.iter().fold(all_asked(), |script, (_, tag)| answered(script, tag));
    let second = (0..4)
        .fold(Script::new(), |script, _| script.expect('P').expect('B').expect('D').expect('E'));
    let second = TRANSFER.iter().fold(second.expect('S'), |script, (_, tag)| answered(script, tag));
    let third = (0..4).fold(Script::new(), |script, _| by_name(script)).expect('S');
    let third =
        TRANSFER.iter().fold(third, |script, (_, tag)| script.send_message('2', b"").complete(tag));
    let script = first.ready('I').then(second.ready('I')).then(third.ready('I'));
    let net = Net::postgres(vec![script]);
    let mut client = net.client();
    for _ in 0..3 {
        let (mut answers, slots) = transfer(&mut client).unwrap();
        let counts: Vec<_> = slots.iter().map(|slot| answers.count(*slot).unwrap()).collect();
        assert_eq!(counts, [0, 1, 3, 0]);
    }
    net.finish();
}

const LOST_TYPE: &str = "cache lookup failed for type 16385";

/// Has a statement prepared.
fn prepare(client: &mut Client) {
    for _ in 0..2 {
        client.query("SELECT x FROM t", &[]).unwrap();
    }
}

fn prepared() -> Script {
    let once = || {
        let asked = Script::new().expect('P').expect('B').expect('D').expect('E').expect('S');
        let script = asked.send_message('1', b"").send_message('2', b"");
        script.row_description(&COLUMNS).complete("SELECT 0").ready('I')
    };
    once().then(once())
}

#[test]
fn what_the_server_has_forgotten_is_sent_anew_with_all_the_rest() {
    for (state, text) in [("26000", "gone"), ("0A000", "new columns"), ("XX000", LOST_TYPE)] {
        let stale = asked(prepared(), "BEGIN").expect('B').expect('E');
        let stale = answered(asked(stale, "COMMIT").expect('S'), "BEGIN");
        let stale = stale.error(state, text).ready('E');
        let again = stale.expect('C').expect_exactly('P', b"\0ROLLBACK\0\0\0");
        let again = asked(again.expect('B').expect('E'), "BEGIN");
        let again = asked(asked(again, "SELECT x FROM t"), "COMMIT").expect('S');
        let again = again.send_message('3', b"").send_message('1', b"").send_message('2', b"");
        let again = answered(again.complete("ROLLBACK"), "BEGIN");
        let again = again.send_message('1', b"").send_message('2', b"").row_description(&COLUMNS);
        let again = again.row(&[Some(&7_i64.to_be_bytes())]).complete("SELECT 1");
        let net = Net::postgres(vec![answered(again, "COMMIT").ready('I')]);
        let mut client = net.client();
        prepare(&mut client);
        let (mut answers, slots) =
            run(&mut client, &["BEGIN", "SELECT x FROM t", "COMMIT"]).unwrap();
        assert_eq!(answers.rows_as::<(i64,)>(slots[1]).unwrap(), [(7,)]);
        net.finish();
    }
}

#[test]
fn what_may_be_committed_is_not_sent_anew() {
    let stale = answered(asked(prepared(), "COMMIT").expect('B').expect('E').expect('S'), "COMMIT");
    let net = Net::postgres(vec![stale.error("26000", "forgotten").ready('I')]);
    let mut client = net.client();
    prepare(&mut client);
    let error = run(&mut client, &["COMMIT", "SELECT x FROM t"]).unwrap_err();
    assert_eq!(error.sqlstate(), Some("26000"));
    net.finish();
}

#[test]
fn no_statements_are_no_results() {
    let net = Net::postgres(vec![Script::new().expect('S').ready('I')]);
    assert!(run(&mut net.client(), &[]).unwrap().1.is_empty());
    net.finish();
}
