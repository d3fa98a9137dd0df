//! Workers with the blocking client, a thread each.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use kecoa::Error;
use kecoa::blocking::Client;
use kecoa::retry::{Runtime, SystemRuntime};

use super::outcome::{End, UnderWay, Worker, look_up};
use crate::error::BodyError;
use crate::event::Resolution;
use crate::shared::{SLICE, Shared};
use crate::statements::complete;
use crate::versions::Seen;

/// Starts all workers.
pub(crate) fn spawn(shared: &Arc<Shared>) -> io::Result<Vec<JoinHandle<Result<(), String>>>> {
    let workers = 0..shared.options.concurrency;
    workers
        .map(|number| {
            let worker = Worker::new(shared.clone(), number);
            thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
                work(worker);
                Ok(())
            })
        })
        .collect()
}

fn work(mut worker: Worker) {
    let shared = worker.shared.clone();
    shared.sleep_until(worker.starts());
    let mut connected: Option<Client> = None;
    loop {
        shared.sleep_until(worker.due());
        if shared.is_ending() {
            return;
        }
        transaction(&mut worker, &mut connected);
    }
}

/// Draws a transaction, runs it to its end, and reports it.
pub(super) fn transaction(worker: &mut Worker, connected: &mut Option<Client>) {
    let mut under_way = worker.begin();
    let client = match connected {
        Some(client) => Ok(client),
        none => connect(worker).map(|client| {
            under_way.options.policy.max_attempts = worker.attempts_left();
            none.insert(client)
        }),
    };
    let result = match client {
        Ok(client) => run(worker, &under_way, client),
        Err(error) => Err(error.into()),
    };
    let end = worker.judge(result);
    let (shared, writes) = (&worker.shared, under_way.operation.writes());
    let resolution = match end {
        End::Known(..) => Resolution::Unknown,
        End::Ambiguous(_) => look_up(shared, worker.number, worker.sequence, writes),
    };
    worker.finish(&under_way, end, resolution);
}

fn connect(worker: &Worker) -> Result<Client, Error> {
    let shared = &worker.shared;
    let mut tries = worker.tries()?;
    loop {
        let error = match Client::connect(&shared.config) {
            Ok(client) => return Ok(client),
            Err(error) => error,
        };
        match worker.unconnected(&mut tries, &error) {
            Some(wait) => shared.sleep_until(shared.now() + wait),
            None => return Err(error),
        }
    }
}

fn run(worker: &Worker, under_way: &UnderWay, client: &mut Client) -> Result<Vec<Seen>, BodyError> {
    let UnderWay { operation, options, .. } = under_way;
    let mut runtime = CutShort { shared: &worker.shared, system: SystemRuntime::new() };
    client.transaction_on(options, &mut runtime, |tx| complete(worker.attempt(operation, tx)))
}

/// The system's clock, whose waits end with the run: nobody is in the way any more then.
struct CutShort<'a> {
    shared: &'a Shared,
    system: SystemRuntime,
}

impl Runtime for CutShort<'_> {
    fn now(&self) -> Duration {
        self.system.now()
    }

    fn sleep(&mut self, duration: Duration) {
        let until = self.now().saturating_add(duration);
        while !self.shared.is_ending() {
            match until.checked_sub(self.now()) {
                Some(left) if !left.is_zero() => thread::sleep(left.min(SLICE)),
                _ => return,
            }
        }
    }

    fn random(&mut self) -> f64 {
        self.system.random()
    }
}
