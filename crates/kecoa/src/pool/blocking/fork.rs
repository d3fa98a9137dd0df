//! The handles' end of a pool, which outlives a fork.

use std::sync::Arc;

use super::builder::Hook;
use super::threads::Threads;
use crate::config::Config;
use crate::pool::options::Options;
use crate::pool::shared::Shared;

/// What all handles to a pool share: with the last of them it is closed.
pub(super) struct Inner {
    pub(super) options: Arc<Options<Hook>>,
    config: Config,
    first: Arc<Shared<Threads>>,
}

impl Inner {
    pub(super) fn new(config: Config, options: Options<Hook>) -> Inner {
        let inner = Inner::of(std::process::id(), config, options);
        inner.first.change(|state, now| state.core.open(now, false));
        inner
    }

    /// The pool of a process, that has nothing yet.
    pub(super) fn of(process: u32, config: Config, options: Options<Hook>) -> Inner {
        let options = Arc::new(options);
        let first = Shared::new(config.clone(), options.clone(), Threads::new(process));
        Inner { options, config, first }
    }

    /// The state that belongs to this process. A forked child can't use its parent's: another thread
    /// may have held its lock, and its sockets are the parent's.
    pub(super) fn shared(&self) -> &Arc<Shared<Threads>> {
        let process = std::process::id();
        let mut at = &self.first;
        while at.executor.process != process {
            at = at.executor.child.get_or_init(|| {
                let (config, options) = (self.config.clone(), self.options.clone());
                let shared = Shared::new(config, options, Threads::new(process));
                shared.change(|state, now| state.core.open(now, true));
                shared
            });
        }
        at
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.shared().change(|state, _| state.core.close());
    }
}
