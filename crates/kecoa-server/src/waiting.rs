//! Somebody who waits for a service to start: what they are told, and how they give up.

use std::fmt;
use std::sync::Arc;

type Report = Arc<dyn Fn(&str) + Send + Sync>;

/// Follows a start, and may end it. Clones are the same one.
#[derive(Clone)]
pub struct Waiting {
    lasts: Report,
    begins: Report,
    interrupted: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl Waiting {
    /// Calls `report` with a phrase once a step of the start has taken long: what is being done.
    pub fn new(report: impl Fn(&str) + Send + Sync + 'static) -> Waiting {
        Waiting {
            lasts: Arc::new(report),
            begins: Arc::new(|_| {}),
            interrupted: Arc::new(|| false),
        }
    }

    /// Calls `report` with such a phrase as soon as a step begins, too.
    #[must_use]
    pub fn at_each_step(self, report: impl Fn(&str) + Send + Sync + 'static) -> Waiting {
        Waiting { begins: Arc::new(report), ..self }
    }

    /// Asks `interrupted` again and again: where it says yes, the start is given up, and the process that was
    /// started for it is stopped.
    #[must_use]
    pub fn unless(self, interrupted: impl Fn() -> bool + Send + Sync + 'static) -> Waiting {
        Waiting { interrupted: Arc::new(interrupted), ..self }
    }

    /// Reports a step that has begun.
    pub fn begins(&self, what: &str) {
        (self.begins)(what);
    }

    /// Reports a step that has taken long.
    pub(crate) fn lasts(&self, what: &str) {
        (self.lasts)(what);
    }

    /// Whether the start is to be given up.
    pub fn is_interrupted(&self) -> bool {
        (self.interrupted)()
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waiting")
    }
}
