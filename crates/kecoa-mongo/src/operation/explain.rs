//! What `explain` says: how documents are read, and what was looked at.

use std::time::Duration;

use ::bson::raw::{CStr, cstr};
use ::bson::{RawArrayBuf, RawBson, RawDocument, RawDocumentBuf, rawdoc};

use crate::index::Index;
use crate::plan::access::{Access, Order};
use crate::plan::intervals;
use crate::query::Filter;
use crate::store::Namespace;

use super::find::{Find, Query};
use super::reader::Reader;
use super::write_result::number;

/// What was done, for `executionStats`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Numbers {
    /// Documents given.
    pub returned: u64,
    /// Keys read.
    pub keys: u64,
    /// Documents read.
    pub documents: u64,
    /// The time it took.
    pub time: Duration,
}

/// `queryPlanner`.
#[must_use]
pub fn query_planner(
    namespace: &Namespace,
    filter: &RawDocument,
    winning_plan: RawDocumentBuf,
) -> RawDocumentBuf {
    let mut planner = RawDocumentBuf::new();
    planner.append(cstr!("namespace"), namespace.to_string());
    planner.append(cstr!("parsedQuery"), filter);
    planner.append(cstr!("indexFilterSet"), false);
    planner.append(cstr!("optimizationTimeMillis"), 0);
    planner.append(cstr!("maxIndexedOrSolutionsReached"), false);
    planner.append(cstr!("maxIndexedAndSolutionsReached"), false);
    planner.append(cstr!("maxScansToExplodeReached"), false);
    planner.append(cstr!("prunedSimilarIndexes"), false);
    let mut winning = rawdoc! { "isCached": false };
    for (name, value) in winning_plan.iter().map_while(Result::ok) {
        winning.append(name, value);
    }
    planner.append(cstr!("winningPlan"), winning);
    planner.append(cstr!("rejectedPlans"), RawArrayBuf::new());
    planner
}

/// `executionStats`.
#[must_use]
pub fn execution_stats(plan: &RawDocument, numbers: &Numbers) -> RawDocumentBuf {
    let count = |value: u64| number(i64::try_from(value).unwrap_or(i64::MAX));
    let mut stats = RawDocumentBuf::new();
    stats.append(cstr!("executionSuccess"), true);
    stats.append(cstr!("nReturned"), count(numbers.returned));
    let millis = u64::try_from(numbers.time.as_millis()).unwrap_or(u64::MAX);
    stats.append(cstr!("executionTimeMillis"), count(millis));
    stats.append(cstr!("totalKeysExamined"), count(numbers.keys));
    stats.append(cstr!("totalDocsExamined"), count(numbers.documents));
    stats.append(cstr!("executionStages"), with_numbers(plan, numbers, 0));
    stats
}

fn with_numbers(plan: &RawDocument, numbers: &Numbers, depth: usize) -> RawDocumentBuf {
    let count = |value: u64| number(i64::try_from(value).unwrap_or(i64::MAX));
    let mut stage = RawDocumentBuf::new();
    for (name, value) in plan.iter().map_while(Result::ok) {
        match value.as_document() {
            Some(inner) if name.as_str() == "inputStage" && depth < 20 => {
                stage.append(name, with_numbers(inner, numbers, depth + 1));
            }
            _ => stage.append(name, value),
        }
        if name.as_str() == "stage" {
            stage.append(cstr!("nReturned"), count(numbers.returned));
            match value.as_str() {
                Some("COLLSCAN" | "FETCH") => {
                    stage.append(cstr!("docsExamined"), count(numbers.documents));
                }
                Some("EXPRESS_IXSCAN") => {
                    stage.append(cstr!("keysExamined"), count(numbers.documents));
                    stage.append(cstr!("docsExamined"), count(numbers.documents));
                }
                Some("IXSCAN") => stage.append(cstr!("keysExamined"), count(numbers.keys)),
                _ => {}
            }
        }
    }
    stage
}

/// The plan of a `find`.
#[must_use]
pub fn find_plan(find: &Find<'_>, query: &Query) -> RawDocumentBuf {
    let filter = find.filter.filter(|filter| !filter.is_empty());
    let mut plan = access_plan(query.reader(), filter);
    if query.is_sorting()
        && let Some(sort) = find.sort
    {
        let mut stage = RawDocumentBuf::new();
        stage.append(cstr!("stage"), "SORT");
        stage.append(cstr!("sortPattern"), sort);
        stage.append(cstr!("memLimit"), 104_857_600);
        if find.limit > 0 {
            let most = find.limit.saturating_add(find.skip);
            stage.append(cstr!("limitAmount"), number(i64::try_from(most).unwrap_or(i64::MAX)));
        }
        stage.append(cstr!("type"), "simple");
        stage.append(cstr!("inputStage"), plan);
        plan = stage;
    }
    if find.skip > 0 {
        plan = amount(cstr!("skipAmount"), "SKIP", find.skip, plan);
    }
    if find.limit > 0 && !query.is_sorting() {
        plan = amount(cstr!("limitAmount"), "LIMIT", find.limit, plan);
    }
    if let Some(projection) = find.projection.filter(|projection| !projection.is_empty()) {
        let mut stage = RawDocumentBuf::new();
        let simple = projection
            .iter()
            .map_while(Result::ok)
            .all(|(name, value)| !name.as_str().contains('.') && value.as_document().is_none());
        stage.append(
            cstr!("stage"),
            if simple { "PROJECTION_SIMPLE" } else { "PROJECTION_DEFAULT" },
        );
        stage.append(cstr!("transformBy"), projection);
        stage.append(cstr!("inputStage"), plan);
        plan = stage;
    }
    plan
}

