//! The size of collections and databases, as `collStats`, `$collStats`, `dbStats` and `validate` tell it.

use ::bson::raw::cstr;
use ::bson::{DateTime, RawArrayBuf, RawBsonRef, RawDocument, RawDocumentBuf, rawdoc};

use crate::error::Error;
use crate::store::{Collection, CollectionKind, Statistics};

use super::context::Context;
use super::write_result::number;

/// What an index or a document takes beside its bytes, about.
const OVERHEAD: u64 = 48;

/// The numbers of a collection.
///
/// # Errors
///
/// Those of the store.
pub async fn of_collection(
    context: &mut Context<'_>,
    collection: &Collection,
    scale: i64,
) -> Result<RawDocumentBuf, Error> {
    let statistics = context.handle().statistics(collection).await?;
    let mut document = RawDocumentBuf::new();
    append(&mut document, collection, statistics, scale);
    Ok(document)
}

fn append(
    document: &mut RawDocumentBuf,
    collection: &Collection,
    statistics: Statistics,
    scale: i64,
) {
    let scaled = |bytes: u64| number(signed(bytes) / scale.max(1));
    let Statistics { documents, bytes } = statistics;
    let stored = bytes + documents * OVERHEAD;
    let index_bytes = documents * OVERHEAD;
    let mut sizes = RawDocumentBuf::new();
    let mut total = 0;
    for index in collection.indexes() {
        total += index_bytes;
        if let Ok(name) = ::bson::raw::CString::try_from(index.name()) {
            sizes.append(&name, scaled(index_bytes));
        }
    }
    document.append(cstr!("size"), scaled(bytes));
    document.append(cstr!("count"), number(signed(documents)));
    if let Some(average) = bytes.checked_div(documents) {
        document.append(cstr!("avgObjSize"), number(signed(average)));
    }
    document.append(cstr!("numOrphanDocs"), 0);
    document.append(cstr!("storageSize"), scaled(stored));
    document.append(cstr!("freeStorageSize"), 0);
    let capped = matches!(collection.options().get("capped"), Ok(Some(RawBsonRef::Boolean(true))));
    document.append(cstr!("capped"), capped);
    if capped {
        for (name, shown) in [(cstr!("max"), cstr!("max")), (cstr!("size"), cstr!("maxSize"))] {
            if let Ok(Some(value)) = collection.options().get(name) {
                document.append(shown, value);
            }
        }
    }
    document.append(cstr!("nindexes"), signed_i32(collection.indexes().len()));
    document.append(cstr!("indexBuilds"), RawArrayBuf::new());
    document.append(cstr!("totalIndexSize"), scaled(total));
    document.append(cstr!("indexSizes"), sizes);
    document.append(cstr!("totalSize"), scaled(stored + total));
    document.append(cstr!("scaleFactor"), number(scale));
}

/// The document of `$collStats`.
///
/// # Errors
///
/// Those of the store.
pub async fn for_stage(
    context: &mut Context<'_>,
    collection: &Collection,
    asked: &RawDocument,
) -> Result<RawDocumentBuf, Error> {
    let mut document = RawDocumentBuf::new();
    document.append(cstr!("ns"), collection.namespace().to_string());
    document.append(cstr!("host"), "kecoa");
    document.append(cstr!("localTime"), DateTime::now());
    if asked.get("latencyStats").ok().flatten().is_some() {
        let none = || rawdoc! { "latency": 0_i64, "ops": 0_i64 };
        document.append(
            cstr!("latencyStats"),
            rawdoc! { "reads": none(), "writes": none(), "commands": none(), "transactions": none() },
        );
    }
    if let Ok(Some(RawBsonRef::Document(storage))) = asked.get("storageStats") {
        let scale = match storage.get("scale") {
            Ok(Some(RawBsonRef::Int32(scale))) => i64::from(scale),
            Ok(Some(RawBsonRef::Int64(scale))) => scale,
            _ => 1,
        };
        document.append(cstr!("storageStats"), of_collection(context, collection, scale).await?);
    }
    if asked.get("count").ok().flatten().is_some() {
        let statistics = context.handle().statistics(collection).await?;
        document.append(cstr!("count"), number(signed(statistics.documents)));
    }
    if asked.get("queryExecStats").ok().flatten().is_some() {
        document.append(
            cstr!("queryExecStats"),
            rawdoc! { "collectionScans": { "total": 0_i64, "nonTailable": 0_i64 } },
        );
    }
    Ok(document)
}

/// The numbers of a database.
///
/// # Errors
///
/// Those of the store.
pub async fn of_database(
    context: &mut Context<'_>,
    database: &str,
    scale: i64,
) -> Result<RawDocumentBuf, Error> {
    let (mut collections, mut views, mut indexes) = (0_i64, 0_i64, 0_i64);
    let (mut documents, mut bytes, mut index_bytes) = (0, 0, 0);
    for collection in context.handle().collections(database).await? {
        if collection.kind() == CollectionKind::View {
            views += 1;
            continue;
        }
        collections += 1;
        let statistics = context.handle().statistics(&collection).await?;
        documents += statistics.documents;
        bytes += statistics.bytes;
        let count = u64::try_from(collection.indexes().len()).unwrap_or_default();
        indexes += signed(count);
        index_bytes += count * statistics.documents * OVERHEAD;
    }
    let stored = bytes + documents * OVERHEAD;
    let scaled = |bytes: u64| number(signed(bytes) / scale.max(1));
    let mut document = RawDocumentBuf::new();
    document.append(cstr!("db"), database);
    document.append(cstr!("collections"), number(collections));
    document.append(cstr!("views"), number(views));
    document.append(cstr!("objects"), number(signed(documents)));
    document.append(cstr!("avgObjSize"), average(bytes, documents));
    document.append(cstr!("dataSize"), scaled(bytes));
    document.append(cstr!("storageSize"), scaled(stored));
    document.append(cstr!("indexes"), number(indexes));
    document.append(cstr!("indexSize"), scaled(index_bytes));
    document.append(cstr!("totalSize"), scaled(stored + index_bytes));
    document.append(cstr!("scaleFactor"), number(scale));
    document.append(cstr!("fsUsedSize"), 0.0);
    document.append(cstr!("fsTotalSize"), 0.0);
    Ok(document)
}

#[expect(clippy::cast_precision_loss, reason = "an average need not be exact")]
fn average(bytes: u64, documents: u64) -> f64 {
    if documents == 0 { 0.0 } else { bytes as f64 / documents as f64 }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn signed_i32(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
