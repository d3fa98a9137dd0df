//! A whole session, cut off at every byte of what the server says.

use super::*;

fn session() -> Script {
    Script::new()
        .startup()
        .notice("00000", "welcome")
        .query("SELECT a FROM t")
        .row_description(&[("a", 25, 0)])
        .row(&[Some(b"one")])
        .row(&[None])
        .complete("SELECT 2")
        .ready('I')
        .query("SELECT 1/0")
        .error_at("22012", "division by zero", 9)
        .ready('I')
}

/// Whether the whole session went well.
fn talk(port: u16) -> Result<(), Error> {
    let mut client = Client::connect(&config(port, ""))?;
    let run = |client: &mut Client, sql: &str| {
        let done = client.run(&Request::Query(sql.as_bytes()), &mut Deadline::after(10_000));
        if done.as_ref().is_err_and(Error::is_connection_lost) {
            assert!(client.is_closed());
        }
        done
    };
    let sets = run(&mut client, "SELECT a FROM t")?;
    assert_eq!(sets[0].row_count(), 2);
    let error = run(&mut client, "SELECT 1/0").unwrap_err();
    if error.kind() == ErrorKind::Server { Ok(()) } else { Err(error) }
}

#[test]
fn every_cut_is_seen() {
    let total = session().sent_bytes();
    assert!(total > 300, "{total}");
    let threads = 16;
    thread::scope(|scope| {
        for first in 0..threads {
            scope.spawn(move || {
                for cut in (first..total).step_by(threads) {
                    // The end comes behind what was sent, or at once where nothing is.
                    let start = if cut == 0 {
                        Script::new().expect_startup().close()
                    } else {
                        Script::new().cut_after(cut).then(session())
                    };
                    let server = Server::start(vec![start]);
                    let error = talk(server.port()).unwrap_err();
                    drop(server);
                    let lost = error.is_connection_lost() || error.kind() == ErrorKind::Connect;
                    assert!(lost, "{cut}: {:?} {error}", error.kind());
                }
            });
        }
    });
    let server = Server::start(vec![session().expect('X').close()]);
    talk(server.port()).unwrap();
}
