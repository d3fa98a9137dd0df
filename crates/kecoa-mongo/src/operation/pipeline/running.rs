//! Runs pipelines, and answers what their stages ask for: documents of other collections and of views, filtered and
//! through pipelines of their own; documents to be written.

use std::pin::Pin;

use ::bson::raw::{RawArrayBuf, cstr};
use ::bson::{RawDocument, RawDocumentBuf};

use super::piped::{Advance, Piped};
use super::settings::Settings;
use super::{source, writes};
use crate::aggregate::{Pipeline, Read};
use crate::error::{Code, Error};
use crate::operation::attempts::write_conflict;
use crate::operation::context::Context;
use crate::operation::find::{Find, empty_document};
use crate::operation::views::{self, Resolved, View};
use crate::query::Filter;
use crate::store::Namespace;

/// The documents that one answer may hold.
const MAX_BYTES: usize = 1024 * 1024 * 1024;

/// The next document of a pipeline's result.
///
/// # Errors
///
/// Those of the store and of the stages.
pub async fn next(
    piped: &mut Piped,
    context: &mut Context<'_>,
) -> Result<Option<RawDocumentBuf>, Error> {
    loop {
        let answer = match piped.advance(context).await? {
            Advance::Document(document) => return Ok(Some(document)),
            Advance::Done => return Ok(None),
            Advance::Read(read) => documents(context, &read, piped.settings()).await?,
            Advance::Write(write) => {
                // In a place of its own: what reads need makes no room for what writes.
                Box::pin(writes::write(context, *write, piped.settings())).await?;
                Vec::new()
            }
        };
        piped.answer(answer)?;
    }
}

/// The documents that a stage asks for. The filter and the pipeline see the variables of the request.
fn documents<'f>(
    context: &'f mut Context<'_>,
    read: &'f Read,
    settings: &'f Settings,
) -> Pin<Box<dyn Future<Output = Result<Vec<RawDocumentBuf>, Error>> + Send + 'f>> {
    Box::pin(async move {
        let scope = read.variables.add_names(context.scope.clone());
        let outer_scope = std::mem::replace(&mut context.scope, scope);
        let outer_variables = std::mem::replace(&mut context.variables, read.variables.clone());
        let documents = read_in_scope(context, read, settings).await;
        context.scope = outer_scope;
        context.variables = outer_variables;
        documents
    })
}

async fn read_in_scope(
    context: &mut Context<'_>,
    read: &Read,
    settings: &Settings,
) -> Result<Vec<RawDocumentBuf>, Error> {
    let mut tries = context.tries();
    loop {
        if let Some(documents) = try_read(context, read, settings).await? {
            return Ok(documents);
        }
        tries.next(write_conflict()).await?;
    }
}

/// None, where the catalogue says something else by now.
async fn try_read(
    context: &mut Context<'_>,
    read: &Read,
    settings: &Settings,
) -> Result<Option<Vec<RawDocumentBuf>>, Error> {
    let resolved = match &read.namespace {
        Some(namespace) => {
            let namespace = Namespace::new(&namespace.database, &namespace.collection)?;
            Some(views::resolve(context, &namespace).await?)
        }
        None => None,
    };
    if let Some(source) = read.pipeline.source() {
        // The first stage lets them through.
        let given = source::documents(context, source, resolved.as_ref()).await?;
        let given = matching(context, given, read.filter.as_deref(), settings)?;
        return run(context, given, &read.pipeline, settings).await.map(Some);
    }
    match resolved {
        Some(Resolved { view: Some(view), collection, namespace }) => {
            views::check_collation(&view, Some(&settings.collator.to_document()))?;
            let below = Resolved { view: None, collection, namespace };
            // Views that two gateways made at the same time may lead back to each other.
            if context.views >= views::MAX_DEPTH {
                return Err(views::too_deep());
            }
            context.views += 1;
            let given = of_view(context, &view, &below, settings).await;
            context.views -= 1;
            let Some(given) = given? else { return Ok(None) };
            let given = matching(context, given, read.filter.as_deref(), settings)?;
            run(context, given, &read.pipeline, settings).await.map(Some)
        }
        Some(resolved) => {
            let filter = read.filter.as_deref();
            of_collection(context, filter, &read.pipeline, &resolved, settings).await
        }
        None => Ok(Some(Vec::new())),
    }
}

