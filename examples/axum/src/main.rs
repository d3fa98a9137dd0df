//! Transfers over HTTP, with axum and kecoa's pool for tokio. Runs on CockroachDB, PostgreSQL and the local
//! endpoint alike:
//!
//! ```sh
//! DATABASE_URL="$(kecoa local start)" cargo run --manifest-path examples/axum/Cargo.toml
//! ```
//!
//! Ctrl-C and SIGTERM end it: no new requests, those under way are answered, then the connections are closed. It
//! takes 10 seconds at most.

mod api;
mod bank;
mod failure;

use std::env;
use std::error::Error;
use std::time::Duration;

use axum::Router;
use kecoa::{Config, Pool};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

/// How long requests under way may take after the end was asked for, and with it how long the end takes.
const GRACE: Duration = Duration::from_secs(10);

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = Runtime::new()?;
    let ended = runtime.block_on(run());
    // Does not wait for what is still under way: requests, a connection that is being made.
    runtime.shutdown_background();
    ended
}

async fn run() -> Result<(), Box<dyn Error>> {
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
    let deadline = serve(listener, api::routes(pool.clone()), stop_signal()?).await?;
    let left = deadline.saturating_duration_since(Instant::now());
    if !pool.close(left).await {
        eprintln!("some connections were still in use");
    }
    println!("stopped");
    Ok(())
}

/// Serves until `stop`, and then until the requests under way are answered or `GRACE` is over. Returns when it is.
async fn serve(
    listener: TcpListener,
    routes: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<Instant> {
    let (sender, stopped) = oneshot::channel();
    let stop = async move {
        stop.await;
        // Nobody is left to be told where serving ended by itself.
        let _ = sender.send(Instant::now() + GRACE);
    };
    let server = axum::serve(listener, routes).with_graceful_shutdown(stop).into_future();
    let mut server = std::pin::pin!(server);
    let deadline = tokio::select! {
        ended = &mut server => return ended.map(|()| Instant::now()),
        deadline = stopped => deadline.unwrap_or_else(|_| Instant::now()),
    };
    match timeout_at(deadline, server).await {
        Ok(ended) => ended?,
        Err(_) => eprintln!("some requests were still under way"),
    }
    Ok(deadline)
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
