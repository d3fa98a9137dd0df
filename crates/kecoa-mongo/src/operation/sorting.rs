//! Documents in the order of a sort that no index serves.

use std::sync::Arc;

use bson::RawDocumentBuf;

use crate::aggregate::{ExternalSort, Record, Sorted, Spill, unreadable};
use crate::error::Error;
use crate::query::Sort;
use crate::store::Stored;

use super::reader::Found;
use super::temporary_files::TemporaryFiles;

/// The bytes that a sort may hold in memory.
const MEMORY_LIMIT: usize = 100 * 1024 * 1024;

/// Gathers documents, then gives them in order.
#[derive(Debug)]
pub struct Sorting {
    sort: Sort,
    gathered: Option<ExternalSort<Found>>,
    sorted: Option<Sorted<Found>>,
}

impl Sorting {
    /// Nothing gathered yet. `kept`: how many are asked for at most.
    #[must_use]
    pub fn new(sort: Sort, kept: Option<usize>, may_spill: bool) -> Self {
        let spill = may_spill.then(|| Arc::new(TemporaryFiles) as Arc<dyn Spill>);
        Self { sort, gathered: Some(ExternalSort::new(kept, MEMORY_LIMIT, spill)), sorted: None }
    }

    /// Whether documents are still taken.
    #[must_use]
    pub fn is_gathering(&self) -> bool {
        self.gathered.is_some()
    }

    /// Take a document.
    ///
    /// # Errors
    ///
    /// 2 for arrays on two paths of the sort; 292 when there are more than fit.
    pub fn push(&mut self, found: Found) -> Result<(), Error> {
        let key = self.sort.key(&found.stored.document)?;
        match &mut self.gathered {
            Some(gathered) => gathered.push(key, found),
            None => Ok(()),
        }
    }

    /// There are no further documents.
    ///
    /// # Errors
    ///
    /// Those of temporary files.
    pub fn end(&mut self) -> Result<(), Error> {
        if let Some(gathered) = self.gathered.take() {
            self.sorted = Some(gathered.finish()?);
        }
        Ok(())
    }

    /// The next one in order.
    ///
    /// # Errors
    ///
    /// Those of temporary files.
    pub fn next_found(&mut self) -> Result<Option<Found>, Error> {
        self.sorted.as_mut().map_or(Ok(None), Sorted::next_record)
    }

    /// Whether all were given.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.sorted.as_ref().is_some_and(|sorted| sorted.left() == 0)
    }
}

impl Record for Found {
    fn size(&self) -> usize {
        self.stored.document.as_bytes().len() + self.stored.id_key.len()
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        let number = |number: usize| u64::try_from(number).unwrap_or(u64::MAX).to_le_bytes();
        bytes.extend(self.stored.version.to_le_bytes());
        // One more than the position, as there may be none.
        bytes.extend(number(self.position.map_or(0, |position| position.saturating_add(1))));
        bytes.extend(number(self.stored.id_key.len()));
        bytes.extend(&self.stored.id_key);
        bytes.extend(self.stored.document.as_bytes());
    }

    fn read(bytes: &[u8]) -> Result<Self, Error> {
        let parts = || {
            let (version, rest) = bytes.split_first_chunk::<8>()?;
            let (position, rest) = rest.split_first_chunk::<8>()?;
            let (length, rest) = rest.split_first_chunk::<8>()?;
            let number = |bytes: &[u8; 8]| usize::try_from(u64::from_le_bytes(*bytes)).ok();
            let (id_key, document) = rest.split_at_checked(number(length)?)?;
            let stored = Stored {
                id_key: id_key.to_vec(),
                version: i64::from_le_bytes(*version),
                document: RawDocumentBuf::from_bytes(document.to_vec()).ok()?,
            };
            Some(Self { stored, position: number(position)?.checked_sub(1) })
        };
        parts().ok_or_else(unreadable)
    }
}
