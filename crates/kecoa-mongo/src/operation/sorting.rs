//! Documents in the order of a sort that no index serves.

use std::vec::IntoIter;

use crate::error::{Code, Error};
use crate::query::{Sort, SortKey};

use super::reader::Found;

/// The bytes that a sort may hold.
const MEMORY_LIMIT: usize = 100 * 1024 * 1024;

/// Gathers documents, then gives them in order.
#[derive(Debug)]
pub struct Sorting {
    sort: Sort,
    kept: Option<usize>,
    may_spill: bool,
    bytes: usize,
    gathered: Vec<(SortKey, Found)>,
    sorted: Option<IntoIter<(SortKey, Found)>>,
}

impl Sorting {
    /// Nothing gathered yet. `kept`: how many are asked for at most.
    #[must_use]
    pub fn new(sort: Sort, kept: Option<usize>, may_spill: bool) -> Self {
        Self { sort, kept, may_spill, bytes: 0, gathered: Vec::new(), sorted: None }
    }

    /// Whether documents are still taken.
    #[must_use]
    pub fn is_gathering(&self) -> bool {
        self.sorted.is_none()
    }

    /// Take a document.
    ///
    /// # Errors
    ///
    /// 2 for arrays on two paths of the sort; 292 when there are more than fit.
    pub fn push(&mut self, found: Found) -> Result<(), Error> {
        let key = self.sort.key(&found.stored.document)?;
        self.bytes += key.as_bytes().len() + found.stored.document.as_bytes().len();
        self.gathered.push((key, found));
        if let Some(kept) = self.kept
            && self.gathered.len() >= kept.saturating_mul(2).max(1024)
        {
            self.shrink(kept);
        }
        if self.bytes > MEMORY_LIMIT {
            if let Some(kept) = self.kept {
                self.shrink(kept);
            }
            if self.bytes > MEMORY_LIMIT && !self.may_spill {
                return Err(Error::new(
                    Code::QUERY_EXCEEDED_MEMORY_LIMIT_NO_DISK_USE_ALLOWED,
                    format!(
                        "Sort exceeded memory limit of {MEMORY_LIMIT} bytes, but did not opt in to external sorting."
                    ),
                ));
            }
        }
        Ok(())
    }

    /// There are no further documents.
    pub fn end(&mut self) {
        self.gathered.sort_by(|left, right| left.0.cmp(&right.0));
        if let Some(kept) = self.kept {
            self.gathered.truncate(kept);
        }
        self.sorted = Some(std::mem::take(&mut self.gathered).into_iter());
    }

    /// The next one in order.
    pub fn next_found(&mut self) -> Option<Found> {
        self.sorted.as_mut()?.next().map(|(_, found)| found)
    }

    /// Whether all were given.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.sorted.as_ref().is_some_and(|sorted| sorted.len() == 0)
    }

    /// Keep the first ones alone.
    fn shrink(&mut self, kept: usize) {
        if kept < self.gathered.len() {
            self.gathered.sort_by(|left, right| left.0.cmp(&right.0));
            self.gathered.truncate(kept);
            self.bytes = self
                .gathered
                .iter()
                .map(|(key, found)| key.as_bytes().len() + found.stored.document.as_bytes().len())
                .sum();
        }
    }
}
