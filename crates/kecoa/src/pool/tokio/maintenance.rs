//! The task that does what time brings. It is started with the first connection, sleeps until
//! something is due, and does not keep the pool alive.

use std::sync::{Arc, Weak};

use tokio::sync::Notify;
use tokio::time::timeout;

use super::tasks::Tasks;
use crate::pool::shared::Shared;
use crate::pool::state::NextRun;

pub(super) fn start(pool: &Arc<Shared<Tasks>>) {
    let (weak, wakeup) = (Arc::downgrade(pool), pool.executor.wakeup.clone());
    pool.executor.runtime.spawn(run_maintenance(weak, wakeup));
}

async fn run_maintenance(pool: Weak<Shared<Tasks>>, wakeup: Arc<Notify>) {
    while let Some(pool) = pool.upgrade() {
        let next = pool.maintain();
        drop(pool);
        match next {
            NextRun::In(wait) => drop(timeout(wait, wakeup.notified()).await),
            NextRun::WhenWoken => wakeup.notified().await,
            NextRun::Never => return,
        }
    }
}
