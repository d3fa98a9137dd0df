//! Pipelines: what they read, and how they run.

mod piped;
mod running;
mod settings;
mod source;
mod writes;

use std::sync::Arc;

use ::bson::raw::{RawArrayBuf, cstr};
use ::bson::{RawArray, RawBsonRef, RawDocument, RawDocumentBuf};

use crate::aggregate::{Options, Pipeline, Source as AggregateSource};
use crate::error::{Code, Error};

use super::change_stream::{ChangeStream, Watched};
use super::context::Context;
use super::cursor::{Cursor, Source, Tail};
use super::find::Find;
use super::temporary_files::TemporaryFiles;
use super::views::{Resolved, append_stages};

pub use piped::Piped;
pub use running::next;
pub use settings::Settings;

/// What `aggregate` asks for.
#[derive(Clone, Copy, Debug)]
pub struct Aggregate<'a> {
    /// The stages.
    pub pipeline: &'a RawArray,
    /// The index to use.
    pub hint: Option<RawBsonRef<'a>>,
    /// How strings compare.
    pub collation: Option<&'a RawDocument>,
    /// Whether stages may hold more than their memory.
    pub allow_disk_use: bool,
    /// Whether the rule of a collection that is written to is left aside.
    pub bypass_validation: bool,
    /// The database.
    pub database: &'a str,
    /// Whether the command names a collection.
    pub has_collection: bool,
    /// What a first stage gives that looks at the gateway itself: `$currentOp`, `$listSessions`, `$listLocalSessions`.
    pub gateway: &'a [RawDocumentBuf],
}

/// Run a pipeline on what a name stands for. The cursor is to be begun: [`Cursor::begin`].
///
/// # Errors
///
/// Those of its stages; 2 for a hint that no index goes by.
pub async fn aggregate(
    context: &mut Context<'_>,
    resolved: Option<&Resolved>,
    aggregate: &Aggregate<'_>,
) -> Result<Cursor, Error> {
    let stream = crate::change::prepare(aggregate.pipeline)?;
    let stages: &RawArray = stream.as_ref().map_or(aggregate.pipeline, |stream| &stream.pipeline);
    let collection = resolved.and_then(|resolved| resolved.collection.as_ref());
    let view = resolved.and_then(|resolved| resolved.view.as_ref());
    let own = match view {
        Some(view) => view.collation.as_deref(),
        None => None,
    };
    let collation = aggregate.collation.filter(|collation| !collation.is_empty()).or(own);
    let collator = match view {
        // A view without a collation compares bytes, whatever the collection below does.
        Some(_) => Context::collator(collation, None)?,
        None => Context::collator(collation, collection)?,
    };
    let mut options = Options::new(aggregate.database);
    options.allow_disk_use = aggregate.allow_disk_use;
    options.spill = Some(Arc::new(TemporaryFiles));
    options.has_collection = aggregate.has_collection;
    let scope = context.scope_with(&collator);
    // The command's own stages are checked by themselves: a first stage must be the first of the command.
    let mut pipeline = Pipeline::parse(stages, &scope, &options)?;
    if let Some(view) = view {
        if pipeline.source().is_some() {
            return Err(Error::new(
                Code::OPTION_NOT_SUPPORTED_ON_VIEW,
                "the first stage of the pipeline cannot be run on a view",
            ));
        }
        let mut stages = view.stages.clone();
        append_stages(&mut stages, aggregate.pipeline);
        pipeline = Pipeline::parse(&stages, &scope, &options)?;
    }
    writes::check(context, &pipeline).await?;
    let variables = context.variables.clone();
    let settings = Settings { options, collator, bypass_validation: aggregate.bypass_validation };
    if let (Some(AggregateSource::ChangeStream(own)), Some(stream)) = (pipeline.source(), &stream) {
        let watched = Watched {
            database: aggregate.database,
            collection: resolved.map(|resolved| &resolved.namespace),
            options: own,
            splits: stream.splits,
        };
        let stream = ChangeStream::open(context, &watched, &pipeline, &settings.options).await?;
        let mut cursor = Cursor::new(Source::Changes(Box::new(stream)), variables);
        cursor.tail = Some(Tail { awaits: true });
        return Ok(cursor);
    }
    if let Some(source) = pipeline.source() {
        let documents = match source {
            AggregateSource::CurrentOperations(_)
            | AggregateSource::Sessions(_)
            | AggregateSource::LocalSessions(_) => aggregate.gateway.to_vec(),
            source => source::documents(context, source, resolved).await?,
        };
        // The first stage lets them through.
        let piped = Piped::new(None, documents, &pipeline, &variables, settings);
        return Ok(Cursor::new(Source::Piped(Box::new(piped)), variables));
    }
    let (leading, rest) = pipeline.split_leading();
    let query = match collection {
        None => None,
        Some(collection) => {
            let collation_document = settings.collator.to_document();
            let find = Find {
                filter: leading.filter.as_deref(),
                sort: leading.sort.as_deref(),
                skip: leading.skip,
                limit: leading.limit.unwrap_or(0),
                hint: aggregate.hint,
                collation: Some(&collation_document),
                allow_disk_use: aggregate.allow_disk_use,
                expected: Some(if rest.is_empty() { 102 } else { 10_000 }),
                ..Find::default()
            };
            Some(find.open(context, collection)?)
        }
    };
    let query = query.filter(|_| leading.limit != Some(0));
    if rest.is_empty() {
        return Ok(match query {
            Some(query) => Cursor::new(Source::Query(Box::new(query)), variables),
            None => Cursor::of_documents(Vec::new(), variables),
        });
    }
    let piped = Piped::new(query, Vec::new(), &rest, &variables, settings);
    Ok(Cursor::new(Source::Piped(Box::new(piped)), variables))
}

