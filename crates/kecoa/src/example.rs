//! What the examples in this documentation run on; no part of the interface.

use crate::{Config, blocking};

/// Why an example ended.
type Ended = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// The server of the tests; nothing, said aloud, when there is none.
#[allow(clippy::print_stdout, reason = "a test that is left out says so")]
fn config() -> Option<Config> {
    match std::env::var("KECOA_TEST_DSN") {
        Ok(dsn) => Config::parse(&dsn).ok(),
        Err(_) => {
            println!("skipped: KECOA_TEST_DSN is not set");
            None
        }
    }
}

#[allow(clippy::panic, reason = "it fails the example")]
fn check(ended: Ended) {
    if let Err(error) = ended {
        panic!("{error}");
    }
}

/// Runs an example with a connection.
pub fn blocking(example: impl FnOnce(&mut blocking::Client) -> Ended) {
    let Some(config) = config() else { return };
    check(blocking::Client::connect(&config).map_err(Into::into).and_then(|mut client| {
        client.batch(ACCOUNTS)?;
        example(&mut client)
    }));
}

/// Runs an example with a connection, on a runtime of its own.
#[cfg(feature = "tokio")]
pub fn asynchronous(example: impl AsyncFnOnce(&mut crate::Client) -> Ended) {
    let Some(config) = config() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| crate::Error::io("no runtime", error));
    check(runtime.map_err(Into::into).and_then(|runtime| {
        runtime.block_on(async {
            let mut client = crate::Client::connect(&config).await?;
            client.batch(ACCOUNTS).await?;
            example(&mut client).await
        })
    }));
}

/// Runs an example with a pool whose connections have the table of the examples, each its own.
#[cfg(feature = "tokio")]
pub fn asynchronous_pool(example: impl AsyncFnOnce(&crate::Pool) -> Ended) {
    use crate::Pool;
    asynchronous(async |client| {
        let Some(config) = client.config().cloned() else { return Ok(()) };
        let builder = Pool::builder()
            .max_size(2)
            .configure(|client| Box::pin(async move { client.batch(ACCOUNTS).await.map(drop) }));
        example(&builder.build(&config)?).await
    });
}

/// The table of the examples.
const ACCOUNTS: &str =
    "CREATE TEMPORARY TABLE accounts (id int8 PRIMARY KEY, balance int8 NOT NULL);
    INSERT INTO accounts VALUES (1, 1000), (2, 250)";
