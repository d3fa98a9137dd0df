//! How threads run a pool.

use std::sync::{Arc, Condvar};
use std::time::Duration;

use super::builder::Hook;
use super::threads::Threads;
use super::{check_in, maintenance, opener};
use crate::client::blocking::Client;
use crate::error::Error;
use crate::pool::connection::{Connection, Signal};
use crate::pool::core::ConnId;
use crate::pool::shared::{Executor, Shared};
use crate::proto::TransactionStatus;

impl Connection for Client {
    fn poll_session(&mut self) -> Result<(), Error> {
        self.poll()
    }

    fn is_closed(&self) -> bool {
        Client::is_closed(self)
    }

    fn process_id(&self) -> Option<i32> {
        Client::process_id(self)
    }

    fn transaction_status(&self) -> TransactionStatus {
        Client::transaction_status(self)
    }

    fn is_changed(&self) -> bool {
        Client::is_changed(self)
    }

    fn accept_session(&mut self) {
        Client::accept_session(self);
    }
}

impl Signal for Arc<Condvar> {
    fn notify(&self) {
        self.notify_one();
    }
}

impl Executor for Threads {
    type Client = Client;
    type Hook = Hook;
    type Signal = Arc<Condvar>;

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    fn notify_changed(&self) {
        self.changed.notify_all();
    }

    fn start_opener(pool: &Arc<Shared<Threads>>) {
        opener::start(pool);
    }

    fn start_maintenance(pool: &Arc<Shared<Threads>>) -> bool {
        maintenance::start(pool)
    }

    fn wake_maintenance(&self) {
        self.wakeup.wake();
    }

    fn check_in(pool: &Arc<Shared<Threads>>, id: ConnId, client: Client, session: Option<i32>) {
        check_in::run(pool, id, client, session);
    }

    fn is_foreign(&self) -> bool {
        self.process != std::process::id()
    }
}
