//! Documents put in order, in bounded memory.

use std::collections::BinaryHeap;

use super::key::SortKey;
use crate::error::{Code, Error};

/// What an item costs beside its key and its own bytes.
const OVERHEAD: usize = 64;

/// Puts items in order of their keys; items of equal keys stay in the order in which they came.
///
/// With a limit it keeps the first so many only.
#[derive(Debug)]
pub struct Sorter<T> {
    heap: BinaryHeap<Item<T>>,
    limit: Option<usize>,
    bytes: usize,
    max_bytes: usize,
    count: u64,
}

#[derive(Debug)]
struct Item<T> {
    key: SortKey,
    number: u64,
    bytes: usize,
    item: T,
}

impl<T> Sorter<T> {
    /// One that keeps the first `limit` items, all without a limit, in at most `max_bytes` of memory.
    #[must_use]
    pub fn new(limit: Option<usize>, max_bytes: usize) -> Self {
        Self { heap: BinaryHeap::new(), limit, bytes: 0, max_bytes, count: 0 }
    }

    /// Add an item, which takes so many bytes.
    ///
    /// # Errors
    ///
    /// 292 if all that is kept takes more memory than is allowed.
    pub fn push(&mut self, key: SortKey, item: T, bytes: usize) -> Result<(), Error> {
        let bytes = bytes + key.as_bytes().len() + OVERHEAD;
        let item = Item { key, number: self.count, bytes, item };
        self.count += 1;
        if self.limit.is_some_and(|limit| self.heap.len() >= limit) {
            match self.heap.peek() {
                Some(last) if item < *last => {
                    if let Some(dropped) = self.heap.pop() {
                        self.bytes -= dropped.bytes;
                    }
                }
                _ => return Ok(()),
            }
        }
        self.bytes += bytes;
        self.heap.push(item);
        if self.bytes > self.max_bytes {
            return Err(sort_memory_exceeded(self.max_bytes));
        }
        Ok(())
    }

    /// The bytes that are kept.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many items are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// The items in order, with their keys.
    pub fn into_sorted(self) -> impl ExactSizeIterator<Item = (SortKey, T)> {
        self.heap.into_sorted_vec().into_iter().map(|item| (item.key, item.item))
    }
}

/// What a sort fails with that takes too much memory.
#[must_use]
pub fn sort_memory_exceeded(max_bytes: usize) -> Error {
    Error::new(
        Code::QUERY_EXCEEDED_MEMORY_LIMIT_NO_DISK_USE_ALLOWED,
        format!(
            "Sort exceeded memory limit of {max_bytes} bytes, but did not opt in to external sorting."
        ),
    )
}

impl<T> Ord for Item<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key).then(self.number.cmp(&other.number))
    }
}

impl<T> PartialOrd for Item<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Item<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for Item<T> {}
