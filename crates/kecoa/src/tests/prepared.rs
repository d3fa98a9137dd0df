//! Statements that are used again: prepared, run by name, and forgotten when the server has.

use kecoa_pgmock::Script;

use super::harness::{Net, Virtual};
use crate::client::blocking::Client;
use crate::error::{Error, ErrorKind};
use crate::transaction::TransactionOptions;

const COLUMNS: [(&str, u32, u16); 1] = [("x", 20, 1)];
const LOST_TYPE: &str = "cache lookup failed for type 16385";

/// Parse, Bind, Describe and Execute, with or without a name.
fn parsed() -> Script {
    let asked = Script::new().expect('P').expect('B').expect('D').expect('E').expect('S');
    let script = asked.send_message('1', b"").send_message('2', b"").row_description(&COLUMNS);
    script.row(&[Some(&7_i64.to_be_bytes())]).complete("SELECT 1").ready('I')
}

fn by_name() -> Script {
    Script::new().expect('B').expect('E').expect('S')
}

fn answered(script: Script, value: i64) -> Script {
    let script = script.send_message('2', b"").row(&[Some(&value.to_be_bytes())]);
    script.complete("SELECT 1").ready('I')
}

fn ask(client: &mut Client) -> Result<i64, Error> {
    client.query_one("SELECT x FROM t", &[])?.get("x")
}

#[test]
fn the_third_use_neither_parses_nor_describes() {
    let script = parsed().then(parsed()).then(answered(by_name(), 8)).then(answered(by_name(), 9));
    let net = Net::postgres(vec![script]);
    let mut client = net.client();
    let values: Vec<_> = (0..4).map(|_| ask(&mut client).unwrap()).collect();
    assert_eq!(values, [7, 7, 8, 9]);
    net.finish();
}

#[test]
fn what_the_server_lost_is_sent_anew_and_prepared_again() {
    for (state, text) in
        [("26000", "gone"), ("0A000", "new columns"), ("42704", "no type"), ("XX000", LOST_TYPE)]
    {
        let script = parsed()
            .then(parsed())
            .then(by_name().error(state, text).ready('I'))
            .then(Script::new().expect('C').then(parsed_behind_close()))
            // It counts as new: seen, then prepared.
            .then(parsed().then(parsed()));
        let net = Net::postgres(vec![script]);
        let mut client = net.client();
        for _ in 0..5 {
            ask(&mut client).unwrap();
        }
        net.finish();
    }
}

#[test]
fn names_to_close_wait_for_a_request_that_can_be_sent() {
    let other = Script::new().expect('C').then(parsed_behind_close());
    let net = Net::postgres(vec![parsed().then(parsed()).then(other)]);
    let mut client = net.client();
    ask(&mut client).unwrap();
    ask(&mut client).unwrap();
    client.set_statement_cache_capacity(0);
    assert_eq!(client.query("SELECT '\0'", &[]).unwrap_err().kind(), ErrorKind::Usage);
    ask(&mut client).unwrap();
    net.finish();
}

#[test]
fn a_type_that_is_missed_where_a_value_is_written_has_the_statement_sent_anew() {
    let stale = by_name().send_message('2', b"").error("XX000", LOST_TYPE).ready('I');
    let script = parsed().then(parsed()).then(stale);
    let net =
        Net::postgres(vec![script.then(Script::new().expect('C').then(parsed_behind_close()))]);
    let mut client = net.client();
    for _ in 0..3 {
        assert_eq!(ask(&mut client).unwrap(), 7);
    }
    net.finish();
}

#[test]
fn an_error_in_a_function_is_no_reason_to_call_it_again() {
    let body = format!("SERROR\0VERROR\0CXX000\0M{LOST_TYPE}\0WPL/pgSQL function f()\0\0");
    let failing = by_name().send_message('2', b"").send_message('E', body.as_bytes()).ready('I');
    let script = parsed().then(parsed()).then(failing).then(answered(by_name(), 8));
    let net = Net::postgres(vec![script]);
    let mut client = net.client();
    ask(&mut client).unwrap();
    ask(&mut client).unwrap();
    assert_eq!(ask(&mut client).unwrap_err().sqlstate(), Some("XX000"));
    assert_eq!(ask(&mut client).unwrap(), 8, "it stays prepared");
    net.finish();
}

