//! How many clients are served at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::replies::Fields;

/// A client's socket, and its session's with PostgreSQL.
const FILES: u64 = 2;

/// Files that are not clients': listeners, event loops, logs, look-ups, cancel requests.
const OWN_FILES: u64 = 200;

/// The seats of an endpoint.
#[derive(Debug)]
pub(super) struct Seats {
    most: usize,
    /// The limit of open files allows no more.
    few_files: bool,
    taken: Arc<AtomicUsize>,
}

/// One client's seat, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat(Arc<AtomicUsize>);

impl Seats {
    /// So many, or as many as a process can have that may have `files` open. Clients that have not shown who they
    /// are have no seat, and as many files.
    pub(super) fn new(wanted: usize, files: u64) -> Self {
        let room = usize::try_from(files.saturating_sub(OWN_FILES) / (FILES + 1)).unwrap_or(wanted);
        let most = wanted.min(room.max(1));
        Self { most, few_files: most < wanted, taken: Arc::default() }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.most
    }

    /// A seat, or what a client is told for whom there is none.
    pub(super) fn take(&self) -> Result<Seat, Fields> {
        let seat = Seat(self.taken.clone());
        if self.taken.fetch_add(1, Ordering::Relaxed) < self.most {
            return Ok(seat);
        }
        Err(self.refusal()) // and what was counted is taken back
    }

    /// CockroachDB's error of a node that takes no more.
    fn refusal(&self) -> Fields {
        let mut error = Fields::own("FATAL", "53300", "sorry, too many clients already");
        let most = self.most;
        let mut hint = format!("the maximum number of allowed connections is {most}");
        if self.few_files {
            hint.push_str(
                "; the limit of open files allows no more: raise it (`ulimit -n`), and start anew",
            );
        }
        error.set(b'H', &hint);
        error
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_finds_none_is_told_how_many_there_are() {
        let seats = Seats::new(2, u64::MAX);
        let first = seats.take().unwrap();
        let _second = seats.take().unwrap();
        for _ in 0..3 {
            let error = seats.take().unwrap_err();
            assert_eq!(error.code(), "53300");
            assert_eq!(error.get(b'M').unwrap(), b"sorry, too many clients already");
            let hint = b"the maximum number of allowed connections is 2";
            assert_eq!(error.get(b'H').unwrap(), hint);
        }
        drop(first);
        let _third = seats.take().unwrap();
        assert!(seats.take().is_err());
    }

    #[test]
    fn few_files_make_few_seats() {
        assert_eq!(Seats::new(2_000, 10_240).count(), 2_000);
        let seats = Seats::new(2_000, 1_024);
        assert_eq!(seats.count(), 274);
        let hint = seats.refusal().get(b'H').unwrap().to_vec();
        assert!(hint.windows(9).any(|at| at == b"ulimit -n"));
        assert_eq!(Seats::new(2_000, 64).count(), 1);
    }
}
