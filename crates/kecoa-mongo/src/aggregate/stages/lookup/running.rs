//! `$lookup` as it runs: documents of a batch are looked up for with one read, where what they look for are values.

use ::bson::{RawBson, RawBsonRef, RawDocumentBuf};

use super::definition::{Lookup, Way};
use super::join::Join;
use crate::aggregate::memory::Memory;
use crate::aggregate::options::Options;
use crate::aggregate::stage::{Documents, Flow, Operator, Read, Request};
use crate::error::Error;
use crate::expression::Variables;

/// How many documents the first batch has, and how many one may have.
const FIRST_BATCH: usize = 8;
const MAX_BATCH: usize = 2048;
/// The bytes that a batch may have.
const MAX_BATCH_BYTES: usize = 16 * 1024 * 1024;
/// What was found for a batch: below the first, the next one is larger, above the second, smaller.
const FEW_BYTES: usize = 2 * 1024 * 1024;
const MANY_BYTES: usize = 8 * 1024 * 1024;

pub(super) struct LookingUp {
    stage: Lookup,
    variables: Variables,
    limit: Options,
    batch: Vec<RawDocumentBuf>,
    batch_bytes: usize,
    /// How many documents the next batch has.
    size: usize,
    request: Option<Request>,
    /// What is found for every document, where that is the same.
    same: Option<Vec<RawDocumentBuf>>,
}

impl LookingUp {
    pub(super) fn new(stage: Lookup, variables: Variables, limit: Options) -> Self {
        let size = if stage.way == Way::Batches { FIRST_BATCH } else { 1 };
        Self {
            stage,
            variables,
            limit,
            batch: Vec::new(),
            batch_bytes: 0,
            size,
            request: None,
            same: None,
        }
    }

    /// Ask for what the documents of the batch look for.
    fn ask(&mut self) -> Result<(), Error> {
        let read = match (self.batch.as_slice(), &self.stage.fields) {
            ([], _) => return Ok(()),
            ([document], _) => self.stage.read(document, &self.variables)?,
            (documents, Some(equality)) => {
                let all: Vec<RawBsonRef<'_>> =
                    documents.iter().flat_map(|document| equality.values(document)).collect();
                Read {
                    namespace: self.stage.from.clone(),
                    filter: Some(equality.filter(&all)),
                    pipeline: self.stage.sub_pipeline(),
                    variables: self.variables.clone(),
                }
            }
            (_, None) => return Ok(()),
        };
        self.request = Some(Request::Read(Box::new(read)));
        Ok(())
    }

    /// A document with what was found for it.
    fn show<'f>(
        &self,
        document: &RawDocumentBuf,
        found: impl Iterator<Item = &'f RawDocumentBuf> + Clone,
    ) -> Result<RawDocumentBuf, Error> {
        let mut memory = Memory::new("$lookup", &self.limit).failing_with(4568);
        for found in found.clone() {
            memory.add(found.as_bytes().len())?;
        }
        let found = RawBson::Array(found.collect());
        self.stage.into.set(document, Some(found.as_raw_bson_ref()))
    }
}

impl Operator for LookingUp {
    fn push(&mut self, document: RawDocumentBuf, out: &mut Documents) -> Result<Flow, Error> {
        if let Some(same) = &self.same {
            out.push_back(self.show(&document, same.iter())?);
            return Ok(Flow::More);
        }
        self.batch_bytes += document.as_bytes().len();
        self.batch.push(document);
        if self.batch.len() >= self.size || self.batch_bytes >= MAX_BATCH_BYTES {
            self.ask()?;
        }
        Ok(Flow::More)
    }

    fn end(&mut self, _: &mut Documents) -> Result<(), Error> {
        self.ask()
    }

    fn request(&mut self) -> Option<Request> {
        self.request.take()
    }

    fn answer(&mut self, documents: Vec<RawDocumentBuf>, out: &mut Documents) -> Result<(), Error> {
        let batch = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        let bytes: usize = documents.iter().map(|document| document.as_bytes().len()).sum();
        match (batch.as_slice(), &self.stage.fields) {
            ([document], _) => out.push_back(self.show(document, documents.iter())?),
            (batch, Some(equality)) => {
                let values: Vec<_> =
                    batch.iter().map(|document| equality.values(document)).collect();
                let join = Join::new(&values, equality, &self.stage.scope)?;
                let mut belonging = vec![Vec::new(); batch.len()];
                for found in &documents {
                    for place in join.places(found, &self.variables)? {
                        if let Some(list) = belonging.get_mut(place) {
                            list.push(found);
                        }
                    }
                }
                for (document, found) in batch.iter().zip(&belonging) {
                    out.push_back(self.show(document, found.iter().copied())?);
                }
            }
            (_, None) => {}
        }
        match self.stage.way {
            Way::Batches if bytes < FEW_BYTES => self.size = (self.size * 2).min(MAX_BATCH),
            Way::Batches if bytes > MANY_BYTES => self.size = (self.size / 2).max(1),
            Way::Once if bytes <= MAX_BATCH_BYTES => self.same = Some(documents),
            _ => {}
        }
        Ok(())
    }
}
