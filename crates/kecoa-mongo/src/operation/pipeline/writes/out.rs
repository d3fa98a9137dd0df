//! `$out`: documents take the place of a collection.

use ::bson::RawDocumentBuf;

use crate::error::{Code, Error};
use crate::operation::attempts::write_conflict;
use crate::operation::context::Context;
use crate::operation::insert::{self, insert};
use crate::operation::pipeline::settings::Settings;
use crate::store::{Checked, Collection, CollectionKind, Namespace, NewCollection};

/// Put documents in the place of a collection, which keeps its options and indexes. They are gathered under another
/// name; nobody sees a part of them under the collection's.
pub(super) async fn replace(
    context: &mut Context<'_>,
    target: &Namespace,
    documents: &[RawDocumentBuf],
    settings: &Settings,
) -> Result<(), Error> {
    let before = current(context, target).await?;
    if before.as_ref().is_some_and(is_capped) {
        return Err(Error::location(
            17152,
            format!("namespace '{target}' is capped so it can't be used for $out"),
        ));
    }
    let name = format!("tmp.agg_out.{}", uuid::Uuid::new_v4());
    let gathered = Namespace::new(target.database(), &name)?;
    let done = match gather(context, &gathered, before.as_ref(), documents, settings).await {
        Ok(()) => rename(context, &gathered, target).await,
        Err(error) => Err(error),
    };
    if done.is_err()
        && let Some(collection) = context.collection(&gathered).await?
    {
        context.handle().drop_collection(&collection).await?;
    }
    done
}

/// The collection as the catalogue has it now: its options and indexes are the new one's.
async fn current(
    context: &mut Context<'_>,
    target: &Namespace,
) -> Result<Option<Collection>, Error> {
    let mut tries = context.tries();
    loop {
        let Some(known) = context.writable(target).await? else { return Ok(None) };
        if context.handle().is_current(&known).await? {
            return Ok(Some(known));
        }
        tries.next(write_conflict()).await?;
    }
}

async fn gather(
    context: &mut Context<'_>,
    gathered: &Namespace,
    before: Option<&Collection>,
    documents: &[RawDocumentBuf],
    settings: &Settings,
) -> Result<(), Error> {
    let new = NewCollection {
        kind: CollectionKind::Collection,
        options: before.map(|before| before.options().to_owned()).unwrap_or_default(),
    };
    context.handle().create(gathered, &new).await?;
    let indexes: Vec<_> = before
        .iter()
        .flat_map(|before| before.indexes())
        .filter(|index| !index.is_id())
        .map(|index| (**index).clone().with_multikey(false))
        .collect();
    if !indexes.is_empty() {
        context.handle().create_indexes(gathered, indexes).await?;
    }
    let options = insert::Options {
        ordered: true,
        bypass_validation: settings.bypass_validation,
        first_statement: 0,
        are_storable: false,
    };
    let documents = documents.iter().map(|document| &**document);
    let result = insert(context, gathered, documents, options).await?;
    match result.errors.into_iter().next() {
        Some(failed) => Err(failed.error),
        None => Ok(()),
    }
}

async fn rename(
    context: &mut Context<'_>,
    gathered: &Namespace,
    target: &Namespace,
) -> Result<(), Error> {
    let mut tries = context.tries();
    loop {
        let Some(collection) = context.collection(gathered).await? else {
            return Err(Error::new(
                Code::NAMESPACE_NOT_FOUND,
                format!("the documents of $out were dropped: {gathered}"),
            ));
        };
        if let Checked::Current(()) = context.handle().rename(&collection, target, true).await? {
            return Ok(());
        }
        tries.next(write_conflict()).await?;
    }
}

fn is_capped(collection: &Collection) -> bool {
    collection.options().get_bool("capped").unwrap_or(false)
}
