//! Sorts what does not fit in memory: sorted runs, which are merged.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt::Debug;
use std::sync::Arc;
use std::vec::IntoIter;

use super::spill::{Run, Spill};
use crate::error::{Code, Error};
use crate::query::{SortKey, Sorter, sort_memory_exceeded};

/// How many runs are merged at once.
const MAX_RUNS: usize = 32;

/// What can be written to a run.
pub trait Record: Sized + Debug {
    /// The bytes that it takes in memory.
    fn size(&self) -> usize;

    /// Append it.
    fn write(&self, bytes: &mut Vec<u8>);

    /// The same again.
    ///
    /// # Errors
    ///
    /// Where the bytes are of no record.
    fn read(bytes: &[u8]) -> Result<Self, Error>;
}

/// Takes records, then gives them in the order of their keys. Records of equal keys stay in the order in which they came.
#[derive(Debug)]
pub struct ExternalSort<T> {
    sorter: Sorter<T>,
    /// How many of the first ones are asked for.
    bound: Option<usize>,
    max_bytes: usize,
    spill: Option<Arc<dyn Spill>>,
    runs: Vec<Box<dyn Run>>,
    spilled: usize,
}

/// Records in order.
#[derive(Debug)]
pub struct Sorted<T> {
    memory: IntoIter<(SortKey, T)>,
    /// The first key of the records that are left of each source, and the place of the source: the runs, then memory.
    firsts: BinaryHeap<Reverse<(Vec<u8>, usize)>>,
    sources: Vec<Source<T>>,
    left: usize,
}

/// Records of one run, or of memory.
#[derive(Debug)]
struct Source<T> {
    run: Option<Box<dyn Run>>,
    first: Option<T>,
}

impl<T: Record> ExternalSort<T> {
    /// Nothing yet. It holds at most so many bytes in memory, and needs `spill` for more.
    #[must_use]
    pub fn new(bound: Option<usize>, max_bytes: usize, spill: Option<Arc<dyn Spill>>) -> Self {
        let sorter = Sorter::new(bound, usize::MAX);
        Self { sorter, bound, max_bytes, spill, runs: Vec::new(), spilled: 0 }
    }

    /// Take a record.
    ///
    /// # Errors
    ///
    /// 292 where there are more than may be held; those of the run that is written.
    pub fn push(&mut self, key: SortKey, record: T) -> Result<(), Error> {
        let bytes = record.size();
        self.sorter.push(key, record, bytes)?;
        if self.sorter.bytes() <= self.max_bytes {
            return Ok(());
        }
        let Some(spill) = self.spill.clone() else {
            return Err(sort_memory_exceeded(self.max_bytes));
        };
        if self.runs.len() >= MAX_RUNS {
            let runs = std::mem::take(&mut self.runs);
            let mut merged = Sorted::<T>::of(Vec::new(), runs, self.bound.unwrap_or(usize::MAX))?;
            let mut run = spill.begin()?;
            while let Some((key, record)) = merged.next_with_key()? {
                run.write(&joined(&key, &record))?;
            }
            self.runs.push(run);
        }
        let mut run = spill.begin()?;
        let sorter = std::mem::replace(&mut self.sorter, Sorter::new(self.bound, usize::MAX));
        self.spilled += sorter.len();
        for (key, record) in sorter.into_sorted() {
            run.write(&joined(key.as_bytes(), &record))?;
        }
        self.runs.push(run);
        Ok(())
    }

    /// There are no further records.
    ///
    /// # Errors
    ///
    /// Those of the runs.
    pub fn finish(self) -> Result<Sorted<T>, Error> {
        let count = self.spilled.saturating_add(self.sorter.len());
        let left = self.bound.map_or(count, |bound| bound.min(count));
        Sorted::of(self.sorter.into_sorted().collect(), self.runs, left)
    }
}

impl<T: Record> Sorted<T> {
    fn of(memory: Vec<(SortKey, T)>, runs: Vec<Box<dyn Run>>, left: usize) -> Result<Self, Error> {
        let mut sources = Vec::with_capacity(runs.len() + 1);
        for mut run in runs {
            run.rewind()?;
            sources.push(Source { run: Some(run), first: None });
        }
        sources.push(Source { run: None, first: None });
        let count = sources.len();
        let mut sorted =
            Self { memory: memory.into_iter(), firsts: BinaryHeap::new(), sources, left };
        for place in 0..count {
            sorted.advance(place)?;
        }
        Ok(sorted)
    }

    /// How many records are left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.left
    }

    /// The next record.
    ///
    /// # Errors
    ///
    /// Those of the runs.
    pub fn next_record(&mut self) -> Result<Option<T>, Error> {
        Ok(self.next_with_key()?.map(|(_, record)| record))
    }

    fn next_with_key(&mut self) -> Result<Option<(Vec<u8>, T)>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        let Some(Reverse((key, place))) = self.firsts.pop() else { return Ok(None) };
        let record = self.sources.get_mut(place).and_then(|source| source.first.take());
        self.advance(place)?;
        self.left -= 1;
        Ok(record.map(|record| (key, record)))
    }

    /// Read the first record that is left of a source.
    fn advance(&mut self, place: usize) -> Result<(), Error> {
        let Some(source) = self.sources.get_mut(place) else { return Ok(()) };
        let next = match &mut source.run {
            Some(run) => match run.read()? {
                Some(bytes) => Some(parted(&bytes)?),
                None => None,
            },
            None => self.memory.next().map(|(key, record)| (key.as_bytes().to_vec(), record)),
        };
        if let Some((key, record)) = next {
            source.first = Some(record);
            self.firsts.push(Reverse((key, place)));
        }
        Ok(())
    }
}

/// A key and a record as one.
fn joined<T: Record>(key: &[u8], record: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(key.len() + record.size() + 8);
    bytes.extend(u64::try_from(key.len()).unwrap_or(u64::MAX).to_le_bytes());
    bytes.extend(key);
    record.write(&mut bytes);
    bytes
}

fn parted<T: Record>(bytes: &[u8]) -> Result<(Vec<u8>, T), Error> {
    let parts = bytes.split_first_chunk::<8>().and_then(|(length, rest)| {
        rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
    });
    let (key, record) = parts.ok_or_else(unreadable)?;
    Ok((key.to_vec(), T::read(record)?))
}

/// What a record fails with that is not as it was written.
#[must_use]
pub fn unreadable() -> Error {
    Error::new(Code::INTERNAL_ERROR, "a temporary file does not hold what was written to it")
}

impl Record for bson::RawDocumentBuf {
    fn size(&self) -> usize {
        self.as_bytes().len()
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.as_bytes());
    }

    fn read(bytes: &[u8]) -> Result<Self, Error> {
        Self::from_bytes(bytes.to_vec()).map_err(|_| unreadable())
    }
}
