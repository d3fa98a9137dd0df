//! What the catalogue's rows hold.

use std::sync::Arc;

use ::bson::raw::cstr;
use ::bson::{RawArrayBuf, RawBsonRef, RawDocument, RawDocumentBuf};
use kecoa::Row;
use uuid::Uuid;

use super::collection::{Collection, CollectionKind, Content, Namespace};
use super::failure::{read, unexpected};
use crate::collation::Collator;
use crate::error::Error;
use crate::index::Index;

/// The columns that [`collection`] reads.
pub(super) const COLUMNS: &str = "coll, db, name, kind, options, indexes, version, uuid, watched";

/// What a row says of a collection.
pub(super) fn collection(row: &Row) -> Result<Collection, Error> {
    let kind = match read::<i32>(row, 3)? {
        0 => CollectionKind::Collection,
        1 => CollectionKind::View,
        other => return Err(unexpected(&format!("a collection of kind {other}"))),
    };
    let options = document(read(row, 4)?)?;
    let collator = collator(&options)?;
    let stored = document(read(row, 5)?)?;
    let (maintained, next_index) = indexes(&stored, &collator)?;
    Ok(Collection::new(Content {
        id: read(row, 0)?,
        namespace: Namespace::known(read(row, 1)?, read(row, 2)?),
        kind,
        options,
        indexes: ready(&maintained),
        maintained,
        next_index,
        natural: stored.get_bool("natural").unwrap_or_default(),
        collator,
        uuid: Uuid::from_bytes(*read::<kecoa::types::Uuid>(row, 7)?.as_bytes()),
        version: read(row, 6)?,
        watched: read(row, 8)?,
    }))
}

/// Those that queries may use.
pub(super) fn ready(maintained: &[Arc<Index>]) -> Vec<Arc<Index>> {
    maintained.iter().filter(|index| !index.is_building()).cloned().collect()
}

/// What streams are told of a new collection, and of one that changed.
pub(super) fn described(content: &Content) -> RawDocumentBuf {
    let mut described = content.options.clone();
    if let Some(index) = content.maintained.first()
        && content.kind == CollectionKind::Collection
    {
        described.append(cstr!("idIndex"), index.to_document());
    }
    described
}

/// The number of a kind.
pub(super) fn kind(kind: CollectionKind) -> i32 {
    match kind {
        CollectionKind::Collection => 0,
        CollectionKind::View => 1,
    }
}

/// How strings compare in a collection of these options.
pub(super) fn collator(options: &RawDocument) -> Result<Collator, Error> {
    match options.get("collation") {
        Ok(Some(RawBsonRef::Document(collation))) => Collator::parse(collation),
        _ => Ok(Collator::default()),
    }
}

fn indexes(stored: &RawDocument, collator: &Collator) -> Result<(Vec<Arc<Index>>, i32), Error> {
    let next = stored.get_i32("next").map_err(|error| unexpected(&error.to_string()))?;
    let list = stored.get_array("indexes").map_err(|error| unexpected(&error.to_string()))?;
    let mut indexes = Vec::new();
    for stored in list {
        let stored = match stored {
            Ok(RawBsonRef::Document(stored)) => stored,
            _ => return Err(unexpected("an index that is no document")),
        };
        let field = |error: ::bson::error::Error| unexpected(&error.to_string());
        let number = stored.get_i32("n").map_err(field)?;
        let specification = stored.get_document("spec").map_err(field)?;
        let index = Index::parse(specification, collator)?
            .with_number(number)
            .with_multikey(stored.get_bool("multikey").unwrap_or_default())
            .with_building(stored.get_bool("building").unwrap_or_default());
        indexes.push(Arc::new(index));
    }
    Ok((indexes, next))
}

/// Indexes as a row holds them.
pub(super) fn store_indexes(content: &Content) -> RawDocumentBuf {
    let mut list = RawArrayBuf::new();
    for index in &content.maintained {
        let mut stored = RawDocumentBuf::new();
        stored.append(cstr!("n"), index.number());
        stored.append(cstr!("spec"), index.to_document());
        if index.is_multikey() {
            stored.append(cstr!("multikey"), true);
        }
        if index.is_building() {
            stored.append(cstr!("building"), true);
        }
        list.push(stored);
    }
    let mut document = RawDocumentBuf::new();
    document.append(cstr!("next"), content.next_index);
    document.append(cstr!("indexes"), list);
    if content.natural {
        document.append(cstr!("natural"), true);
    }
    document
}

fn document(bytes: Vec<u8>) -> Result<RawDocumentBuf, Error> {
    RawDocumentBuf::from_bytes(bytes).map_err(|error| unexpected(&error.to_string()))
}
