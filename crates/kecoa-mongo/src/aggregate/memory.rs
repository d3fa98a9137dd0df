//! How much a stage holds.

use super::options::Options;
use crate::error::{Code, Error};

/// The bytes that a stage holds, against what it may.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    stage: &'static str,
    /// What is said where it is too much, of a stage that never uses the disk.
    number: Option<i32>,
    used: usize,
    limit: usize,
}

impl Memory {
    pub(super) fn new(stage: &'static str, options: &Options) -> Self {
        Self { stage, number: None, used: 0, limit: options.stage_memory() }
    }

    /// The same for a stage that never uses the disk: what is too much for it has a number of its own.
    pub(super) fn failing_with(self, number: i32) -> Self {
        Self { number: Some(number), ..self }
    }

    pub(super) fn add(&mut self, bytes: usize) -> Result<(), Error> {
        self.used = self.used.saturating_add(bytes);
        if self.used > self.limit {
            let (stage, limit) = (self.stage, self.limit);
            if let Some(number) = self.number {
                return Err(Error::location(
                    number,
                    format!("{stage} holds more than its limit of {limit} bytes"),
                ));
            }
            return Err(Error::new(
                Code::QUERY_EXCEEDED_MEMORY_LIMIT_NO_DISK_USE_ALLOWED,
                format!(
                    "Exceeded memory limit for {stage}, but didn't allow external sort. Pass allowDiskUse:true to opt in."
                ),
            ));
        }
        Ok(())
    }

    /// The bytes that it holds.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    pub(super) fn release(&mut self, bytes: usize) {
        self.used = self.used.saturating_sub(bytes);
    }
}
