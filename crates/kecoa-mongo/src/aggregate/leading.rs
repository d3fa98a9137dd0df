//! The stages at the front of a pipeline that a plan can answer.

use ::bson::raw::{RawArrayBuf, cstr};
use ::bson::{RawDocument, RawDocumentBuf};

use super::stage::{Part, Pipeline};

/// `$match`, `$sort`, `$skip` and `$limit` at the front of a pipeline, in this order.
#[derive(Clone, Debug, Default)]
pub struct Leading {
    /// What documents must meet; several `$match` are joined by `$and`.
    pub filter: Option<RawDocumentBuf>,
    /// The order.
    pub sort: Option<RawDocumentBuf>,
    /// How many are left out at the front.
    pub skip: u64,
    /// How many are given after that.
    pub limit: Option<u64>,
}

impl Pipeline {
    /// Take `$match`, `$sort`, `$skip` and `$limit` from the front: what a plan can answer. The rest gives the same
    /// result on what they leave.
    #[must_use]
    pub fn split_leading(&self) -> (Leading, Self) {
        let (leading, taken) = Leading::of(self);
        (leading, Self::of(self.stages().iter().skip(taken).cloned().collect()))
    }
}

impl Leading {
    /// What is at the front, and how many stages it is.
    fn of(pipeline: &Pipeline) -> (Self, usize) {
        let mut leading = Self::default();
        let mut filters: Vec<&RawDocument> = Vec::new();
        let mut taken = 0;
        for stage in pipeline.stages() {
            match stage.part() {
                // After a $skip or $limit, it would see other documents.
                Part::Match(filter) if leading.skip == 0 && leading.limit.is_none() => {
                    filters.push(filter);
                }
                Part::Sort(sort)
                    if leading.sort.is_none() && leading.skip == 0 && leading.limit.is_none() =>
                {
                    leading.sort = Some(sort.to_owned());
                }
                Part::Skip(count) => {
                    leading.skip = leading.skip.saturating_add(count);
                    leading.limit = leading.limit.map(|limit| limit.saturating_sub(count));
                }
                Part::Limit(count) => {
                    leading.limit = Some(leading.limit.map_or(count, |limit| limit.min(count)));
                }
                _ => break,
            }
            taken += 1;
        }
        leading.filter = match filters.as_slice() {
            [] => None,
            [only] => Some((*only).to_owned()),
            several => {
                let mut filter = RawDocumentBuf::new();
                let joined: RawArrayBuf = several.iter().copied().collect();
                filter.append(cstr!("$and"), joined);
                Some(filter)
            }
        };
        (leading, taken)
    }
}
