//! `collMod`: change the options of a collection, of a view, of an index.

use ::bson::raw::cstr;
use ::bson::spec::ElementType;
use ::bson::{RawBson, RawBsonRef, RawDocument, RawDocumentBuf};

use crate::error::{Code, Error};
use crate::index::Index;
use crate::operation::validator::Validator;
use crate::store::{Checked, Collection, CollectionKind, IndexChange, Modification};

use super::arguments::{Argument, Kind, Values, read_nested};
use super::context::{Context, Definition, Privilege, Running};
use super::work;

const ARGUMENTS: &[Argument] = &[
    Argument::document("index"),
    Argument::document("validator"),
    Argument::new("validationLevel", Kind::Enumeration(&["off", "strict", "moderate"])),
    Argument::new("validationAction", Kind::Enumeration(&["error", "warn", "errorAndLog"])),
    Argument::string("viewOn"),
    Argument::array("pipeline"),
    Argument::document("changeStreamPreAndPostImages"),
    Argument::one_of(
        "expireAfterSeconds",
        &[ElementType::Int32, ElementType::Int64, ElementType::Double, ElementType::String],
    ),
    Argument::document("timeseries"),
    Argument::within("cappedSize", 1, 1 << 50),
    Argument::within("cappedMax", i64::MIN, 2_147_483_647),
    Argument::any("recordPreImages").unstable(),
    Argument::any("dryRun").unstable(),
];

const INDEX: &[Argument] = &[
    Argument::string("name"),
    Argument::document("keyPattern"),
    Argument::number("expireAfterSeconds"),
    Argument::lenient_boolean("hidden"),
    Argument::lenient_boolean("unique"),
    Argument::lenient_boolean("prepareUnique"),
];

/// `collMod`.
pub const COLL_MOD: Definition = Definition::new("collMod", run)
    .collection()
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
        check(&arguments, &collection)?;
        let mut reply = RawDocumentBuf::new();
        let mut modification = Modification::default();
        if let Some(index) = arguments.document("index") {
            let values = read_nested("collMod.index", index, INDEX)?;
            modification.indexes.push(index_change(&values, &collection, &mut reply)?);
        }
        let options = options(&arguments, &collection);
        if options.as_bytes() != collection.options().as_bytes() {
            Validator::from_options(&options, &work.scope)?;
            if let Ok(pipeline) = options.get_array("pipeline") {
                crate::operation::pipeline::check(&work, namespace.database(), pipeline)?;
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
        ] {
            if arguments.has(name) {
                return refuse(&format!("option not supported on a view: {name}"));
            }
        }
        if arguments.has("viewOn") != arguments.has("pipeline") {
            return refuse("'viewOn' and 'pipeline' must be given together");
        }
        return Ok(());
    }
    if arguments.has("viewOn") || arguments.has("pipeline") {
        return refuse("'viewOn' and 'pipeline' are options of views");
    }
    let capped = matches!(collection.options().get("capped"), Ok(Some(RawBsonRef::Boolean(true))));
    if !capped && (arguments.has("cappedSize") || arguments.has("cappedMax")) {
        return refuse("Collection must be capped.");
    }
    Ok(())
}

/// What changes of an index; the reply says what it was before.
fn index_change(
    values: &Values<'_>,
    collection: &Collection,
    reply: &mut RawDocumentBuf,
) -> Result<IndexChange, Error> {
    let refuse = |message: &str| Err(Error::new(Code::INVALID_OPTIONS, message));
    let name = values.string("name");
    let pattern = values.document("keyPattern");
    if name.is_some() == pattern.is_some() {
        return refuse("must specify either index name or key pattern, and not both");
    }
    let expires = values.integer("expireAfterSeconds");
    let hidden = values.optional_boolean("hidden");
    if expires.is_none()
        && hidden.is_none()
        && !values.has("unique")
        && !values.has("prepareUnique")
    {
        return refuse("no expireAfterSeconds, hidden, unique or prepareUnique field");
    }
    let index = find_index(collection, name, pattern)?;
    if index.is_id() && hidden == Some(true) {
        return Err(Error::new(Code::BAD_VALUE, "can't hide _id index"));
    }
    let mut change = IndexChange { name: index.name().to_owned(), ..IndexChange::default() };
    if let Some(seconds) = expires {
        if !(0..=i64::from(i32::MAX)).contains(&seconds) {
            return refuse("expireAfterSeconds must be between 0 and 2147483647");
        }
        if let Some(before) = index.expire_after_seconds() {
            reply.append(cstr!("expireAfterSeconds_old"), RawBson::Int64(before));
        }
        reply.append(cstr!("expireAfterSeconds_new"), RawBson::Int64(seconds));
        change.expire_after_seconds = Some(seconds);
    }
    if let Some(hidden) = hidden
        && hidden != index.is_hidden()
    {
        reply.append(cstr!("hidden_old"), index.is_hidden());
        reply.append(cstr!("hidden_new"), hidden);
        change.hidden = Some(hidden);
    }
    Ok(change)
}

fn find_index<'c>(
    collection: &'c Collection,
    name: Option<&str>,
    pattern: Option<&RawDocument>,
) -> Result<&'c Index, Error> {
    let found = collection.indexes().iter().find(|index| match (name, pattern) {
        (Some(name), _) => index.name() == name,
        (None, Some(pattern)) => {
            crate::bson::compare::compare_documents(index.key_pattern(), pattern).is_eq()
        }
        (None, None) => false,
    });
    found.map(|index| &**index).ok_or_else(|| {
        Error::new(
            Code::INDEX_NOT_FOUND,
            format!(
                "cannot find index {} for ns {}",
                name.unwrap_or("of this key pattern"),
                collection.namespace()
            ),
        )
    })
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
