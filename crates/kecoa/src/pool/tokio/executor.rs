//! How tasks run a pool.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::builder::Hook;
use super::tasks::Tasks;
use super::{check_in, maintenance, opener};
use crate::client::tokio::Client;
use crate::error::Error;
use crate::pool::connection::{Connection, Signal};
use crate::pool::core::ConnId;
use crate::pool::shared::{Executor, Shared};
use crate::proto::TransactionStatus;

impl Connection for Client {
    fn poll_session(&mut self) -> Result<(), Error> {
        Client::poll_session(self)
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

impl Signal for Arc<Notify> {
    fn notify(&self) {
        self.notify_one();
    }
}

impl Executor for Tasks {
    type Client = Client;
    type Hook = Hook;
    type Signal = Arc<Notify>;

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }

    fn notify_changed(&self) {
        self.changed.notify_waiters();
    }

    fn start_opener(pool: &Arc<Shared<Tasks>>) {
        opener::start(pool);
    }

    fn start_maintenance(pool: &Arc<Shared<Tasks>>) -> bool {
        maintenance::start(pool);
        true
    }

    fn wake_maintenance(&self) {
        self.wakeup.notify_one();
    }

    fn check_in(pool: &Arc<Shared<Tasks>>, id: ConnId, client: Client, session: Option<i32>) {
        check_in::run(pool, id, client, session);
    }
}
