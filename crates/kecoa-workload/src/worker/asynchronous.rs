//! Workers with the client for tokio: a thread a core, and a task a worker on one of them.

use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use kecoa::retry::Policy;
use kecoa::{Client, Error, TransactionOptions};
use tokio::runtime::Builder;
use tokio::task::{LocalSet, spawn_blocking};

use super::outcome::{End, UnderWay, Worker, look_up};
use crate::error::BodyError;
use crate::event::Resolution;
use crate::shared::{SLICE, Shared};
use crate::versions::Seen;

/// Starts all workers.
pub(crate) fn spawn(shared: &Arc<Shared>) -> io::Result<Vec<JoinHandle<Result<(), String>>>> {
    let workers = shared.options.concurrency;
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = u32::try_from(cores).unwrap_or(1).min(workers).max(1);
    (0..threads)
        .map(|first| {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let shared = shared.clone();
            let numbers: Vec<u32> = (first..workers).step_by(cores.max(1)).collect();
            thread::Builder::new().name(format!("workers-{first}")).spawn(move || {
                let tasks = LocalSet::new();
                let workers: Vec<_> = numbers
                    .into_iter()
                    .map(|number| tasks.spawn_local(work(Worker::new(shared.clone(), number))))
                    .collect();
                runtime.block_on(tasks);
                for worker in workers {
                    // A panic, whose message has been printed.
                    runtime.block_on(worker).map_err(|error| format!("a worker ended: {error}"))?;
                }
                Ok(())
            })
        })
        .collect()
}

async fn work(mut worker: Worker) {
    let shared = worker.shared.clone();
    sleep_until(&shared, worker.starts()).await;
    let mut connected: Option<Client> = None;
    loop {
        sleep_until(&shared, worker.due()).await;
        if shared.is_ending() {
            return;
        }
        transaction(&mut worker, &mut connected).await;
    }
}

/// Draws a transaction, runs it to its end, and reports it.
pub(super) async fn transaction(worker: &mut Worker, connected: &mut Option<Client>) {
    let under_way = worker.begin();
    let shared = worker.shared.clone();
    let mut options = under_way.options.clone();
    let end = loop {
        let transaction = run_connected(worker, &under_way, &options, connected);
        tokio::select! {
            result = transaction => break worker.judge(result),
            // How far it came is not known: it is looked up.
            () = cut(&shared) => {
                break End::Ambiguous(Error::timeout("the run ended while it was at work"));
            }
            policy = waits_in_vain(worker) => {
                // The wait is over, which another client may be made after.
                worker.attempt_begins();
                options.policy = policy;
            }
        }
    };
    let resolution = match end {
        End::Known(..) => Resolution::Unknown,
        End::Ambiguous(_) => {
            let (shared, writes) = (shared.clone(), under_way.operation.writes());
            let (number, sequence) = (worker.number, worker.sequence);
            let looking_up = spawn_blocking(move || look_up(&shared, number, sequence, writes));
            looking_up.await.unwrap_or(Resolution::Unknown)
        }
    };
    worker.finish(&under_way, end, resolution);
}

async fn run_connected(
    worker: &Worker,
    under_way: &UnderWay,
    options: &TransactionOptions,
    connected: &mut Option<Client>,
) -> Result<Vec<Seen>, BodyError> {
    let mut options = options.clone();
    let client = match connected {
        Some(client) => client,
        none => {
            let client = connect(worker).await?;
            options.policy.max_attempts = options.policy.max_attempts.min(worker.attempts_left());
            none.insert(client)
        }
    };
    run(worker, under_way, &options, client).await
}

async fn connect(worker: &Worker) -> Result<Client, Error> {
    let shared = &worker.shared;
    let mut tries = worker.tries()?;
    loop {
        let error = match Client::connect(&shared.config).await {
            Ok(client) => return Ok(client),
            Err(error) => error,
        };
        match worker.unconnected(&mut tries, &error) {
            Some(wait) => sleep_until(shared, shared.now() + wait).await,
            None => return Err(error),
        }
    }
}

async fn run(
    worker: &Worker,
    under_way: &UnderWay,
    options: &TransactionOptions,
    client: &mut Client,
) -> Result<Vec<Seen>, BodyError> {
    let body =
        async |tx: &mut kecoa::Transaction<'_>| worker.attempt(&under_way.operation, tx).await;
    client.transaction_local(options, body).await
}

/// Waits until the run is over while the transaction waits for its next attempt. Gives the policy of those that
/// are left, which are made at once.
async fn waits_in_vain(worker: &Worker) -> Policy {
    loop {
        if let Some(policy) = worker.hurried() {
            return policy;
        }
        tokio::time::sleep(SLICE).await;
    }
}

/// Waits until the run is cut.
async fn cut(shared: &Shared) {
    while !shared.is_cut() {
        tokio::time::sleep(SLICE).await;
    }
}

/// Sleeps until then, since the start, or until the run is over.
async fn sleep_until(shared: &Shared, then: Duration) {
    while !shared.is_ending() {
        match then.checked_sub(shared.now()) {
            Some(left) if !left.is_zero() => tokio::time::sleep(left.min(SLICE)).await,
            _ => return,
        }
    }
}
