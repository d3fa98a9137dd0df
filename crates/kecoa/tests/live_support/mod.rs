//! What the tests against a real server share.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;

use kecoa::Config;
use kecoa::blocking::Client;

/// The server that `KECOA_TEST_DSN` names; nothing, said aloud, when it is unset.
pub(crate) fn dsn() -> Option<String> {
    let dsn = std::env::var("KECOA_TEST_DSN").ok();
    if dsn.is_none() {
        println!("skipped: KECOA_TEST_DSN is not set");
    }
    dsn
}

/// A connection to the server of the tests.
#[allow(dead_code, reason = "not every test file blocks")]
pub(crate) fn connect() -> Option<Client> {
    Some(Client::connect(&Config::parse(&dsn()?).unwrap()).unwrap())
}

/// Ends the sessions of these process ids on the server.
#[allow(dead_code, reason = "not every test file ends sessions")]
pub(crate) fn kill(pids: &[i32]) {
    let mut client = connect().unwrap();
    for pid in pids {
        client.query_one("SELECT pg_terminate_backend($1, 30000)", &[pid]).unwrap();
    }
}

/// A new table of this test alone.
#[allow(dead_code, reason = "not every test file needs one")]
pub(crate) fn table(client: &mut Client, columns: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("kecoa_live_{}_{count}", std::process::id());
    client.batch(&format!("DROP TABLE IF EXISTS {name}; CREATE TABLE {name} ({columns})")).unwrap();
    client.take_notices();
    name
}

/// Polls a future until it waits for the `n`-th time, and drops it. Whether it was over before.
#[allow(dead_code, reason = "not every test file is asynchronous")]
pub(crate) async fn drop_at<T>(future: impl Future<Output = T>, n: usize) -> bool {
    let mut future = pin!(future);
    let mut waited = 0;
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(_) => Poll::Ready(true),
        Poll::Pending => {
            waited += 1;
            if waited < n { Poll::Pending } else { Poll::Ready(false) }
        }
    })
    .await
}
