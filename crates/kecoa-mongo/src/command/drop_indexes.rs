//! `dropIndexes`.

use ::bson::raw::cstr;
use ::bson::spec::ElementType;
use ::bson::{RawBsonRef, RawDocument, RawDocumentBuf};

use crate::error::{Code, Error};
use crate::operation::write_result::position;
use crate::store::{Checked, Collection};

use super::arguments::{Argument, Kind};
use super::context::{Context, Definition, Privilege, Running};
use super::list_indexes::existing;
use super::work;

const ARGUMENTS: &[Argument] = &[
    Argument::one_of(
        "index",
        &[ElementType::String, ElementType::Array, ElementType::EmbeddedDocument],
    )
    .required(),
    Argument::new("collectionUUID", Kind::Uuid).unstable(),
];

/// `dropIndexes`.
pub const DROP_INDEXES: Definition = Definition::new("dropIndexes", run)
    .aliases(&["deleteIndexes"])
    .typed_collection()
    .arguments(ARGUMENTS)
    .stable()
    .needs(Privilege::Administrate)
    .write_concern()
    .help("drop indexes");

/// How often the catalogue is read again.
const MAX_TRIES: usize = 20;

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let arguments = context.arguments.clone();
    let namespace = work::namespace(context)?;
    let wanted = arguments.value("index").unwrap_or(RawBsonRef::Null);
    let mut work = work::work(context).await?;
    let mut reply = RawDocumentBuf::new();
    for _ in 0..MAX_TRIES {
        let collection = existing(&mut work, &namespace).await?;
        let names = names(&collection, wanted)?;
        let dropped = work.handle().drop_indexes(&collection, &names).await?;
        if let Checked::Current(dropped) = dropped {
            reply.append(cstr!("nIndexesWas"), position(dropped.before));
            if wanted == RawBsonRef::String("*") {
                reply.append(cstr!("msg"), "non-_id indexes dropped for collection");
            }
            return Ok(reply);
        }
    }
    Err(Error::new(Code::WRITE_CONFLICT, "the collection was changed again and again"))
}

fn names(collection: &Collection, wanted: RawBsonRef<'_>) -> Result<Vec<String>, Error> {
    match wanted {
        RawBsonRef::String("*") => Ok(collection
            .indexes()
            .iter()
            .filter(|index| !index.is_id())
            .map(|index| index.name().to_owned())
            .collect()),
        RawBsonRef::String(name) => Ok(vec![named(collection, name)?]),
        RawBsonRef::Document(key) => Ok(vec![by_key(collection, key)?]),
        RawBsonRef::Array(list) => list
            .into_iter()
            .map_while(Result::ok)
            .map(|name| match name {
                RawBsonRef::String(name) => named(collection, name),
                other => Err(Error::new(
                    Code::TYPE_MISMATCH,
                    format!(
                        "dropIndexes expected an array of names, found {}",
                        crate::bson::type_class::type_name(other)
                    ),
                )),
            })
            .collect(),
        _ => Ok(Vec::new()),
    }
}

fn named(collection: &Collection, name: &str) -> Result<String, Error> {
    if name == "_id_" {
        return Err(Error::new(Code::INVALID_OPTIONS, "cannot drop _id index"));
    }
    if collection.indexes().iter().any(|index| index.name() == name) {
        return Ok(name.to_owned());
    }
    Err(Error::new(Code::INDEX_NOT_FOUND, format!("index not found with name [{name}]")))
}

fn by_key(collection: &Collection, key: &RawDocument) -> Result<String, Error> {
    let mut found = collection
        .indexes()
        .iter()
        .filter(|index| crate::bson::compare::compare_documents(index.key_pattern(), key).is_eq());
    let Some(index) = found.next() else {
        return Err(Error::new(
            Code::INDEX_NOT_FOUND,
            format!("can't find index with key: {key:?}"),
        ));
    };
    if index.is_id() {
        return Err(Error::new(Code::INVALID_OPTIONS, "cannot drop _id index"));
    }
    if found.next().is_some() {
        return Err(Error::new(
            Code::AMBIGUOUS_INDEX_KEY_PATTERN,
            "several indexes have this key: give the name of one",
        ));
    }
    Ok(index.name().to_owned())
}
