//! Transfers over HTTP, with axum and kecoa's pool for tokio. Runs on CockroachDB, PostgreSQL and the local
//! endpoint alike:
//!
//! ```sh
//! DATABASE_URL="$(kecoa local start)" cargo run --manifest-path examples/axum/Cargo.toml
//! ```
//!
//! Ctrl-C and SIGTERM end it: no new requests, those under way are answered, then the connections are closed.

mod api;
mod bank;

use std::env;
use std::error::Error;
use std::time::Duration;

use kecoa::{Config, Pool};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// How long requests under way may hold their connections after the end was asked for.
const GRACE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = env::var("DATABASE_URL")
        .map_err(|_| "set DATABASE_URL, for example to the output of `kecoa local start`")?;
    let address = env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:8000".to_owned());

    let pool = Pool::builder()
        .max_size(10)
        // Less than what clients wait for: they get an answer instead of a timeout.
        .timeout(Some(Duration::from_secs(3)))
        .build(&Config::parse(&url)?)?;
    bank::create_tables(&pool).await?;

    let listener = TcpListener::bind(&address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let stop = stop_signal()?;
    axum::serve(listener, api::routes(pool.clone())).with_graceful_shutdown(stop).await?;
    if !pool.close(GRACE).await {
        eprintln!("some connections were still in use");
    }
    println!("stopped");
    Ok(())
}

/// Resolves at the first Ctrl-C or SIGTERM. The handlers are set when this returns.
fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
