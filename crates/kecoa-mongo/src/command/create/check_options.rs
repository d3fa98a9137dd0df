//! Options of `create`: what each may hold, and which do not go together.

use ::bson::{RawBsonRef, RawDocument};

use crate::bson::compare::compare_documents;
use crate::collation::Collator;
use crate::command::arguments::{Argument, Kind, Values, read_nested};
use crate::error::{Code, Error};
use crate::index::Index;

/// The fields of `timeseries`.
const TIMESERIES: &[Argument] = &[
    Argument::string("timeField").required(),
    Argument::string("metaField"),
    Argument::new("granularity", Kind::Enumeration(&["seconds", "minutes", "hours"])),
    Argument::bounded("bucketMaxSpanSeconds", 1, 31_536_000),
    Argument::bounded("bucketRoundingSeconds", 1, 31_536_000),
];

/// The fields of `clusteredIndex`.
const CLUSTERED_INDEX: &[Argument] = &[
    Argument::integer("v"),
    Argument::document("key").required(),
    Argument::string("name"),
    Argument::boolean("unique").required(),
];

/// The fields of `changeStreamPreAndPostImages`.
const IMAGES: &[Argument] = &[Argument::lenient_boolean("enabled").required()];

/// The fields of `indexOptionDefaults`.
const INDEX_DEFAULTS: &[Argument] = &[Argument::document("storageEngine")];

/// The options that a view cannot have.
const OF_COLLECTIONS: &[&str] = &[
    "capped",
    "size",
    "max",
    "autoIndexId",
    "storageEngine",
    "validator",
    "validationLevel",
    "validationAction",
    "indexOptionDefaults",
    "timeseries",
    "clusteredIndex",
    "expireAfterSeconds",
    "changeStreamPreAndPostImages",
];

/// The options that go with `timeseries`.
const WITH_TIMESERIES: &[&str] =
    &["timeseries", "collation", "storageEngine", "indexOptionDefaults", "expireAfterSeconds"];

/// Check what is within options.
///
/// # Errors
///
/// 14, 40414, 40415 and what else their fields answer.
pub(super) fn nested(arguments: &Values<'_>) -> Result<(), Error> {
    for (name, table) in [
        ("timeseries", TIMESERIES),
        ("clusteredIndex", CLUSTERED_INDEX),
        ("changeStreamPreAndPostImages", IMAGES),
        ("indexOptionDefaults", INDEX_DEFAULTS),
    ] {
        if let Some(document) = arguments.document(name) {
            read_nested(&format!("create.{name}"), document, table)?;
        }
    }
    if arguments.string("viewOn") == Some("") {
        return Err(Error::new(Code::BAD_VALUE, "'viewOn' cannot be empty"));
    }
    let defaults = arguments
        .document("indexOptionDefaults")
        .and_then(|defaults| defaults.get_document("storageEngine").ok());
    for engines in [arguments.document("storageEngine"), defaults].into_iter().flatten() {
        for (name, value) in engines.iter().map_while(Result::ok) {
            if !matches!(value, RawBsonRef::Document(_)) {
                return Err(Error::new(
                    Code::BAD_VALUE,
                    format!("storageEngine.{name} has to be an embedded document"),
                ));
            }
            if name.as_str() != "wiredTiger" {
                return Err(Error::new(
                    Code::INVALID_OPTIONS,
                    format!("{name} is not a registered storage engine for this server"),
                ));
            }
        }
    }
    Ok(())
}

