//! What the server said without being asked, until the caller takes it.

use std::collections::VecDeque;

use kecoa_proto::{Notification, ServerError};

/// A queue that forgets its oldest items rather than grow beyond a number of items or bytes.
#[derive(Debug)]
pub(super) struct BoundedQueue<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
    most_items: usize,
    most_bytes: usize,
}

/// What an item takes in memory, roughly.
pub(super) trait Weighed {
    fn bytes(&self) -> usize;
}

impl Weighed for ServerError {
    fn bytes(&self) -> usize {
        self.fields().map(|(_, value)| value.len() + size_of::<(u8, usize)>()).sum()
    }
}

impl Weighed for Notification {
    fn bytes(&self) -> usize {
        self.channel.len() + self.payload.len()
    }
}

impl<T: Weighed> BoundedQueue<T> {
    pub(super) fn new(most_items: usize, most_bytes: usize) -> BoundedQueue<T> {
        BoundedQueue { items: VecDeque::new(), bytes: 0, most_items, most_bytes }
    }

    /// Keeps one more; the last one is kept whatever its size.
    pub(super) fn push(&mut self, item: T) {
        let size = item.bytes();
        self.bytes = self.bytes.saturating_add(size);
        self.items.push_back((item, size));
        while self.items.len() > 1
            && (self.items.len() > self.most_items || self.bytes > self.most_bytes)
        {
            if let Some((_, size)) = self.items.pop_front() {
                self.bytes = self.bytes.saturating_sub(size);
            }
        }
    }

    pub(super) fn take(&mut self) -> Vec<T> {
        if self.items.is_empty() {
            return Vec::new();
        }
        self.bytes = 0;
        self.items.drain(..).map(|(item, _)| item).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Forgets those that came after there were `count`.
    pub(super) fn truncate(&mut self, count: usize) {
        for (_, size) in self.items.drain(count.min(self.items.len())..) {
            self.bytes = self.bytes.saturating_sub(size);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Weighed for Vec<u8> {
        fn bytes(&self) -> usize {
            self.len()
        }
    }

    #[test]
    fn old_items_give_way_by_number_and_by_size() {
        let mut kept = BoundedQueue::new(3, 100);
        for size in [1, 2, 3, 4] {
            kept.push(vec![0; size]);
        }
        assert_eq!(kept.items.iter().map(|(item, _)| item.len()).collect::<Vec<_>>(), [2, 3, 4]);
        kept.push(vec![0; 95]);
        assert_eq!(kept.items.iter().map(|(item, _)| item.len()).collect::<Vec<_>>(), [4, 95]);
        kept.push(vec![0; 1000]);
        assert_eq!((kept.len(), kept.bytes), (1, 1000), "the last one stays");
        kept.push(vec![0; 7]);
        assert_eq!((kept.len(), kept.bytes), (1, 7));
        kept.push(vec![0; 9]);
        kept.truncate(1);
        assert_eq!((kept.len(), kept.bytes), (1, 7));
        kept.truncate(5);
        assert_eq!(kept.take(), [vec![0; 7]]);
        assert_eq!((kept.len(), kept.bytes), (0, 0));
    }
}
