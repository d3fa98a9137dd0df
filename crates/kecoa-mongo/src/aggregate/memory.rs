//! How much a stage holds.

use super::options::Options;
use crate::error::{Code, Error};

/// The bytes that a stage holds, against what it may.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    stage: &'static str,
    used: usize,
    limit: usize,
}

impl Memory {
    pub(super) fn new(stage: &'static str, options: &Options) -> Self {
        Self { stage, used: 0, limit: options.stage_memory() }
    }

    pub(super) fn add(&mut self, bytes: usize) -> Result<(), Error> {
        self.used = self.used.saturating_add(bytes);
        if self.used > self.limit {
            return Err(Error::new(
                Code::QUERY_EXCEEDED_MEMORY_LIMIT_NO_DISK_USE_ALLOWED,
                format!(
                    "Exceeded memory limit for {}, but didn't allow external sort. Pass allowDiskUse:true to opt in.",
                    self.stage
                ),
            ));
        }
        Ok(())
    }

    pub(super) fn release(&mut self, bytes: usize) {
        self.used = self.used.saturating_sub(bytes);
    }
}