/// The documents of a view.
async fn of_view(
    context: &mut Context<'_>,
    view: &View,
    below: &Resolved,
    settings: &Settings,
) -> Result<Option<Vec<RawDocumentBuf>>, Error> {
    let scope = context.scope_with(&settings.collator);
    let mut settings = settings.clone();
    settings.options.database = below.namespace.database().into();
    let pipeline = Pipeline::parse(&view.stages, &scope, &settings.options)?;
    if let Some(source) = pipeline.source() {
        let given = source::documents(context, source, Some(below)).await?;
        return run(context, given, &pipeline, &settings).await.map(Some);
    }
    of_collection(context, None, &pipeline, below, &settings).await
}

/// The documents of a collection.
async fn of_collection(
    context: &mut Context<'_>,
    filter: Option<&RawDocument>,
    pipeline: &Pipeline,
    resolved: &Resolved,
    settings: &Settings,
) -> Result<Option<Vec<RawDocumentBuf>>, Error> {
    let (leading, rest) = pipeline.split_leading();
    let filter = both(filter, leading.filter.as_deref());
    let collation = settings.collator.to_document();
    let query = match &resolved.collection {
        Some(collection) if leading.limit != Some(0) => {
            let find = Find {
                filter: filter.as_deref(),
                sort: leading.sort.as_deref(),
                skip: leading.skip,
                limit: leading.limit.unwrap_or(0),
                collation: Some(&collation),
                allow_disk_use: settings.options.allow_disk_use,
                ..Find::default()
            };
            Some(find.open(context, collection)?)
        }
        _ => None,
    };
    let variables = context.variables.clone();
    let mut piped = Piped::new(query, Vec::new(), &rest, &variables, settings.clone());
    if !piped.begin(context).await? {
        return Ok(None);
    }
    all(context, piped).await.map(Some)
}

/// All that a pipeline makes of documents.
async fn run(
    context: &mut Context<'_>,
    given: Vec<RawDocumentBuf>,
    pipeline: &Pipeline,
    settings: &Settings,
) -> Result<Vec<RawDocumentBuf>, Error> {
    let variables = context.variables.clone();
    all(context, Piped::new(None, given, pipeline, &variables, settings.clone())).await
}

/// All that a pipeline makes of its input.
async fn all(context: &mut Context<'_>, mut piped: Piped) -> Result<Vec<RawDocumentBuf>, Error> {
    let (mut documents, mut bytes) = (Vec::new(), 0_usize);
    while let Some(document) = next(&mut piped, context).await? {
        bytes = bytes.saturating_add(document.as_bytes().len());
        if bytes > MAX_BYTES {
            return Err(Error::new(
                Code::QUERY_EXCEEDED_MEMORY_LIMIT_NO_DISK_USE_ALLOWED,
                format!("a stage reads more than {MAX_BYTES} bytes of another collection"),
            ));
        }
        documents.push(document);
    }
    Ok(documents)
}

/// Those of the documents that a filter wants.
fn matching(
    context: &Context<'_>,
    documents: Vec<RawDocumentBuf>,
    filter: Option<&RawDocument>,
    settings: &Settings,
) -> Result<Vec<RawDocumentBuf>, Error> {
    let Some(filter) = filter else { return Ok(documents) };
    let filter = Filter::parse(filter, &context.scope_with(&settings.collator))?;
    let mut wanted = Vec::new();
    for document in documents {
        if filter.matches(&document, &context.variables)? {
            wanted.push(document);
        }
    }
    Ok(wanted)
}

/// A filter for what both want.
fn both(one: Option<&RawDocument>, other: Option<&RawDocument>) -> Option<RawDocumentBuf> {
    match (one, other) {
        (Some(one), Some(other)) => {
            let mut joined = RawArrayBuf::new();
            joined.push(one);
            joined.push(other);
            let mut filter = RawDocumentBuf::new();
            filter.append(cstr!("$and"), joined);
            Some(filter)
        }
        (only, None) | (None, only) => Some(only.unwrap_or(empty_document()).to_owned()),
    }
}