/// Check that options go together.
///
/// # Errors
///
/// 72 and others.
pub(super) fn together(arguments: &Values<'_>, all: &[Argument]) -> Result<(), Error> {
    match arguments.value("clusteredIndex") {
        None => capped(arguments)?,
        Some(_) => clustered(arguments)?,
    }
    if arguments.has("temp") {
        return refuse("the 'temp' field is an invalid option");
    }
    let is_view = arguments.has("viewOn");
    if arguments.has("pipeline") && !is_view {
        return refuse("'pipeline' requires 'viewOn' to also be specified");
    }
    if let Some(timeseries) = arguments.document("timeseries") {
        with_timeseries(arguments, timeseries, all)?;
    }
    if let Some(seconds) = arguments.integer("expireAfterSeconds") {
        if !arguments.has("timeseries") && !arguments.has("clusteredIndex") {
            return refuse(
                "'expireAfterSeconds' is only supported on time-series collections or when the 'clusteredIndex' option \
                 is specified",
            );
        }
        if seconds < 0 {
            return refuse("'expireAfterSeconds' cannot be less than 0");
        }
    }
    if let Some(index) = arguments.document("idIndex") {
        id_index(arguments, index)?;
    }
    if arguments.optional_boolean("autoIndexId") == Some(false) {
        return refuse("{autoIndexId: false} is not supported");
    }
    if is_view
        && let Some(name) = OF_COLLECTIONS.iter().find(|name| arguments.has(name))
        && (*name != "capped" || arguments.boolean("capped"))
    {
        return refuse(&format!("option not supported on a view: {name}"));
    }
    let images = arguments.document("changeStreamPreAndPostImages");
    if arguments.boolean("recordPreImages")
        && images.is_some_and(|images| images.get_bool("enabled").unwrap_or(false))
    {
        return refuse(
            "'recordPreImages' and 'changeStreamPreAndPostImages.enabled' can not be set to true simultaneously",
        );
    }
    Ok(())
}

fn refuse<T>(message: &str) -> Result<T, Error> {
    Err(Error::new(Code::INVALID_OPTIONS, message))
}

fn capped(arguments: &Values<'_>) -> Result<(), Error> {
    let capped = arguments.boolean("capped");
    if capped && !arguments.has("size") {
        return refuse("the 'size' field is required when 'capped' is true");
    }
    if !capped && (arguments.has("size") || arguments.has("max")) {
        return refuse(
            "the 'capped' field needs to be true when either the 'size' or 'max' fields are present",
        );
    }
    Ok(())
}

fn clustered(arguments: &Values<'_>) -> Result<(), Error> {
    let refuse = |code, message: &str| Err(Error::location(code, message));
    if arguments.boolean("capped") {
        return refuse(6_127_800, "a clustered collection cannot be capped");
    }
    if arguments.has("size") {
        return refuse(6_049_200, "'size' is not allowed on clustered collections");
    }
    if arguments.has("max") {
        return refuse(6_049_204, "'max' is not allowed on clustered collections");
    }
    if let Some(given) = arguments.document("clusteredIndex")
        && !given.get_bool("unique").unwrap_or(false)
    {
        return refuse(
            5_979_700,
            "The clusteredIndex option requires unique: true to be specified",
        );
    }
    Ok(())
}

fn with_timeseries(
    arguments: &Values<'_>,
    timeseries: &RawDocument,
    all: &[Argument],
) -> Result<(), Error> {
    let is_refused = |name: &str| match name {
        "capped" => arguments.boolean("capped"),
        name => arguments.has(name) && !WITH_TIMESERIES.contains(&name),
    };
    if let Some(row) = all.iter().find(|row| is_refused(row.name)) {
        return refuse(&format!("'timeseries' is not allowed with '{}'", row.name));
    }
    let time = timeseries.get_str("timeField").unwrap_or_default();
    if time.contains('.') {
        return refuse("'timeField' must be a top-level field and not contain a '.'");
    }
    let Ok(meta) = timeseries.get_str("metaField") else { return Ok(()) };
    if meta == "_id" {
        return refuse("'metaField' cannot be \"_id\"");
    }
    if meta == time {
        return refuse("'metaField' cannot be the same as 'timeField'");
    }
    if meta.contains('.') {
        return refuse("'metaField' must be a top-level field and not contain a '.'");
    }
    Ok(())
}

/// A specification of `_id`'s index, which is made anyhow.
fn id_index(arguments: &Values<'_>, index: &RawDocument) -> Result<(), Error> {
    if index.is_empty() {
        return Err(Error::new(Code::FAILED_TO_PARSE, "idIndex cannot be empty"));
    }
    for name in ["viewOn", "autoIndexId"] {
        if arguments.has(name) {
            return refuse(&format!("'idIndex' is not allowed with '{name}'"));
        }
    }
    let collator = match arguments.document("collation") {
        Some(collation) => Collator::parse(collation)?,
        None => Collator::default(),
    };
    let key = Index::parse(index, &collator)?.key_pattern().to_owned();
    if compare_documents(&key, &::bson::rawdoc! { "_id": 1 }).is_ne() {
        return Err(Error::new(
            Code::BAD_VALUE,
            "The field 'key' for an _id index must be {_id: 1}",
        ));
    }
    Ok(())
}
