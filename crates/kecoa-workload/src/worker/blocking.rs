//! Workers with the blocking client, a thread each.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use kecoa::blocking::Client;
use kecoa::retry::{Runtime, SystemRuntime};

use super::outcome::{End, RECONNECT, UnderWay, Worker, look_up};
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
    while !shared.is_ending() {
        let client = match &mut connected {
            Some(client) => client,
            none => match Client::connect(&shared.config) {
                Ok(client) => none.insert(client),
                Err(error) => {
                    worker.report_unconnected(&error);
                    shared.sleep_until(shared.now() + RECONNECT);
                    continue;
                }
            },
        };
        shared.sleep_until(worker.due());
        if shared.is_ending() {
            break;
        }
        let under_way = worker.begin();
        let end = worker.judge(run(&worker, &under_way, client));
        let resolution = match end {
            End::Known(..) => Resolution::Unknown,
            End::Ambiguous(_) => {
                look_up(&shared, worker.number, worker.sequence, under_way.operation.writes())
            }
        };
        worker.finish(&under_way, end, resolution);
    }
}

fn run(worker: &Worker, under_way: &UnderWay, client: &mut Client) -> Result<Vec<Seen>, BodyError> {
    let UnderWay { operation, options, .. } = under_way;
    let shared = &worker.shared;
    let mut runtime = CutShort { shared, system: SystemRuntime::new() };
    client.transaction_on(options, &mut runtime, |tx| {
        complete(async {
            let seen = shared.workload.run(operation, tx).await?;
            if operation.writes() {
                let written = operation.written();
                shared.log.write(tx, worker.number, worker.sequence, written).await?;
            }
            Ok(seen)
        })
    })
}

/// The system's clock, whose waits end where the run is cut.
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
        while !self.shared.is_cut() {
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