#[test]
fn a_type_that_is_missed_in_a_transaction_has_every_statement_prepared_anew() {
    let one = || by_name().send_message('2', b"").row(&[Some(&7_i64.to_be_bytes())]);
    let close = Script::new().expect('C').expect('C');
    let asked = close.expect('P').expect('B').expect('D').expect('E').expect('S');
    let anew = asked.send_message('3', b"").send_message('3', b"");
    let anew = anew.send_message('1', b"").send_message('2', b"").row_description(&COLUMNS);
    let anew = anew.row(&[Some(&7_i64.to_be_bytes())]).complete("SELECT 1").ready('I');
    let script = parsed()
        .then(parsed())
        .then(parsed())
        .then(parsed())
        .simple("BEGIN", "BEGIN", 'T')
        .then(one().complete("SELECT 1").ready('T'))
        .then(by_name().error("XX000", LOST_TYPE).ready('E'))
        .simple("ROLLBACK", "ROLLBACK", 'I')
        .then(anew);
    let net = Net::postgres(vec![script]);
    let mut client = net.client();
    let other = "SELECT y AS x FROM t";
    for sql in ["SELECT x FROM t", "SELECT x FROM t", other, other] {
        client.query_one(sql, &[]).unwrap();
    }
    client.batch("BEGIN").unwrap();
    client.query_one(other, &[]).unwrap();
    assert_eq!(ask(&mut client).unwrap_err().sqlstate(), Some("XX000"));
    client.batch("ROLLBACK").unwrap();
    client.query_one(other, &[]).unwrap();
    net.finish();
}

fn parsed_behind_close() -> Script {
    let asked = Script::new().expect('P').expect('B').expect('D').expect('E').expect('S');
    let script = asked.send_message('3', b"").send_message('1', b"").send_message('2', b"");
    let script = script.row_description(&COLUMNS).row(&[Some(&7_i64.to_be_bytes())]);
    script.complete("SELECT 1").ready('I')
}

#[test]
fn an_error_of_the_statement_itself_is_no_reason_to_run_it_again() {
    for (state, text) in [
        ("23505", "duplicate"),
        ("26000", "inner"),
        ("0A000", "inner"),
        ("42704", "inner"),
        ("XX000", "inner"),
    ] {
        let failing = by_name().send_message('2', b"").error(state, text).ready('I');
        let script = parsed().then(parsed()).then(failing).then(answered(by_name(), 8));
        let net = Net::postgres(vec![script]);
        let mut client = net.client();
        ask(&mut client).unwrap();
        ask(&mut client).unwrap();
        assert_eq!(ask(&mut client).unwrap_err().sqlstate(), Some(state));
        assert_eq!(ask(&mut client).unwrap(), 8, "it stays prepared");
        net.finish();
    }
}

#[test]
fn a_statement_that_fails_at_its_second_use_is_not_kept() {
    let failing = Script::new().expect('P').expect('B').expect('D').expect('E').expect('S');
    let failing = failing.send_message('1', b"").error("22P02", "bad").ready('I');
    let script = parsed().then(failing).then(Script::new().expect('C').then(parsed_behind_close()));
    let net = Net::postgres(vec![script]);
    let mut client = net.client();
    ask(&mut client).unwrap();
    assert_eq!(ask(&mut client).unwrap_err().sqlstate(), Some("22P02"));
    ask(&mut client).unwrap();
    net.finish();
}

#[test]
fn in_front_of_a_transaction_it_is_sent_anew_and_within_one_it_is_an_error() {
    let in_transaction = |script: Script| script.complete("SELECT 1").ready('T');
    let begun = |script: Script| script.send_message('1', b"").send_message('2', b"");
    let begin = || Script::new().expect_exactly('P', b"\0BEGIN\0\0\0").expect('B').expect('E');
    let stale = begun(begin().then(by_name())).complete("BEGIN");
    // The transaction that failed for nothing ends in the same request in which the next begins.
    let rollback = Script::new().expect('C').expect_exactly('P', b"\0ROLLBACK\0\0\0");
    let anew = rollback.expect('B').expect('E').then(begin());
    let anew = anew.expect('P').expect('B').expect('D').expect('E').expect('S');
    let anew = begun(anew.send_message('3', b"")).complete("ROLLBACK");
    let anew = begun(anew).complete("BEGIN");
    let anew = begun(anew).row_description(&COLUMNS).row(&[Some(&7_i64.to_be_bytes())]);
    let script = parsed()
        .then(parsed())
        .then(stale.error("0A000", "cached plan must not change result type").ready('E'))
        .then(in_transaction(anew))
        .simple("COMMIT", "COMMIT", 'I');
    let net = Net::postgres(vec![script]);
    let mut client = net.client();
    ask(&mut client).unwrap();
    ask(&mut client).unwrap();
    let value: Result<i64, Error> =
        client.transaction_on(&TransactionOptions::default(), &mut Virtual::new(), |tx| {
            tx.query_one("SELECT x FROM t", &[])?.get(0)
        });
    assert_eq!(value.unwrap(), 7);
    net.finish();

    let script = parsed()
        .then(parsed())
        .simple("BEGIN", "BEGIN", 'T')
        .then(by_name().error("26000", "gone").ready('E'))
        .simple("ROLLBACK", "ROLLBACK", 'I');
    let net = Net::postgres(vec![script]);
    let mut client = net.client();
    ask(&mut client).unwrap();
    ask(&mut client).unwrap();
    client.batch("BEGIN").unwrap();
    assert_eq!(ask(&mut client).unwrap_err().sqlstate(), Some("26000"));
    client.batch("ROLLBACK").unwrap();
    net.finish();
}

