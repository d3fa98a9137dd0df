//! Accumulators over windows that move.

mod numbers;
mod ordered;
mod places;

use std::ops::Range;

use ::bson::{RawBson, RawBsonRef, RawDocumentBuf};

use super::definition::{Accumulator, Operation, Order};
use super::selection::Selection;
use super::slide::{Sliding, slide};
use crate::error::Error;
use crate::expression::Variables;
use crate::query::SortKey;
use crate::value::Value;
use numbers::{Deviations, Sums};
use ordered::{Extreme, Ranked, Ranks, Set};
use places::{Ends, Places};

impl Accumulator {
    /// The result of each window over these documents.
    pub(in crate::aggregate) fn over_windows(
        &self,
        documents: &[&RawDocumentBuf],
        windows: &[Range<usize>],
        variables: &Variables,
    ) -> Result<Vec<RawBson>, Error> {
        let values = documents
            .iter()
            .map(|document| Ok(self.argument.evaluate(document, variables)?.map(Value::into_owned)))
            .collect::<Result<Vec<Option<RawBson>>, Error>>()?;
        let mut state = self.sliding(&values, documents, variables)?;
        slide(windows, &mut *state)
    }

    /// Check what does not depend on documents.
    ///
    /// # Errors
    ///
    /// 5787902, 5787903 and 5787908 for what is no count.
    pub(in crate::aggregate) fn check_start(&self, variables: &Variables) -> Result<(), Error> {
        match &self.operation {
            Operation::Select(many) => {
                Selection::new(many, RawBsonRef::Null, variables).map(|_| ())
            }
            _ => Ok(()),
        }
    }

    fn sliding<'v>(
        &'v self,
        values: &'v [Option<RawBson>],
        documents: &[&RawDocumentBuf],
        variables: &Variables,
    ) -> Result<Box<dyn Sliding + 'v>, Error> {
        let collator = &self.collator;
        Ok(match &self.operation {
            Operation::Sum => Box::new(Sums::new(values, false)),
            Operation::Average => Box::new(Sums::new(values, true)),
            Operation::Deviation { sample } => Box::new(Deviations::new(values, *sample)),
            Operation::Count => Box::new(Places::count()),
            Operation::First => Box::new(Places::one(values, Ends::First)),
            Operation::Last => Box::new(Places::one(values, Ends::Last)),
            Operation::Push | Operation::MergeObjects => Box::new(Places::all(values)),
            Operation::Extreme { greatest } => Box::new(Extreme::new(values, *greatest, collator)),
            Operation::AddToSet => Box::new(Set::new(values, collator)),
            Operation::Percentile { points, single } => {
                Box::new(Ranks::new(values, points, *single))
            }
            Operation::Select(many) => {
                let count = Selection::new(many, RawBsonRef::Null, variables)?.count();
                match &many.order {
                    Order::First => Box::new(Places::many(values, Ends::First, count)),
                    Order::Last => Box::new(Places::many(values, Ends::Last, count)),
                    Order::Least => Box::new(Ranked::least(values, count, collator)),
                    Order::Greatest => Box::new(Ranked::greatest(values, count, collator)),
                    Order::Top(sort) | Order::Bottom(sort) => {
                        let keys = documents.iter().map(|document| sort.key(document));
                        let keys = keys.collect::<Result<Vec<SortKey>, _>>()?;
                        let is_top = matches!(many.order, Order::Top(_));
                        Box::new(Ranked::sorted(values, keys, count, is_top, many.is_array))
                    }
                }
            }
        })
    }
}
