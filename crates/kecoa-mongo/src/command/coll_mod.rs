//! `collMod`: change the options of a collection, of a view, of an index.

mod index_change;

use ::bson::raw::cstr;
use ::bson::spec::ElementType;
use ::bson::{RawBsonRef, RawDocumentBuf};

use crate::error::{Code, Error};
use crate::operation::validator::Validator;
use crate::store::{Checked, Collection, CollectionKind, Modification};

use super::arguments::{Argument, Kind, Values, read_nested};
use super::context::{Context, Definition, Privilege, Running};
use super::{view_definition, work};
use index_change::index_change;

const ARGUMENTS: &[Argument] = &[
    Argument::document("index"),
    Argument::document("validator"),
    Argument::new("validationLevel", Kind::Enumeration(&["off", "strict", "moderate"])),
    Argument::new("validationAction", Kind::Enumeration(&["error", "warn"])),
    Argument::string("viewOn"),
    Argument::documents("pipeline"),
    Argument::document("changeStreamPreAndPostImages"),
    Argument::one_of(
        "expireAfterSeconds",
        &[
            ElementType::String,
            ElementType::Int64,
            ElementType::Int32,
            ElementType::Decimal128,
            ElementType::Double,
        ],
    ),
    Argument::document("timeseries"),
    Argument::bounded("cappedSize", 1, 1 << 50),
    Argument::bounded("cappedMax", i64::MIN, 2_147_483_647),
    Argument::lenient_boolean("recordPreImages").unstable(),
    Argument::lenient_boolean("dryRun").unstable(),
    Argument::new("collectionUUID", Kind::Uuid).unstable(),
];

const INDEX: &[Argument] = &[
    Argument::string("name"),
    Argument::document("keyPattern"),
    Argument::integer("expireAfterSeconds"),
    Argument::lenient_boolean("hidden"),
    Argument::lenient_boolean("unique"),
    Argument::lenient_boolean("prepareUnique"),
];

/// `collMod`.
pub const COLL_MOD: Definition = Definition::new("collMod", run)
    .typed_collection()
    .arguments(ARGUMENTS)
    .stable()
    .needs(Privilege::Administrate)
    .write_concern()
    .help("change options of a collection");

/// How often the catalogue is read again.
const MAX_TRIES: usize = 20;

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let arguments = context.arguments.clone();
    let namespace = work::writable_namespace(context)?;
    let mut work = work::work(context).await?;
    for _ in 0..MAX_TRIES {
        let Some(collection) = work.collection(&namespace).await? else {
            return Err(Error::new(
                Code::NAMESPACE_NOT_FOUND,
                format!("ns does not exist: {namespace}"),
            ));
        };
        if !work.handle().is_current(&collection).await? {
            continue;
        }
        check(&arguments, &collection)?;
        if arguments.boolean("dryRun") {
            return Err(Error::new(
                Code::INVALID_OPTIONS,
                "dry run mode requires an index modification with unique: true.",
            ));
        }
        let mut reply = RawDocumentBuf::new();
        let mut modification = Modification::default();
        if let Some(index) = arguments.document("index") {
            let values = read_nested("collMod.index", index, INDEX)?;
            modification.indexes.push(index_change(&values, &collection, &mut reply)?);
        }
        let options = options(&arguments, &collection);
        if options.as_bytes() != collection.options().as_bytes() {
            Validator::from_options(&options, &work.scope)?;
            if collection.kind() == CollectionKind::View {
                view_definition::check(&mut work, &namespace, &options).await?;
            }
            modification.options = Some(options);
        }
        let modified = work.handle().modify(&collection, &modification).await?;
        if let Checked::Current(()) = modified {
            return Ok(reply);
        }
    }
    Err(Error::new(Code::WRITE_CONFLICT, "the collection was changed again and again"))
}

fn check(arguments: &Values<'_>, collection: &Collection) -> Result<(), Error> {
    let refuse = |message: &str| Err(Error::new(Code::INVALID_OPTIONS, message));
    let is_view = collection.kind() == CollectionKind::View;
    if is_view {
        for name in [
            "index",
            "validator",
            "validationLevel",
            "validationAction",
            "expireAfterSeconds",
            "cappedSize",
            "cappedMax",
            "changeStreamPreAndPostImages",
            "recordPreImages",
            "timeseries",
        ] {
            if arguments.has(name) {
                return refuse(&format!("option not supported on a view: {name}"));
            }
        }
        if arguments.string("viewOn") == Some("") {
            return Err(Error::new(Code::BAD_VALUE, "'viewOn' cannot be empty"));
        }
        return Ok(());
    }
    for name in ["viewOn", "pipeline"] {
        if arguments.has(name) {
            return refuse(&format!("option only supported on a view: {name}"));
        }
    }
    let has = |option: &str| matches!(collection.options().get(option), Ok(Some(_)));
    if arguments.has("timeseries") && !has("timeseries") {
        return refuse("option only supported on a time-series collection: timeseries");
    }
    if let Some(seconds) = arguments.value("expireAfterSeconds") {
        if !has("timeseries") && !has("clusteredIndex") {
            return refuse(
                "'expireAfterSeconds' option is only supported on collections clustered by _id",
            );
        }
        let is_off = seconds == RawBsonRef::String("off");
        let is_age = arguments.integer("expireAfterSeconds").is_some_and(|seconds| seconds >= 0);
        if !is_off && !is_age {
            return refuse("expected 'off' or a number from 0 as 'expireAfterSeconds'");
        }
    }
    let capped = matches!(collection.options().get("capped"), Ok(Some(RawBsonRef::Boolean(true))));
    if !capped && (arguments.has("cappedSize") || arguments.has("cappedMax")) {
        return refuse("Collection must be capped.");
    }
    Ok(())
}

/// The options from now on.
fn options(arguments: &Values<'_>, collection: &Collection) -> RawDocumentBuf {
    let names = [
        (cstr!("validator"), "validator"),
        (cstr!("validationLevel"), "validationLevel"),
        (cstr!("validationAction"), "validationAction"),
        (cstr!("viewOn"), "viewOn"),
        (cstr!("pipeline"), "pipeline"),
        (cstr!("changeStreamPreAndPostImages"), "changeStreamPreAndPostImages"),
        (cstr!("expireAfterSeconds"), "expireAfterSeconds"),
        (cstr!("size"), "cappedSize"),
        (cstr!("max"), "cappedMax"),
    ];
    let mut options = RawDocumentBuf::new();
    for (name, value) in collection.options().iter().map_while(Result::ok) {
        let changed = names.iter().find(|(option, _)| option.as_str() == name.as_str());
        options.append(
            name,
            changed.and_then(|(_, argument)| arguments.value(argument)).unwrap_or(value),
        );
    }
    for (option, argument) in names {
        if let Some(value) = arguments.value(argument)
            && !matches!(collection.options().get(option), Ok(Some(_)))
        {
            options.append(option, value);
        }
    }
    options
}