#[test]
fn discard_all_and_a_fresh_connection_forget() {
    let script = parsed().then(parsed()).simple("DISCARD ALL", "DISCARD ALL", 'I').then(parsed());
    let net = Net::postgres(vec![script, parsed()]);
    let mut client = net.client();
    ask(&mut client).unwrap();
    ask(&mut client).unwrap();
    client.batch("DISCARD ALL").unwrap();
    ask(&mut client).unwrap();
    client.reconnect().unwrap();
    ask(&mut client).unwrap();
    net.finish();
}

#[test]
fn rows_that_do_not_fit_their_description_are_refused() {
    let two = by_name().send_message('2', b"").row(&[Some(b"a"), Some(b"b")]);
    let net =
        Net::postgres(vec![parsed().then(parsed()).then(two.complete("SELECT 1").ready('I'))]);
    let mut client = net.client();
    ask(&mut client).unwrap();
    ask(&mut client).unwrap();
    assert_eq!(ask(&mut client).unwrap_err().kind(), ErrorKind::Protocol);
    net.finish();
}

fn pipeline(statements: &[&str]) -> (crate::Pipeline, Vec<crate::Slot>) {
    let mut pipeline = crate::Pipeline::new();
    let slots = statements.iter().map(|sql| pipeline.add(sql, &[]).unwrap()).collect();
    (pipeline, slots)
}

/// A statement of a pipeline, under no name.
fn unnamed(script: Script) -> Script {
    script.expect('P').expect('B').expect('D').expect('E').expect('S')
}

fn done(script: Script, tag: &str) -> Script {
    script
        .send_message('1', b"")
        .send_message('2', b"")
        .send_message('n', b"")
        .complete(tag)
        .ready('I')
}

#[test]
fn what_went_stale_in_a_pipeline_is_not_sent_anew_behind_a_change() {
    let script = parsed().then(parsed());
    let stale = |script: Script| script.error("0A000", "cached plan must not change").ready('I');
    let script = script.expect('B').expect('E').expect('S');
    let script = done(stale(unnamed(script)), "DELETE 1");
    let net = Net::postgres(vec![script]);
    let mut client = net.client();
    ask(&mut client).unwrap();
    ask(&mut client).unwrap();
    let (pipeline, slots) = pipeline(&["SELECT x FROM t", "DELETE FROM t"]);
    let mut answers = client.run_pipeline(&pipeline).unwrap();
    assert_eq!(answers.take(slots[0]).unwrap_err().sqlstate(), Some("0A000"));
    assert_eq!(answers.count(slots[1]).unwrap(), 1);
    net.finish();
}

#[test]
fn what_went_stale_before_nothing_but_reads_is_sent_anew() {
    let script = parsed().then(parsed()).expect('B').expect('E').expect('S');
    let script = unnamed(script).error("0A000", "cached plan must not change").ready('I');
    let script =
        done(script, "SELECT 0").then(Script::new().expect('C').then(parsed_behind_close()));
    let net = Net::postgres(vec![script]);
    let mut client = net.client();
    ask(&mut client).unwrap();
    ask(&mut client).unwrap();
    let (pipeline, slots) = pipeline(&["SELECT x FROM t", "SELECT y FROM t"]);
    let mut answers = client.run_pipeline(&pipeline).unwrap();
    assert_eq!(answers.rows(slots[0]).unwrap().len(), 1);
    assert_eq!(answers.rows(slots[1]).unwrap().len(), 0);
    net.finish();
}

#[test]
fn in_a_pipeline_what_changes_rows_and_returns_them_is_always_parsed() {
    let sql = "INSERT INTO t VALUES (7) RETURNING *";
    let script = parsed().then(parsed()).then(parsed());
    let net = Net::postgres(vec![script]);
    let mut client = net.client();
    for _ in 0..2 {
        client.query_one(sql, &[]).unwrap();
    }
    let (pipeline, slots) = pipeline(&[sql]);
    assert_eq!(client.run_pipeline(&pipeline).unwrap().rows(slots[0]).unwrap().len(), 1);
    net.finish();
}
