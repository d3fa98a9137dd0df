//! Windows that move over documents: each document is taken in once and taken out once, however wide they are.

use std::ops::Range;

use ::bson::RawBson;

use crate::error::Error;

/// What is known of the documents of a window.
pub(in crate::aggregate) trait Sliding {
    /// Take in the document at a place: the one behind the last that came.
    fn add(&mut self, place: usize) -> Result<(), Error>;

    /// Take out the document at a place: the first that is there.
    fn remove(&mut self, place: usize) -> Result<(), Error>;

    /// The result of the window, whose documents are in.
    fn value(&self, window: Range<usize>) -> RawBson;
}

/// The result of each window. Neither their first nor their last places go back.
pub(in crate::aggregate) fn slide(
    windows: &[Range<usize>],
    state: &mut dyn Sliding,
) -> Result<Vec<RawBson>, Error> {
    let (mut taken, mut dropped) = (0, 0);
    let mut results = Vec::with_capacity(windows.len());
    for window in windows {
        while dropped < window.start {
            if dropped < taken {
                state.remove(dropped)?;
            }
            dropped += 1;
        }
        // What no window has is never taken in.
        taken = taken.max(dropped);
        while taken < window.end {
            state.add(taken)?;
            taken += 1;
        }
        results.push(state.value(window.clone()));
    }
    Ok(results)
}
