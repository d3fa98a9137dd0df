//! Clients that have not shown yet that they may come in.
//!
//! Whoever reaches the port can open connections and say nothing. So only so many of them wait at a
//! time: one more sends the one away that has waited longest. Who knows the password takes
//! milliseconds, and is not found among those.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

/// As many as clients come at once in earnest. With two files for each of PostgreSQL's 200 sessions
/// that stays far below what a process may usually have open.
const MOST: usize = 100;

#[derive(Debug, Default)]
struct Waiting {
    last: u64,
    queue: VecDeque<(u64, oneshot::Sender<()>)>,
}

/// The place where they wait.
#[derive(Debug, Default)]
pub(super) struct Lobby(Mutex<Waiting>);

impl Lobby {
    /// Lets another one wait; whoever has waited longest has to go if they become too many.
    pub(super) fn enter(&self) -> Ticket<'_> {
        let (place, sent_away) = oneshot::channel();
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.last += 1;
        let number = waiting.last;
        waiting.queue.push_back((number, place));
        if waiting.queue.len() > MOST {
            waiting.queue.pop_front();
        }
        Ticket { lobby: self, number, sent_away }
    }
}

/// One who waits, until it is dropped.
#[derive(Debug)]
pub(super) struct Ticket<'a> {
    lobby: &'a Lobby,
    number: u64,
    sent_away: oneshot::Receiver<()>,
}

impl Ticket<'_> {
    /// Is done once it has to go.
    pub(super) async fn sent_away(&mut self) {
        // Nothing is ever sent: the sender is dropped.
        let _ = (&mut self.sent_away).await;
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut waiting = self.lobby.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The queue is in order of the numbers.
        if let Ok(at) = waiting.queue.binary_search_by_key(&self.number, |(number, _)| *number) {
            waiting.queue.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_one_who_waited_longest_has_to_go() {
        let lobby = Lobby::default();
        let mut tickets: VecDeque<_> = (0..MOST).map(|_| lobby.enter()).collect();
        // One of them came in: there is room for another.
        drop(tickets.remove(7));
        tickets.push_back(lobby.enter());
        assert!(
            tickets
                .iter_mut()
                .all(|ticket| ticket.sent_away.try_recv()
                    == Err(oneshot::error::TryRecvError::Empty))
        );
        let mut more = lobby.enter();
        tickets[0].sent_away().await;
        assert_eq!(tickets[1].sent_away.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        assert_eq!(more.sent_away.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        drop((tickets, more));
        assert!(lobby.0.lock().unwrap().queue.is_empty());
    }
}
