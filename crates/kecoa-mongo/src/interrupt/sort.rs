//! Sorts that can be stopped.

use std::cmp::Ordering;

use super::Interrupt;
use crate::error::Error;

/// How many elements are put in order between two looks at first.
const FIRST: usize = 4096;

impl Interrupt {
    /// Puts elements in order; equal ones stay in the order in which they are.
    ///
    /// # Errors
    ///
    /// Why the work is to end; the elements are in any order then.
    pub fn sort_by<T>(
        &self,
        elements: &mut [T],
        mut compare: impl FnMut(&T, &T) -> Ordering,
    ) -> Result<(), Error> {
        let mut size = FIRST;
        loop {
            // From the second round on, two parts that are in order become one: each element is compared once.
            for part in elements.chunks_mut(size) {
                self.check()?;
                part.sort_by(&mut compare);
            }
            if size >= elements.len() {
                return Ok(());
            }
            size = size.saturating_mul(2);
        }
    }
}
