//! `create`: collections and views.

mod check_options;

use ::bson::raw::cstr;
use ::bson::spec::ElementType;
use ::bson::{RawArrayBuf, RawBsonRef, RawDocument, RawDocumentBuf};

use crate::error::{Code, Error};
use crate::operation::{Context as Work, validator::Validator};
use crate::store::{CollectionKind, NewCollection};

use super::arguments::read::missing;
use super::arguments::{Argument, Kind, Values};
use super::context::{Context, Definition, Privilege, Running};
use super::{view_definition, work};

const ARGUMENTS: &[Argument] = &[
    Argument::lenient_boolean("capped"),
    Argument::new("size", Kind::Integer { least: 1, most: 1 << 50, code: Code::location(51024) }),
    Argument::new(
        "max",
        Kind::Integer { least: i64::MIN, most: 2_147_483_647, code: Code::location(51024) },
    ),
    Argument::lenient_boolean("autoIndexId"),
    Argument::document("idIndex"),
    Argument::document("storageEngine"),
    Argument::document("validator"),
    Argument::new("validationLevel", Kind::Enumeration(&["off", "strict", "moderate"])),
    Argument::new("validationAction", Kind::Enumeration(&["error", "warn"])),
    Argument::document("indexOptionDefaults"),
    Argument::string("viewOn"),
    Argument::documents("pipeline"),
    Argument::document("collation"),
    Argument::document("timeseries"),
    Argument::one_of(
        "clusteredIndex",
        &[
            ElementType::Boolean,
            ElementType::Int64,
            ElementType::Int32,
            ElementType::Decimal128,
            ElementType::Double,
            ElementType::EmbeddedDocument,
        ],
    ),
    Argument::document("changeStreamPreAndPostImages"),
    Argument::integer("expireAfterSeconds"),
    Argument::document("encryptedFields"),
    Argument::lenient_boolean("temp").unstable(),
    Argument::integer("flags").unstable(),
    Argument::lenient_boolean("recordPreImages").unstable(),
];

/// `create`.
pub const CREATE: Definition = Definition::new("create", run)
    .typed_collection()
    .arguments(ARGUMENTS)
    .stable()
    .needs(Privilege::Administrate)
    .in_transaction()
    .write_concern()
    .help("make a collection or a view");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let arguments = context.arguments.clone();
    check_options::nested(&arguments)?;
    let namespace = work::writable_namespace(context)?;
    check_options::together(&arguments, ARGUMENTS)?;
    let kind = match arguments.has("viewOn") {
        true => CollectionKind::View,
        false => CollectionKind::Collection,
    };
    let mut work = work::work(context).await?;
    let options = options(&arguments, &work)?;
    if kind == CollectionKind::View {
        view_definition::check(&mut work, &namespace, &options).await?;
    }
    let new = NewCollection { kind, options };
    let (collection, is_new) = work.handle().create(&namespace, &new).await?;
    let is_same = collection.kind() == kind && same(collection.options(), &new.options);
    if !is_new && work.is_in_transaction() {
        return Err(Error::new(
            Code::NAMESPACE_EXISTS,
            format!("Collection {namespace} already exists."),
        ));
    }
    if !is_new && !is_same {
        return Err(Error::new(
            Code::NAMESPACE_EXISTS,
            format!("namespace {namespace} already exists, but with different options"),
        ));
    }
    Ok(RawDocumentBuf::new())
}

/// The options as `listCollections` shows them.
fn options(arguments: &Values<'_>, work: &Work<'_>) -> Result<RawDocumentBuf, Error> {
    let mut options = RawDocumentBuf::new();
    if arguments.boolean("capped") {
        options.append(cstr!("capped"), true);
        options.append(cstr!("size"), capped_size(arguments));
        if let Some(max) = arguments.integer("max").filter(|max| *max > 0) {
            options.append(cstr!("max"), crate::operation::write_result::number(max));
        }
    }
    let collation = arguments.document("collation");
    if collation.is_some_and(RawDocument::is_empty) {
        return Err(missing("create.collation", "locale"));
    }
    let collator = Work::collator(collation, None)?;
    if let Some(validator) = arguments.document("validator") {
        let mut checked = RawDocumentBuf::new();
        checked.append(cstr!("validator"), validator);
        Validator::from_options(&checked, &work.scope_with(&collator))?;
    }
    for name in [
        cstr!("validator"),
        cstr!("validationLevel"),
        cstr!("validationAction"),
        cstr!("storageEngine"),
        cstr!("indexOptionDefaults"),
        cstr!("timeseries"),
        cstr!("expireAfterSeconds"),
        cstr!("changeStreamPreAndPostImages"),
        cstr!("encryptedFields"),
        cstr!("viewOn"),
    ] {
        if let Some(value) = arguments.value(name.as_str()) {
            options.append(name, value);
        }
    }
    if let Some(clustered) = arguments.value("clusteredIndex") {
        options.append(cstr!("clusteredIndex"), clustered_index(clustered)?);
    }
    if arguments.has("viewOn") {
        match arguments.array("pipeline") {
            Some(pipeline) => options.append(cstr!("pipeline"), pipeline),
            None => options.append(cstr!("pipeline"), RawArrayBuf::new()),
        }
    }
    if !collator.is_simple() {
        options.append(cstr!("collation"), collator.to_document());
    }
    Ok(options)
}

/// The index of `_id` by which documents lie, with all its fields.
fn clustered_index(given: RawBsonRef<'_>) -> Result<RawDocumentBuf, Error> {
    let invalid = |message: &str| Error::new(Code::INVALID_INDEX_SPECIFICATION_OPTION, message);
    let mut index = ::bson::rawdoc! { "v": 2, "key": { "_id": 1 } };
    let mut name = "_id_";
    if let RawBsonRef::Document(given) = given {
        let keys = given.get_document("key").unwrap_or(crate::operation::find::empty_document());
        if crate::bson::compare::compare_documents(keys, &::bson::rawdoc! { "_id": 1 }).is_ne() {
            return Err(invalid(
                "The clusteredIndex option is not supported for keys other than {_id: 1}",
            ));
        }
        name = given.get_str("name").unwrap_or(name);
    }
    index.append(cstr!("name"), name);
    index.append(cstr!("unique"), true);
    Ok(index)
}

fn capped_size(arguments: &Values<'_>) -> ::bson::RawBson {
    let size = arguments.integer("size").unwrap_or(4096);
    crate::operation::write_result::number(size)
}

/// Whether two sets of options are the same, in any order.
fn same(left: &RawDocument, right: &RawDocument) -> bool {
    left.iter_elements().count() == right.iter_elements().count()
        && left.iter().map_while(Result::ok).all(|(name, value)| {
            right.get(name).ok().flatten().is_some_and(|other: RawBsonRef<'_>| {
                crate::bson::compare::compare(value, other).is_eq()
            })
        })
}
