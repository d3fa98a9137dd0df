//! What `explain` says of a pipeline, and of what is read.

use std::time::Instant;

use ::bson::raw::cstr;
use ::bson::{RawArrayBuf, RawBsonRef, RawDocument, RawDocumentBuf, rawdoc};

use crate::aggregate::Pipeline;
use crate::error::Error;
use crate::operation::explain::{Numbers, execution_stats, find_plan, nothing, query_planner};
use crate::operation::find::{Find, empty_document};
use crate::operation::views::{self, Resolved};
use crate::store::Namespace;

use super::arguments::Values;
use super::context::Context;
use super::work;

/// The reply for what is read of a collection.
pub(super) fn describe(
    namespace: &Namespace,
    filter: &RawDocument,
    plan: RawDocumentBuf,
    numbers: &Numbers,
    verbosity: &str,
) -> RawDocumentBuf {
    let mut reply = RawDocumentBuf::new();
    reply.append(cstr!("explainVersion"), "1");
    reply.append(cstr!("queryPlanner"), query_planner(namespace, filter, plan.clone()));
    if verbosity != "queryPlanner" {
        let mut stats = execution_stats(&plan, numbers);
        if verbosity == "allPlansExecution" {
            stats.append(cstr!("allPlansExecution"), RawArrayBuf::new());
        }
        reply.append(cstr!("executionStats"), stats);
    }
    reply
}

/// The fields of the reply for a pipeline.
///
/// # Errors
///
/// Those of its stages.
pub(super) async fn explain_aggregate(
    context: &mut Context<'_>,
    arguments: &Values<'_>,
    verbosity: &str,
) -> Result<RawDocumentBuf, Error> {
    let empty = RawArrayBuf::new();
    let stages = arguments.array("pipeline").unwrap_or(&empty);
    let namespace = match context.value {
        RawBsonRef::String(name) => Namespace::new(context.database, name)?,
        _ => Namespace::new(context.database, "$cmd.aggregate")?,
    };
    let has_collection = matches!(context.value, RawBsonRef::String(_));
    let database = context.database;
    let started = Instant::now();
    let mut work = work::work(context).await?;
    let mut resolved = match has_collection {
        true => Some(views::resolve(&mut work, &namespace).await?),
        false => None,
    };
    // The plan is to be of what the catalogue says now.
    if let Some(collection) = resolved.as_ref().and_then(|resolved| resolved.collection.as_ref())
        && !Find::default().open(&work, collection)?.begin(&mut work).await?
    {
        resolved = Some(views::resolve(&mut work, &namespace).await?);
    }
    let all = all_stages(resolved.as_ref(), stages);
    let mut options = crate::aggregate::Options::new(database);
    options.has_collection = has_collection;
    let collation = arguments.document("collation");
    let collection = resolved.as_ref().and_then(|resolved| resolved.collection.as_ref());
    let collator = crate::operation::Context::collator(collation, collection)?;
    let pipeline = Pipeline::parse(&all, &work.scope_with(&collator), &options)?;
    let (leading, rest) = pipeline.split_leading();
    let find = Find {
        filter: leading.filter.as_deref(),
        sort: leading.sort.as_deref(),
        skip: leading.skip,
        limit: leading.limit.unwrap_or(0),
        hint: arguments.value("hint"),
        collation,
        ..Find::default()
    };
    let mut numbers = Numbers::default();
    let plan = match collection {
        None => nothing(),
        Some(collection) => {
            let mut query = find.open(&work, collection)?;
            if verbosity != "queryPlanner" {
                while query.skip_one(&mut work).await? {}
            }
            numbers.returned = query.returned();
            numbers.documents = query.examined().documents;
            numbers.keys = query.keys_examined();
            find_plan(&find, &query)
        }
    };
    numbers.time = started.elapsed();
    let filter = find.filter.unwrap_or(empty_document());
    let described = describe(&namespace, filter, plan, &numbers, verbosity);
    if rest.is_empty() {
        return Ok(described);
    }
    let mut list = RawArrayBuf::new();
    list.push(rawdoc! { "$cursor": described });
    for stage in all.into_iter().map_while(Result::ok).skip(leading_stages(&all)) {
        list.push(stage);
    }
    let mut reply = RawDocumentBuf::new();
    reply.append(cstr!("explainVersion"), "1");
    reply.append(cstr!("stages"), list);
    Ok(reply)
}

/// The stages of the view, and those of the command.
fn all_stages(resolved: Option<&Resolved>, stages: &::bson::RawArray) -> RawArrayBuf {
    let mut all = match resolved.and_then(|resolved| resolved.view.as_ref()) {
        Some(view) => view.stages.clone(),
        None => RawArrayBuf::new(),
    };
    views::append_stages(&mut all, stages);
    all
}

/// How many stages at the front are answered by the plan.
fn leading_stages(stages: &::bson::RawArray) -> usize {
    let (mut taken, mut sorted, mut cut) = (0, false, false);
    for stage in stages.into_iter().map_while(Result::ok).filter_map(|stage| stage.as_document()) {
        let name = stage.iter_elements().next().and_then(Result::ok);
        match name.as_ref().map_or("", |name| name.key().as_str()) {
            "$match" if !cut => {}
            "$sort" if !cut && !sorted => sorted = true,
            "$skip" | "$limit" => cut = true,
            _ => break,
        }
        taken += 1;
    }
    taken
}
