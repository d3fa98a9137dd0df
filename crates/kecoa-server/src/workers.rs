//! Threads that serve clients, each with an event loop of its own.
//!
//! A client stays on one of them: what arrives for it, and for what is opened on its behalf, wakes this thread and
//! no other. Where threads share one event loop each message wakes whichever of them happens to wait, only to hand
//! the work over.

use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// More are of no use to a server whose work is done by others.
const MOST: usize = 16;

/// Threads that serve clients. They end when this is dropped, and with them what they still serve.
#[derive(Debug)]
pub struct Workers(Vec<Worker>);

/// One of them.
#[derive(Debug)]
pub(crate) struct Worker {
    handle: Handle,
    /// Each client holds one.
    clients: Arc<()>,
    /// The thread ends when this is dropped.
    _running: oneshot::Sender<()>,
}

/// Holds a client's place on its thread.
#[derive(Debug)]
pub(crate) struct Place(#[expect(dead_code, reason = "it is counted")] Arc<()>);

impl Workers {
    /// Starts one for each core, up to a bound.
    ///
    /// # Errors
    /// When the system has no more threads or file descriptors.
    pub fn start() -> io::Result<Workers> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Workers::start_some(cores.min(MOST))
    }

    fn start_some(count: usize) -> io::Result<Workers> {
        (0..count).map(|_| Worker::start()).collect::<io::Result<_>>().map(Workers)
    }

    /// The one with the fewest clients. There is at least one.
    pub(crate) fn quietest(&self) -> Option<&Worker> {
        self.0.iter().min_by_key(|worker| worker.clients())
    }
}

impl Worker {
    fn start() -> io::Result<Worker> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (running, stopped) = oneshot::channel::<()>();
        thread::Builder::new().name("kecoa-clients".to_owned()).spawn(move || {
            // The sender is never used, only dropped.
            runtime.block_on(async { drop(stopped.await) });
        })?;
        Ok(Worker { handle, clients: Arc::default(), _running: running })
    }

    fn clients(&self) -> usize {
        Arc::strong_count(&self.clients) - 1
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    pub(crate) fn place(&self) -> Place {
        Place(self.clients.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_spread() {
        let workers = Workers::start_some(2).unwrap();
        let mut places: Vec<_> =
            (0..6).map(|_| workers.quietest().map(Worker::place).unwrap()).collect();
        let counts = || workers.0.iter().map(Worker::clients).collect::<Vec<_>>();
        assert_eq!(counts(), [3, 3]);
        places.truncate(3);
        places.extend((0..3).map(|_| workers.quietest().map(Worker::place).unwrap()));
        assert_eq!(counts(), [3, 3]);
    }

    #[test]
    fn they_end_with_what_they_serve() {
        let workers = Workers::start_some(1).unwrap();
        let worker = workers.quietest().unwrap();
        let place = worker.place();
        let task = worker.handle().spawn(async move {
            let _place = place;
            std::future::pending::<()>().await;
        });
        drop(workers);
        let ended = Builder::new_current_thread().build().unwrap().block_on(task);
        assert!(ended.unwrap_err().is_cancelled());
    }
}
