//! The thread that does what time brings. It is started with the first connection, sleeps until
//! something is due, and keeps neither the pool nor the process alive.

use std::sync::{Arc, Weak};

use super::threads::{Threads, Wakeup};
use crate::pool::shared::Shared;
use crate::pool::state::NextRun;

/// Starts the thread; false when there can be none.
pub(super) fn start(pool: &Arc<Shared<Threads>>) -> bool {
    let (weak, wakeup) = (Arc::downgrade(pool), pool.executor.wakeup.clone());
    let thread = std::thread::Builder::new().name(pool.options.name.clone());
    thread.spawn(move || run_maintenance(&weak, &wakeup)).is_ok()
}

fn run_maintenance(pool: &Weak<Shared<Threads>>, wakeup: &Wakeup) {
    while let Some(pool) = pool.upgrade() {
        let next = pool.maintain();
        drop(pool);
        match next {
            NextRun::In(wait) => wakeup.sleep(Some(wait)),
            NextRun::WhenWoken => wakeup.sleep(None),
            NextRun::Never => return,
        }
    }
}
