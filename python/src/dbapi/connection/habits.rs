//! What a connection has learnt of its program: how large results are taken, and whether other threads
//! want the interpreter while they come.

use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

/// How a large result was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Taken {
    /// There was none yet.
    Unknown,
    /// All at once, as tuples.
    Whole,
    /// In parts, as tuples.
    InParts,
    /// By a row factory that makes each row.
    ByFactory,
    /// Not as rows: not at all, or as Arrow's.
    Not,
}

/// How many statements a connection waits at most before it tries again to have the interpreter.
const LONGEST_PAUSE: u32 = 63;

/// What a connection has learnt. Statements of several threads may mix it up: it only guides.
#[derive(Debug, Default)]
pub(crate) struct Habits {
    taken: AtomicU8,
    /// How many more statements wait, and how many will the next time.
    left: AtomicU32,
    pause: AtomicU32,
}

impl Habits {
    /// How the last large result was taken.
    pub(crate) fn taken(&self) -> Taken {
        let known = [Taken::Whole, Taken::InParts, Taken::ByFactory, Taken::Not];
        let taken = self.taken.load(Ordering::Relaxed);
        known.into_iter().find(|known| *known as u8 == taken).unwrap_or(Taken::Unknown)
    }

    pub(crate) fn note(&self, taken: Taken) {
        self.taken.store(taken as u8, Ordering::Relaxed);
    }

    /// Whether a statement may ask for the interpreter while it waits; asked once a statement.
    pub(crate) fn may_ask(&self) -> bool {
        let left = self.left.load(Ordering::Relaxed);
        self.left.store(left.saturating_sub(1), Ordering::Relaxed);
        left == 0
    }

    /// Another thread had the interpreter: statements to come wait before they ask again, longer each time.
    pub(crate) fn had_to_wait(&self) {
        let pause = (self.pause.load(Ordering::Relaxed) * 2 + 1).min(LONGEST_PAUSE);
        self.pause.store(pause, Ordering::Relaxed);
        self.left.store(pause, Ordering::Relaxed);
    }

    /// A statement had the interpreter at once when it asked first.
    pub(crate) fn was_undisturbed(&self) {
        let pause = self.pause.load(Ordering::Relaxed);
        if pause > 0 {
            self.pause.store(pause / 2, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let habits = Habits::default();
        for pause in [1, 3, 7, 15, 31, 63, 63] {
            assert!(habits.may_ask());
            habits.had_to_wait();
            assert!((0..pause).all(|_| !habits.may_ask()));
        }
        assert!(habits.may_ask());
        for _ in 0..6 {
            habits.was_undisturbed();
        }
        habits.had_to_wait();
        assert!(!habits.may_ask() && habits.may_ask());
    }

    #[test]
    fn the_last_way_counts() {
        let habits = Habits::default();
        assert_eq!(habits.taken(), Taken::Unknown);
        for taken in [Taken::Whole, Taken::InParts, Taken::ByFactory, Taken::Not] {
            habits.note(taken);
            assert_eq!(habits.taken(), taken);
        }
    }
}
