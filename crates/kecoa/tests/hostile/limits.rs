//! Servers that do not break the protocol, and send more than anybody wants, or later.

use super::*;

fn many_rows() -> Vec<u8> {
    let row = message(b'D', &[&[0, 1, 0, 0, 0, 100][..], &[b'x'; 100]].concat());
    row.repeat(100)
}

/// A second connection that cancels what the first does.
fn cancel() -> Script {
    Script::new().expect_cancel().signal("cancelled").close()
}

#[test]
fn a_result_beyond_the_limit_is_cancelled_and_the_connection_stays() {
    let server = Server::start(vec![
        Script::new()
            .startup()
            .query("SELECT 1")
            .row_description(&[("a", 25, 0)])
            .endless(&many_rows(), "cancelled")
            .error("57014", "canceling statement due to user request")
            .ready('I')
            .simple("SELECT 2", "SELECT 1", 'I')
            .terminate(),
        cancel(),
    ]);
    let mut client = Client::connect(&config(server.port(), "max_result_size=1MB")).unwrap();
    let error = client.batch("SELECT 1").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResultTooLarge, "{error}");
    assert_eq!(error.sqlstate(), None, "what the server made of it is of no interest");
    for part in ["1048576 bytes", "max_result_size", "a cursor", "as a stream"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    assert!(!error.is_connection_lost() && !error.is_retryable());
    client.batch("SELECT 2").unwrap();
    drop(client);
    server.finish();
}

#[test]
fn a_result_within_the_limit_is_whole() {
    let rows = many_rows();
    let script = || {
        let answer = |script: Script| {
            script
                .query("SELECT 1")
                .row_description(&[("a", 25, 0)])
                .send(&rows)
                .complete("SELECT 100")
                .ready('I')
        };
        answer(answer(Script::new().startup())).terminate()
    };
    let server = Server::start(vec![script()]);
    // Each statement has the whole of it: what came before is not added.
    let mut client = Client::connect(&config(server.port(), "max_result_size=16kB")).unwrap();
    for _ in 0..2 {
        assert_eq!(client.batch("SELECT 1").unwrap()[0].row_count(), 100);
    }
    drop(client);
    server.finish();
}

#[test]
fn many_small_results_are_one_large_one() {
    let server = Server::start(vec![
        Script::new()
            .startup()
            .query("SELECT 1")
            .endless(&message(b'C', b"SET\0"), "cancelled")
            .error("57014", "canceling statement due to user request")
            .ready('I')
            .terminate(),
        cancel(),
    ]);
    let mut client = Client::connect(&config(server.port(), "max_result_size=100kB")).unwrap();
    let error = client.batch("SELECT 1").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResultTooLarge, "{error}");
    drop(client);
    server.finish();
}

#[test]
fn in_a_pipeline_only_what_is_too_large_fails() {
    let server = Server::start(vec![
        Script::new()
            .startup()
            .query("SELECT 1")
            .query("SELECT 2")
            .row_description(&[("a", 25, 0)])
            .send(&many_rows().repeat(20))
            .complete("SELECT 2000")
            .ready('I')
            .complete("SELECT 2")
            .ready('I')
            .terminate(),
    ]);
    let mut client = Client::connect(&config(server.port(), "max_result_size=64kB")).unwrap();
    let first = client.submit(&Request::Query(b"SELECT 1")).unwrap();
    let second = client.submit(&Request::Query(b"SELECT 2")).unwrap();
    let error = client.finish(first, &mut Deadline::after(5_000)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResultTooLarge, "{error}");
    assert_eq!(client.finish(second, &mut Deadline::after(5_000)).unwrap().len(), 1);
    drop(client);
    server.finish();
}

/// A time limit ends the wait whatever the server does meanwhile: it drips, it floods, it is silent.
#[test]
fn a_deadline_is_kept_while_the_server_goes_on() {
    let notice = message(b'N', b"SNOTICE\0C00000\0Mon and on\0\0").repeat(50);
    let notice = &notice;
    let described = || asked().row_description(&[("a", 25, 0)]);
    let servers = [
        ("rows without end", described().endless(&many_rows(), "cancelled")),
        ("notices without end", asked().endless(notice, "cancelled")),
        (
            "parameters without end",
            asked().endless(&message(b'S', b"name\0value\0").repeat(50), "cancelled"),
        ),
        ("silence", asked().wait("cancelled")),
        (
            "a byte at a time",
            asked().drip(&notice[..20], Duration::from_millis(20)).wait("cancelled"),
        ),
    ];
    thread::scope(|scope| {
        for (name, script) in servers {
            scope.spawn(move || {
                let rest = if name == "a byte at a time" {
                    Script::new().send(&notice[20..notice.len() / 50]).error("57014", "cancelled")
                } else {
                    Script::new().error("57014", "cancelled")
                };
                let script = script.then(rest).ready('I').simple("SELECT 2", "SELECT 1", 'I');
                let server = Server::start(vec![script.terminate(), cancel()]);
                let mut client = Client::connect(&config(server.port(), "")).unwrap();
                let mut deadline = Deadline::after(300);
                let started = Instant::now();
                let error = client.run(&Request::Query(b"SELECT 1"), &mut deadline).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Interrupted, "{name}: {error}");
                assert!(started.elapsed() < TIMEOUT, "{name}");
                client.batch("SELECT 2").unwrap();
                let kept = client.take_notices().len();
                assert!(kept <= 1_000, "{name}: {kept} notices");
                drop(client);
                server.finish();
            });
        }
    });
}
