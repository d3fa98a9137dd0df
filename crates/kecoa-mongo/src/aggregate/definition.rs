//! The stages by their names: where each may stand, how it is read.

use ::bson::RawBsonRef;

use super::context::{Context, Place};
use super::specification::fields;
use super::stage::Stages;
use super::stages::{
    bucket, bucket_auto, count, densify, documents, facet, fill, graph_lookup, group, limit,
    lookup, matching, merge, out, redact, replace_root, sample, shape, sort, sources, union_with,
    unwind, window,
};
use crate::error::{Code, Error};

/// Where in a pipeline a stage may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    Any,
    First,
    Last,
}

/// A stage's name and rules.
pub(super) struct Definition {
    pub(super) name: &'static str,
    pub(super) position: Position,
    /// The pipelines within pipelines that may have it.
    pub(super) nested: Nested,
    pub(super) parse: fn(&str, RawBsonRef<'_>, &Context<'_>) -> Result<Stages, Error>,
}

/// The pipelines within pipelines that may have a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nested {
    All,
    /// `$lookup`'s and `$unionWith`'s.
    NotFacet,
    None,
}

macro_rules! definitions {
    ($($name:literal, $position:ident, $nested:ident, $parse:path;)*) => {
        const DEFINITIONS: &[Definition] = &[$(Definition {
            name: $name,
            position: Position::$position,
            nested: Nested::$nested,
            parse: $parse,
        },)*];
    };
}

/// The stages of updates' pipelines.
const UPDATE_STAGES: [&str; 6] =
    ["$addFields", "$set", "$project", "$unset", "$replaceRoot", "$replaceWith"];

definitions! {
    "$match", Any, All, matching::parse;
    "$project", Any, All, shape::parse_project;
    "$addFields", Any, All, shape::parse_added;
    "$set", Any, All, shape::parse_added;
    "$unset", Any, All, shape::parse_unset;
    "$sort", Any, All, sort::parse;
    "$limit", Any, All, limit::parse_limit;
    "$skip", Any, All, limit::parse_skip;
    "$count", Any, All, count::parse;
    "$group", Any, All, group::parse;
    "$bucket", Any, All, bucket::parse;
    "$bucketAuto", Any, All, bucket_auto::parse;
    "$sortByCount", Any, All, group::parse_sort_by_count;
    "$unwind", Any, All, unwind::parse;
    "$sample", Any, All, sample::parse;
    "$replaceRoot", Any, All, replace_root::parse;
    "$replaceWith", Any, All, replace_root::parse_with;
    "$redact", Any, All, redact::parse;
    "$facet", Any, NotFacet, facet::parse;
    "$lookup", Any, All, lookup::parse;
    "$graphLookup", Any, All, graph_lookup::parse;
    "$unionWith", Any, All, union_with::parse;
    "$out", Last, None, out::parse;
    "$merge", Last, None, merge::parse;
    "$documents", First, NotFacet, documents::parse;
    "$collStats", First, NotFacet, sources::parse;
    "$indexStats", First, NotFacet, sources::parse;
    "$currentOp", First, None, sources::parse;
    "$listSessions", First, None, sources::parse;
    "$listLocalSessions", First, None, sources::parse;
    "$changeStream", First, None, sources::parse;
    "$geoNear", First, NotFacet, sources::parse;
    "$search", First, NotFacet, sources::parse;
    "$searchMeta", First, NotFacet, sources::parse;
    "$vectorSearch", First, NotFacet, sources::parse;
    "$listSearchIndexes", First, NotFacet, sources::parse;
    "$setWindowFields", Any, All, window::parse;
    "$densify", Any, All, densify::parse;
    "$fill", Any, All, fill::parse;
    "$planCacheStats", First, NotFacet, sources::parse;
    "$changeStreamSplitLargeEvent", Last, None, sources::parse;
}

/// Whether a stage is called so.
#[must_use]
pub fn is_stage(name: &str) -> bool {
    Definition::of(name).is_ok()
}

impl Definition {
    /// The definition of the stage of that name.
    pub(super) fn of(name: &str) -> Result<&'static Self, Error> {
        DEFINITIONS.iter().find(|definition| definition.name == name).ok_or_else(|| {
            Error::location(40324, format!("Unrecognized pipeline stage name: '{name}'"))
        })
    }

    /// Refuse a stage in a pipeline that may not have it.
    pub(super) fn check_nesting(
        &self,
        argument: RawBsonRef<'_>,
        context: &Context<'_>,
    ) -> Result<(), Error> {
        let name = self.name;
        match (context.place, self.nested) {
            (Place::Update, _) if !UPDATE_STAGES.contains(&name) => Err(Error::new(
                Code::INVALID_OPTIONS,
                format!("{name} is not allowed to be used within an update"),
            )),
            (Place::Facet, _) if !self.may_be_in_facet(argument) => Err(Error::location(
                40600,
                format!("{name} is not allowed to be used within a $facet stage"),
            )),
            (Place::Lookup, Nested::None) => Err(Error::location(
                51047,
                format!("{name} is not allowed within a $lookup's sub-pipeline"),
            )),
            (Place::UnionWith, Nested::None) => Err(Error::location(
                31441,
                format!("{name} is not allowed within a $unionWith's sub-pipeline"),
            )),
            _ => Ok(()),
        }
    }

    /// Refuse a stage in a place of its pipeline that it may not have.
    pub(super) fn check_position(&self, index: usize, count: usize) -> Result<(), Error> {
        let name = self.name;
        match self.position {
            Position::First if index > 0 => Err(Error::location(
                40602,
                format!("{name} is only valid as the first stage in a pipeline"),
            )),
            Position::Last if index + 1 < count => Err(Error::location(
                40601,
                format!("{name} can only be the final stage in the pipeline"),
            )),
            _ => Ok(()),
        }
    }

    /// Whether `$facet` may have it, and all that the pipelines within it have. They were parsed before, so that
    /// they do not lie too deep.
    fn may_be_in_facet(&self, argument: RawBsonRef<'_>) -> bool {
        if self.nested != Nested::All {
            return false;
        }
        let (RawBsonRef::Document(argument), "$lookup" | "$unionWith") = (argument, self.name)
        else {
            return true;
        };
        let Ok(stages) = argument.get_array("pipeline") else { return true };
        stages.into_iter().flatten().filter_map(|stage| stage.as_document()).all(|stage| {
            fields(stage).flatten().all(|(name, argument)| {
                Self::of(name).is_ok_and(|definition| definition.may_be_in_facet(argument))
            })
        })
    }
}