/// A `find` on a view: the same by stages. The cursor is to be begun: [`Cursor::begin`].
///
/// # Errors
///
/// Those of the stages; 168 and others for what stages cannot do.
pub async fn find_on_view(
    context: &mut Context<'_>,
    resolved: &Resolved,
    find: &Find<'_>,
) -> Result<Cursor, Error> {
    // What is wrong with the arguments is said as for a collection.
    find.check(context)?;
    if find.min.is_some() || find.max.is_some() || find.return_key || find.show_record_id {
        return Err(Error::new(
            Code::INVALID_PIPELINE_OPERATOR,
            "min, max, returnKey and showRecordId cannot be used on a view",
        ));
    }
    let mut stages = stages_of(find);
    if let Some(projection) = find.projection.filter(|projection| !projection.is_empty()) {
        stages.push(stage(cstr!("$project"), RawBsonRef::Document(projection)));
    }
    run_on_view(context, resolved, find, &stages).await
}

/// How many documents a `find` on a view gives; none, where the catalogue says something else by now.
///
/// # Errors
///
/// Those of the stages.
pub async fn count_on_view(
    context: &mut Context<'_>,
    resolved: &Resolved,
    find: &Find<'_>,
) -> Result<Option<u64>, Error> {
    find.check(context)?;
    let mut stages = stages_of(find);
    stages.push(stage(cstr!("$count"), RawBsonRef::String("n")));
    let mut cursor = run_on_view(context, resolved, find, &stages).await?;
    if !cursor.begin(context).await? {
        return Ok(None);
    }
    let batch = cursor.next_batch(context, None).await?.into_documents();
    let counted = match batch.get(0) {
        Ok(Some(RawBsonRef::Document(document))) => match document.get("n") {
            Ok(Some(RawBsonRef::Int32(n))) => i64::from(n),
            Ok(Some(RawBsonRef::Int64(n))) => n,
            _ => 0,
        },
        _ => 0,
    };
    Ok(Some(counted.unsigned_abs()))
}

async fn run_on_view(
    context: &mut Context<'_>,
    resolved: &Resolved,
    find: &Find<'_>,
    stages: &RawArray,
) -> Result<Cursor, Error> {
    let database = resolved.namespace.database().to_owned();
    let asked = Aggregate {
        pipeline: stages,
        hint: find.hint,
        collation: find.collation,
        allow_disk_use: find.allow_disk_use,
        bypass_validation: false,
        database: &database,
        has_collection: true,
        gateway: &[],
    };
    aggregate(context, Some(resolved), &asked).await
}

/// Filter, sort, skip and limit as stages.
fn stages_of(find: &Find<'_>) -> RawArrayBuf {
    let mut stages = RawArrayBuf::new();
    if let Some(filter) = find.filter.filter(|filter| !filter.is_empty()) {
        stages.push(stage(cstr!("$match"), RawBsonRef::Document(filter)));
    }
    if let Some(sort) = find.sort.filter(|sort| !sort.is_empty())
        && !matches!(sort.get("$natural"), Ok(Some(_)))
    {
        stages.push(stage(cstr!("$sort"), RawBsonRef::Document(sort)));
    }
    if find.skip > 0 {
        let skip = i64::try_from(find.skip).unwrap_or(i64::MAX);
        stages.push(stage(cstr!("$skip"), RawBsonRef::Int64(skip)));
    }
    if find.limit > 0 {
        let limit = i64::try_from(find.limit).unwrap_or(i64::MAX);
        stages.push(stage(cstr!("$limit"), RawBsonRef::Int64(limit)));
    }
    stages
}

fn stage(name: &::bson::raw::CStr, value: RawBsonRef<'_>) -> RawDocumentBuf {
    let mut stage = RawDocumentBuf::new();
    stage.append(name, value);
    stage
}
