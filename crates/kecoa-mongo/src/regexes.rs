//! Regular expressions that are kept compiled: tens of kilobytes each, so a bounded number in all. How one is searched
//! for so that the search can be interrupted.

mod search;

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use fancy_regex::Regex;

pub use search::{Failure, Watched};

/// So many are kept, by all requests and cursors together: about 100 MB. Those beyond are compiled whenever they are
/// looked for: slow, and right.
pub const MOST_KEPT: usize = 4000;

/// The steps back of a search before it is given up.
const STEPS: usize = 1_000_000;
/// The bytes that all its steps together may go over: each may go over the whole text.
const STEP_BYTES: usize = 10_000_000_000;
/// As many steps are allowed in any text.
const LEAST_STEPS: usize = 2000;

/// The steps back that a search in a text of so many bytes may take.
#[must_use]
pub fn most_steps(bytes: usize) -> usize {
    (STEP_BYTES / bytes.max(1)).clamp(LEAST_STEPS, STEPS)
}

/// Whether a search in a text of so many bytes may take fewer steps than in a short one.
#[must_use]
pub fn is_hard(pattern: &str, bytes: usize) -> bool {
    most_steps(bytes) < STEPS && steps_back(pattern)
}

/// Whether a pattern may need steps back at all: it looks around, or refers back.
#[must_use]
pub fn steps_back(pattern: &str) -> bool {
    let refers = |pair: &[u8]| matches!(pair, [b'\\', b'1'..=b'9' | b'k' | b'g'] | [b'(', b'?']);
    pattern.as_bytes().windows(2).any(refers)
}

/// The bytes of the largest automaton that a pattern may become.
pub const LARGEST: usize = 10 * 1024 * 1024;
/// What a pass over a text may cost: for each of its bytes, each byte of the automaton may be looked at. Nothing stops
/// the pass meanwhile.
const MOST_WORK: usize = 100_000_000_000;

/// The bytes that the automaton of a search in a text of so many bytes may have.
#[must_use]
pub fn largest_for(bytes: usize) -> usize {
    (MOST_WORK / bytes.max(1)).min(LARGEST)
}

static KEPT: AtomicUsize = AtomicUsize::new(0);

/// A regular expression that is kept. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Compiled(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    regex: Regex,
    /// The bytes of its automaton, rounded up to a power of two, once somebody has asked.
    size: OnceLock<usize>,
}

impl Compiled {
    /// Keep it, if there are not too many.
    #[must_use]
    pub fn new(regex: Regex) -> Option<Self> {
        let counted = Counted { regex, size: OnceLock::new() };
        // Dropped again, it takes its number back.
        let before = KEPT.fetch_add(1, Ordering::Relaxed);
        (before < MOST_KEPT).then(|| Self(Arc::new(counted)))
    }

    /// Whether its automaton is small enough for a text of so many bytes. `compiles` tells whether the pattern becomes
    /// one of at most so many bytes.
    #[must_use]
    pub fn suits(&self, bytes: usize, compiles: impl Fn(usize) -> bool) -> bool {
        let most = largest_for(bytes);
        if most >= LARGEST {
            return true;
        }
        let size = self.0.size.get_or_init(|| {
            let sizes = std::iter::successors(Some(1024), |size| Some(size * 2));
            sizes.take_while(|size| *size < LARGEST).find(|size| compiles(*size)).unwrap_or(LARGEST)
        });
        *size <= most || size / 2 < most && compiles(most)
    }
}

impl Deref for Compiled {
    type Target = Regex;

    fn deref(&self) -> &Regex {
        &self.0.regex
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        KEPT.fetch_sub(1, Ordering::Relaxed);
    }
}
