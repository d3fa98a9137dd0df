//! `$sort`.

use std::sync::Arc;

use ::bson::{RawBsonRef, RawDocument, RawDocumentBuf};

use crate::aggregate::context::Context;
use crate::aggregate::external_sort::{ExternalSort, Sorted};
use crate::aggregate::options::Options;
use crate::aggregate::stage::{Documents, Flow, Operator};
use crate::aggregate::stage::{Part, Stage, Stages};
use crate::error::Error;
use crate::expression::Variables;
use crate::query::{Sort, SortMode};

/// `$sort`.
#[derive(Clone, Debug)]
pub(in crate::aggregate) struct SortStage {
    specification: RawDocumentBuf,
    sort: Arc<Sort>,
    /// How many of the first documents are asked for.
    bound: Option<usize>,
}

impl SortStage {
    pub(super) fn new(specification: &RawDocument, context: &Context<'_>) -> Result<Self, Error> {
        let sort = Arc::new(Sort::parse(specification, SortMode::Aggregate, context.scope)?);
        Ok(Self { specification: specification.to_owned(), sort, bound: None })
    }
}

impl Stage for SortStage {
    fn operator(&self, _: &Variables, options: &Options) -> Box<dyn Operator> {
        Box::new(Sorting {
            sort: Arc::clone(&self.sort),
            gathered: Some(ExternalSort::new(
                self.bound,
                options.spill().map_or(options.stage_memory(), |_| options.memory_limit),
                options.spill(),
            )),
            sorted: None,
        })
    }

    fn part(&self) -> Part<'_> {
        Part::Sort(&self.specification)
    }

    fn bounded(&self, count: usize) -> Option<Arc<dyn Stage>> {
        Some(Arc::new(Self { bound: Some(count), ..self.clone() }))
    }
}

pub(in crate::aggregate) fn parse(
    _: &str,
    argument: RawBsonRef<'_>,
    context: &Context<'_>,
) -> Result<Stages, Error> {
    let RawBsonRef::Document(document) = argument else {
        return Err(Error::location(15973, "the $sort key specification must be an object"));
    };
    if document.is_empty() {
        return Err(Error::location(15976, "$sort stage must have at least one sort key"));
    }
    Ok(vec![Arc::new(SortStage::new(document, context)?)])
}

struct Sorting {
    sort: Arc<Sort>,
    gathered: Option<ExternalSort<RawDocumentBuf>>,
    sorted: Option<Sorted<RawDocumentBuf>>,
}

/// How many documents are given at once.
const BATCH: usize = 256;

impl Operator for Sorting {
    fn push(&mut self, document: RawDocumentBuf, _: &mut Documents) -> Result<Flow, Error> {
        if let Some(gathered) = &mut self.gathered {
            gathered.push(self.sort.key(&document)?, document)?;
        }
        Ok(Flow::More)
    }

    fn end(&mut self, out: &mut Documents) -> Result<(), Error> {
        if let Some(gathered) = self.gathered.take() {
            self.sorted = Some(gathered.finish()?);
        }
        let Some(sorted) = &mut self.sorted else { return Ok(()) };
        for _ in 0..BATCH {
            let Some(document) = sorted.next_record()? else { break };
            out.push_back(document);
        }
        Ok(())
    }

    fn has_more(&self) -> bool {
        self.sorted.as_ref().is_some_and(|sorted| sorted.left() > 0)
    }
}
