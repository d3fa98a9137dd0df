//! `collMod`'s `index`: what changes of an index.

use ::bson::raw::cstr;
use ::bson::{RawBson, RawDocument, RawDocumentBuf};

use crate::bson::compare::compare_documents;
use crate::command::arguments::Values;
use crate::error::{Code, Error};
use crate::index::Index;
use crate::store::{Collection, IndexChange};

/// What changes of an index; the reply says what it was before.
///
/// # Errors
///
/// 72 for options that do not go together; 27, 181 for an index that is not there, or not one alone; 2 for that of
/// `_id`.
pub(super) fn index_change(
    values: &Values<'_>,
    collection: &Collection,
    reply: &mut RawDocumentBuf,
) -> Result<IndexChange, Error> {
    let name = values.string("name");
    let pattern = values.document("keyPattern");
    if name.is_some() && pattern.is_some() {
        return refuse("Cannot specify both key pattern and name.");
    }
    if name.is_none() && pattern.is_none() {
        return refuse("Must specify either index name or key pattern.");
    }
    let expires = values.integer("expireAfterSeconds");
    let hidden = values.optional_boolean("hidden");
    let changes = ["expireAfterSeconds", "hidden", "unique", "prepareUnique"];
    if !changes.iter().any(|name| values.has(name)) {
        return refuse("no expireAfterSeconds, hidden, unique, or prepareUnique field");
    }
    if expires.is_some() {
        if collection.options().get_bool("capped").unwrap_or(false) {
            return refuse("TTL indexes are not supported for capped collections.");
        }
        if expires.is_some_and(|seconds| seconds < 0) {
            return refuse("TTL index 'expireAfterSeconds' option cannot be less than 0");
        }
    }
    let index = find_index(collection, name, pattern)?;
    let mut change = IndexChange { name: index.name().to_owned(), ..IndexChange::default() };
    if let Some(seconds) = expires {
        let before = index.expire_after_seconds();
        if before.is_none() && index.is_id() {
            return refuse("the _id field does not support TTL indexes");
        }
        if before.is_none() && index.fields().len() != 1 {
            return refuse(
                "TTL indexes are single-field indexes, compound indexes do not support TTL",
            );
        }
        // As the field of the reply is: what is beyond a 32-bit number counts as the largest.
        let seconds = seconds.min(i64::from(i32::MAX));
        if let Some(before) = before {
            reply.append(cstr!("expireAfterSeconds_old"), RawBson::Int64(before));
        }
        reply.append(cstr!("expireAfterSeconds_new"), RawBson::Int64(seconds));
        change.expire_after_seconds = Some(seconds);
    }
    check_unique(values, index)?;
    if let Some(hidden) = hidden {
        if index.is_id() {
            return Err(Error::new(Code::BAD_VALUE, "can't hide _id index"));
        }
        if hidden != index.is_hidden() {
            reply.append(cstr!("hidden_old"), index.is_hidden());
            reply.append(cstr!("hidden_new"), hidden);
            change.hidden = Some(hidden);
        }
    }
    if values.boolean("prepareUnique") && !index.is_unique() && !index.is_id() {
        return Err(Error::new(
            Code::NOT_IMPLEMENTED,
            "an index cannot become unique in place: drop it, and make it again with unique: true",
        ));
    }
    Ok(change)
}

fn refuse<T>(message: &str) -> Result<T, Error> {
    Err(Error::new(Code::INVALID_OPTIONS, message))
}

fn check_unique(values: &Values<'_>, index: &Index) -> Result<(), Error> {
    match values.optional_boolean("unique") {
        None => Ok(()),
        Some(false) => Err(Error::new(Code::BAD_VALUE, "Cannot make index non-unique")),
        Some(true) if index.is_unique() || index.is_id() => Ok(()),
        Some(true) => refuse(
            "Cannot make index unique with 'prepareUnique=false'. Run collMod to set it first.",
        ),
    }
}

fn find_index<'c>(
    collection: &'c Collection,
    name: Option<&str>,
    pattern: Option<&RawDocument>,
) -> Result<&'c Index, Error> {
    let mut found = collection.indexes().iter().filter(|index| match (name, pattern) {
        (Some(name), _) => index.name() == name,
        (None, Some(pattern)) => compare_documents(index.key_pattern(), pattern).is_eq(),
        (None, None) => false,
    });
    let first = found.next().ok_or_else(|| {
        Error::new(
            Code::INDEX_NOT_FOUND,
            format!(
                "cannot find index {} for ns {}",
                name.unwrap_or("of this key pattern"),
                collection.namespace()
            ),
        )
    })?;
    if found.next().is_some() {
        return Err(Error::new(
            Code::AMBIGUOUS_INDEX_KEY_PATTERN,
            "several indexes have this key: give the name of one",
        ));
    }
    Ok(first)
}
