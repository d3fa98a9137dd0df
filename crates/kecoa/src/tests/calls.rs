//! Calls of entry points: forms chosen a column, several in flight, many sets of parameters.

use kecoa_pgmock::Script;
use kecoa_proto::{Format, Parameter};

use super::harness::Net;
use crate::client::blocking::Client;
use crate::error::ErrorKind;
use crate::interrupt::Never;
use crate::session::call::{CallRequest, PendingCall, Results};

const COLUMNS: [(&str, u32, u16); 2] = [("n", 23, 0), ("t", 25, 0)];

fn described() -> Script {
    let asked = Script::new().expect('P').expect('B').expect('D').expect('E').expect('S');
    let script = asked.send_message('1', b"").send_message('2', b"").row_description(&COLUMNS);
    script.row(&[Some(b"7"), Some(b"x")]).complete("SELECT 1").ready('I')
}

fn request<'a>(results: Results<'a>) -> CallRequest<'a> {
    CallRequest { begin: None, sql: b"SELECT n, t FROM a", types: &[], parameters: &[], results }
}

fn submit(client: &mut Client, results: Results<'_>) -> PendingCall {
    let plan = client.plan_call(b"SELECT n, t FROM a", &[]);
    client.submit_call(plan, &request(results)).unwrap()
}

fn call(client: &mut Client, formats: &[Format]) -> Vec<Format> {
    let results = Results::Each(formats);
    let pending = submit(client, results);
    let set = client.finish_call(pending, &request(results), &mut Never).unwrap();
    set.description.unwrap().fields.iter().map(|field| field.format).collect()
}

fn answered() -> Script {
    let script = Script::new().expect('B').expect('E').expect('S').send_message('2', b"");
    script.row(&[Some(&7_i32.to_be_bytes()), Some(b"x")]).complete("SELECT 1").ready('I')
}

#[test]
fn forms_are_chosen_when_the_columns_are_known() {
    let script = described().then(described()).then(answered()).then(answered());
    let net = Net::postgres(vec![script]);
    let mut client = net.client();
    let (text, binary) = (Format::Text, Format::Binary);
    // Unknown columns come as text, whatever was asked for.
    assert_eq!(call(&mut client, &[binary, binary]), [text, text]);
    assert_eq!(call(&mut client, &[binary]), [text, text]);
    assert_eq!(call(&mut client, &[binary, text]), [binary, text]);
    let plan = client.plan_call(b"SELECT n, t FROM a", &[]);
    assert_eq!(plan.description().unwrap().fields.len(), 2);
    let few = client.submit_call(plan, &request(Results::Each(&[binary]))).unwrap_err();
    assert_eq!(few.kind(), ErrorKind::Usage);
    assert!(few.to_string().contains("each of 2 columns, found 1"), "{few}");
    assert_eq!(call(&mut client, &[text, binary]), [text, binary]);
    net.finish();
}

#[test]
fn a_plan_whose_name_has_made_room_is_no_plan() {
    let script = described()
        .then(described())
        .then(Script::new().expect('C').then(described_behind_close()));
    let net = Net::postgres(vec![script]);
    let mut client = net.client();
    call(&mut client, &[]);
    call(&mut client, &[]);
    let plan = client.plan_call(b"SELECT n, t FROM a", &[]);
    client.set_statement_cache_capacity(0);
    let request = request(Results::Each(&[Format::Binary, Format::Text]));
    let pending = client.submit_call(plan, &request).unwrap();
    let set = client.finish_call(pending, &request, &mut Never).unwrap();
    assert_eq!(set.description.unwrap().fields[0].format, Format::Text);
    net.finish();
}

fn described_behind_close() -> Script {
    let asked = Script::new().expect('P').expect('B').expect('D').expect('E').expect('S');
    let script = asked.send_message('3', b"").send_message('1', b"").send_message('2', b"");
    let script = script.row_description(&COLUMNS).row(&[Some(b"7"), Some(b"x")]);
    script.complete("SELECT 1").ready('I')
}

#[test]
fn several_in_flight_are_settled_in_order() {
    let net = Net::postgres(vec![described().then(described()).then(described())]);
    let mut client = net.client();
    let text = Results::All(Format::Text);
    let pending: Vec<_> = (0..3).map(|_| submit(&mut client, text)).collect();
    for pending in pending {
        let set = client.finish_call(pending, &request(text), &mut Never).unwrap();
        assert_eq!(set.row_count(), 1);
    }
    net.finish();
}

#[test]
fn many_sets_of_parameters_are_one_request() {
    let asked = Script::new()
        .expect_exactly('P', b"\0BEGIN\0\0\0")
        .expect('B')
        .expect('E')
        .expect('P')
        .expect('B')
        .expect('E')
        .expect('B')
        .expect('E')
        .expect('S');
    let done = |script: Script, tag| script.send_message('2', b"").complete(tag);
    let parsed = |script: Script| script.send_message('1', b"");
    let script = done(parsed(done(parsed(asked), "BEGIN")), "INSERT 0 1");
    let net = Net::postgres(vec![done(script, "INSERT 0 1").ready('T')]);
    let mut client = net.client();
    let one = [Parameter { format: Format::Text, value: Some(b"1") }];
    let sql = b"INSERT INTO a VALUES ($1)";
    let id = client.submit_many(Some(b"BEGIN"), sql, &[23], &[&one, &one]).unwrap();
    let sets = client.finish(id, &mut Never).unwrap();
    let rows: Vec<_> = sets.iter().map(|set| set.tag.as_ref().unwrap().rows()).collect();
    assert_eq!(rows, [None, Some(1), Some(1)]);
    net.finish();
}
