//! Documents that wait outside memory for their groups: parts by their groups' keys, each small enough for memory.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use ::bson::RawDocumentBuf;

use crate::aggregate::spill::{Run, Spill};
use crate::error::Error;

/// How many parts what waits is divided into.
const PARTS: usize = 16;
/// How often a part is divided again.
const MAX_DEPTH: u32 = 8;

/// Documents that wait.
#[derive(Debug)]
pub(super) struct Parts {
    spill: Option<Arc<dyn Spill>>,
    /// How often the documents that come now were divided before.
    depth: u32,
    /// Those that are written to, which are divided once more.
    open: Vec<Option<Box<dyn Run>>>,
    /// Those that wait to be read, and how often they were divided.
    waiting: Vec<(u32, Box<dyn Run>)>,
}

impl Parts {
    pub(super) fn new(spill: Option<Arc<dyn Spill>>) -> Self {
        Self { spill, depth: 0, open: Vec::new(), waiting: Vec::new() }
    }

    /// Let the document of a group wait; false where it cannot.
    pub(super) fn put(&mut self, key: &[u8], document: &RawDocumentBuf) -> Result<bool, Error> {
        let Some(spill) = self.spill.as_ref().filter(|_| self.depth < MAX_DEPTH) else {
            return Ok(false);
        };
        if self.open.is_empty() {
            self.open.resize_with(PARTS, || None);
        }
        let mut hasher = DefaultHasher::new();
        (self.depth, key).hash(&mut hasher);
        let part = usize::try_from(hasher.finish() >> 32).unwrap_or_default() % PARTS;
        let Some(part) = self.open.get_mut(part) else { return Ok(false) };
        let run = match part {
            Some(run) => run,
            None => part.insert(spill.begin()?),
        };
        run.write(document.as_bytes())?;
        Ok(true)
    }

    /// Whether something waits.
    pub(super) fn are_left(&self) -> bool {
        !self.open.is_empty() || !self.waiting.is_empty()
    }

    /// The next part, to be read.
    pub(super) fn next_part(&mut self) -> Result<Option<Box<dyn Run>>, Error> {
        let depth = self.depth + 1;
        for mut run in std::mem::take(&mut self.open).into_iter().flatten() {
            run.rewind()?;
            self.waiting.push((depth, run));
        }
        let Some((depth, run)) = self.waiting.pop() else { return Ok(None) };
        self.depth = depth;
        Ok(Some(run))
    }
}