/// The plan around which a stage of one name lies.
#[must_use]
pub fn within(stage_name: &str, plan: RawDocumentBuf) -> RawDocumentBuf {
    let mut stage = RawDocumentBuf::new();
    stage.append(cstr!("stage"), stage_name);
    stage.append(cstr!("inputStage"), plan);
    stage
}

/// The plan for a collection that is not there.
#[must_use]
pub fn nothing() -> RawDocumentBuf {
    rawdoc! { "stage": "EOF" }
}

fn amount(name: &CStr, stage_name: &str, amount: u64, plan: RawDocumentBuf) -> RawDocumentBuf {
    let mut stage = RawDocumentBuf::new();
    stage.append(cstr!("stage"), stage_name);
    stage.append(name, number(i64::try_from(amount).unwrap_or(i64::MAX)));
    stage.append(cstr!("inputStage"), plan);
    stage
}

/// How documents are read.
fn access_plan(reader: &Reader, filter: Option<&RawDocument>) -> RawDocumentBuf {
    let (access, collection) = (reader.access(), reader.collection());
    let mut stage = RawDocumentBuf::new();
    match access {
        Access::All { .. } => {
            stage.append(cstr!("stage"), "COLLSCAN");
            if let Some(filter) = filter {
                stage.append(cstr!("filter"), filter);
            }
            stage.append(cstr!("direction"), direction(access.order()));
            stage
        }
        Access::Ids { keys, .. } if keys.len() == 1 && is_id_alone(filter) => {
            stage.append(cstr!("stage"), "EXPRESS_IXSCAN");
            stage.append(cstr!("keyPattern"), "{ _id: 1 }");
            stage.append(cstr!("indexName"), "_id_");
            stage
        }
        Access::Ids { .. } | Access::IdRanges { .. } => {
            let id = Index::of_id(collection.collator());
            fetch(filter, index_scan(&id, reader.filter(), access.order()))
        }
        Access::Index { index, .. } => {
            let known = collection.indexes().iter().find(|known| known.number() == *index);
            match known {
                Some(index) => fetch(filter, index_scan(index, reader.filter(), access.order())),
                None => nothing(),
            }
        }
    }
}

fn is_id_alone(filter: Option<&RawDocument>) -> bool {
    filter.is_some_and(|filter| {
        let mut fields = filter.iter_elements().map_while(Result::ok);
        fields.next().is_some_and(|first| first.key().as_str() == "_id") && fields.next().is_none()
    })
}

fn fetch(filter: Option<&RawDocument>, scan: RawDocumentBuf) -> RawDocumentBuf {
    let mut stage = RawDocumentBuf::new();
    stage.append(cstr!("stage"), "FETCH");
    if let Some(filter) = filter {
        stage.append(cstr!("filter"), filter);
    }
    stage.append(cstr!("inputStage"), scan);
    stage
}

/// Reading by an index; by that of `_id` where none is given.
fn index_scan(index: &Index, filter: &Filter, order: Order) -> RawDocumentBuf {
    let pattern = index.key_pattern();
    let mut stage = RawDocumentBuf::new();
    stage.append(cstr!("stage"), "IXSCAN");
    stage.append(cstr!("keyPattern"), pattern);
    stage.append(cstr!("indexName"), index.name());
    if !index.collator().is_simple() {
        stage.append(cstr!("collation"), index.collator().to_document());
    }
    stage.append(cstr!("isMultiKey"), index.is_multikey());
    let mut paths = RawDocumentBuf::new();
    for field in pattern.iter_elements().map_while(Result::ok) {
        paths.append(field.key(), RawArrayBuf::new());
    }
    if !index.is_multikey() {
        stage.append(cstr!("multiKeyPaths"), paths);
    }
    stage.append(cstr!("isUnique"), index.is_unique() || index.is_id());
    stage.append(cstr!("isSparse"), index.is_sparse());
    stage.append(cstr!("isPartial"), index.partial_filter().is_some());
    stage.append(cstr!("indexVersion"), 2);
    stage.append(cstr!("direction"), direction(order));
    let texts = intervals::texts(filter, index, order == Order::Backward);
    let mut bounds = RawDocumentBuf::new();
    for (field, texts) in pattern.iter_elements().map_while(Result::ok).zip(texts) {
        let mut list = RawArrayBuf::new();
        for text in texts {
            list.push(text);
        }
        bounds.append(field.key(), RawBson::Array(list));
    }
    stage.append(cstr!("indexBounds"), bounds);
    stage
}

fn direction(order: Order) -> &'static str {
    match order {
        Order::Forward => "forward",
        Order::Backward => "backward",
    }
}
