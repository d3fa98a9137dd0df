//! A bound on connections that have not authenticated yet.
//!
//! Whoever reaches the port can open connections and say nothing. So only so many of them may be
//! there at a time: one more evicts the oldest. A client that knows the password takes
//! milliseconds, and is not found among those.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

#[derive(Debug, Default)]
struct Queue {
    last: u64,
    admitted: VecDeque<(u64, oneshot::Sender<()>)>,
}

/// The connections that have not authenticated yet.
#[derive(Debug)]
pub struct Unauthenticated {
    limit: usize,
    queue: Arc<Mutex<Queue>>,
}

impl Unauthenticated {
    /// A bound of so many.
    pub fn new(limit: usize) -> Unauthenticated {
        Unauthenticated { limit, queue: Arc::default() }
    }

    /// Counts one more; evicts the oldest if they become too many. Whoever accepts the connections calls it: the
    /// tasks that serve them may run in any order.
    pub fn enter(&self) -> Slot {
        let (place, evicted) = oneshot::channel();
        let mut queue = locked(&self.queue);
        queue.last += 1;
        let number = queue.last;
        queue.admitted.push_back((number, place));
        if queue.admitted.len() > self.limit {
            queue.admitted.pop_front();
        }
        Slot { queue: self.queue.clone(), number, evicted }
    }
}

fn locked(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One connection that has not authenticated, until it is dropped.
#[derive(Debug)]
pub struct Slot {
    queue: Arc<Mutex<Queue>>,
    number: u64,
    evicted: oneshot::Receiver<()>,
}

impl Slot {
    /// Is done once this one has to make room.
    pub async fn evicted(&mut self) {
        // Nothing is ever sent: the sender is dropped.
        let _ = (&mut self.evicted).await;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut queue = locked(&self.queue);
        // The queue is in order of the numbers.
        if let Ok(at) = queue.admitted.binary_search_by_key(&self.number, |(number, _)| *number) {
            queue.admitted.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 100;

    #[tokio::test]
    async fn the_oldest_is_evicted() {
        let all = Unauthenticated::new(LIMIT);
        let mut tickets: VecDeque<_> = (0..LIMIT).map(|_| all.enter()).collect();
        // One of them came in: there is room for another.
        drop(tickets.remove(7));
        tickets.push_back(all.enter());
        assert!(
            tickets
                .iter_mut()
                .all(|ticket| ticket.evicted.try_recv()
                    == Err(oneshot::error::TryRecvError::Empty))
        );
        let mut more = all.enter();
        tickets[0].evicted().await;
        assert_eq!(tickets[1].evicted.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        assert_eq!(more.evicted.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        drop((tickets, more));
        assert!(all.queue.lock().unwrap().admitted.is_empty());
    }
}
