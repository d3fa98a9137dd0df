//! Code in Python that runs while a statement of its own thread is under way: a signal handler, the file
//! or the table of a COPY. If it used the connection it would wait for itself.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The thread that is inside, if one is.
#[derive(Default)]
pub(super) struct Reentrancy(AtomicUsize);

/// A number that no other thread has meanwhile, and that is not 0.
fn this_thread() -> usize {
    thread_local!(static PLACE: u8 = const { 0 });
    PLACE.with(|place| std::ptr::from_ref(place).addr())
}

impl Reentrancy {
    /// This thread is inside until the guard is dropped.
    pub(super) fn enter(&self) -> impl Drop + '_ {
        struct Inside<'a>(&'a Reentrancy);
        impl Drop for Inside<'_> {
            fn drop(&mut self) {
                self.0.0.store(0, Ordering::Relaxed);
            }
        }
        self.0.store(this_thread(), Ordering::Relaxed);
        Inside(self)
    }

    /// Whether this thread is. (What another thread stores meanwhile is no answer to that.)
    pub(super) fn is_here(&self) -> bool {
        self.0.load(Ordering::Relaxed) == this_thread()
    }
}
