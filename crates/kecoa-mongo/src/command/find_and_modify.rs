//! `findAndModify`.

use ::bson::RawDocumentBuf;

use crate::error::{Code, Error};
use crate::operation::Selection;
use crate::operation::find::empty_document;
use crate::operation::find_and_modify::{Change, find_and_modify};
use crate::operation::update::UpdateStatement;

use super::arguments::{Argument, Kind};
use super::context::{Context, Definition, Privilege, Running};
use super::work;

const ARGUMENTS: &[Argument] = &[
    Argument::document("query"),
    Argument::document("sort"),
    Argument::document("fields"),
    Argument::hint("hint"),
    Argument::document("collation"),
    Argument::document("let"),
    Argument::lenient_boolean("remove"),
    Argument::modification("update"),
    Argument::lenient_boolean("new"),
    Argument::lenient_boolean("upsert"),
    Argument::documents("arrayFilters"),
    Argument::lenient_boolean("bypassDocumentValidation"),
    Argument::new("sampleId", Kind::Uuid).unstable(),
    Argument::new("batchSize", Kind::Int),
    Argument::boolean("singleBatch"),
    Argument::document("runtimeConstants").unstable(),
    Argument::document("encryptionInformation").unstable(),
];

/// `findAndModify`.
pub const FIND_AND_MODIFY: Definition = Definition::new("findAndModify", run)
    .aliases(&["findandmodify"])
    .typed_collection()
    .arguments(ARGUMENTS)
    .stable()
    .needs(Privilege::Write)
    .in_transaction()
    .retryable()
    .write_concern()
    .help("change or remove a document, and show it");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let arguments = context.arguments.clone();
    let namespace = work::writable_namespace(context)?;
    let refuse = |message: &str| Err(Error::new(Code::FAILED_TO_PARSE, message));
    let selection = Selection {
        filter: arguments.document("query").unwrap_or(empty_document()),
        sort: arguments.document("sort"),
        hint: arguments.value("hint"),
        collation: arguments.document("collation"),
    };
    let update = arguments.value("update");
    let remove = arguments.boolean("remove");
    let new = arguments.boolean("new");
    let upsert = arguments.boolean("upsert");
    let array_filters = arguments.array("arrayFilters");
    let change = if remove {
        if update.is_some() {
            return refuse("Cannot specify both an update and remove=true");
        }
        if upsert {
            return refuse("Cannot specify both upsert=true and remove=true");
        }
        if new {
            return refuse(
                "Cannot specify both new=true and remove=true; 'remove' always returns the deleted document",
            );
        }
        if array_filters.is_some() {
            return refuse("Cannot specify arrayFilters and remove=true");
        }
        Change::Remove
    } else {
        let Some(update) = update else {
            return refuse("Either an update or remove=true must be specified");
        };
        if array_filters.is_some() && matches!(update, ::bson::RawBsonRef::Array(_)) {
            return refuse("Cannot specify arrayFilters and a pipeline update");
        }
        let statement = UpdateStatement {
            selection,
            update,
            constants: None,
            array_filters,
            multi: false,
            upsert,
            bypass_validation: arguments.boolean("bypassDocumentValidation"),
        };
        Change::Update { statement, after: new }
    };
    let mut work = work::work(context).await?;
    find_and_modify(&mut work, &namespace, &selection, &change, arguments.document("fields")).await
}
