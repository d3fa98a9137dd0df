//! `update`.

use ::bson::{RawBsonRef, RawDocumentBuf};

use crate::aggregate::UpdatePipeline;
use crate::error::{Code, Error};
use crate::operation::Selection;
use crate::operation::update::{UpdateStatement, update};
use crate::operation::write_result::{WriteError, WriteResult};

use super::arguments::{Argument, Kind, Values, read_nested};
use super::context::{Context, Definition, Privilege, Running};
use super::insert::check_count;
use super::work;

const ARGUMENTS: &[Argument] = &[
    Argument::documents("updates").required(),
    Argument::boolean("ordered").or(true),
    Argument::lenient_boolean("bypassDocumentValidation"),
    Argument::document("let"),
    Argument::document("runtimeConstants").unstable(),
    Argument::array("stmtIds").unstable(),
    Argument::new("collectionUUID", Kind::Uuid).unstable(),
    Argument::plain_boolean("isTimeseriesNamespace").unstable(),
    Argument::plain_boolean("bypassEmptyTsReplacement").unstable(),
    Argument::document("encryptionInformation").unstable(),
];

/// The fields of a statement.
const STATEMENT: &[Argument] = &[
    Argument::document("q").required(),
    Argument::modification("u").required(),
    Argument::document("c"),
    Argument::boolean("multi"),
    Argument::boolean("upsert"),
    Argument::documents("arrayFilters"),
    Argument::hint("hint"),
    Argument::document("collation"),
    Argument::document("sort"),
    Argument::plain_boolean("upsertSupplied").unstable(),
    Argument::new("sampleId", Kind::Uuid).unstable(),
];

/// `update`.
pub const UPDATE: Definition = Definition::new("update", run)
    .typed_collection()
    .arguments(ARGUMENTS)
    .stable()
    .needs(Privilege::Write)
    .in_transaction()
    .retryable()
    .write_concern()
    .help("change documents of a collection");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let arguments = context.arguments.clone();
    let updates = arguments.documents("updates");
    check_count(updates)?;
    let namespace = work::writable_namespace(context)?;
    let bypass = arguments.boolean("bypassDocumentValidation");
    let retryable = context.retryable_write().is_some();
    let mut parsed = Vec::new();
    for statement in updates.iter().flat_map(|updates| updates.iter()) {
        let values = read_nested("update.updates", statement?, STATEMENT)?;
        let statement = statement_of(&values, bypass)?;
        if let RawBsonRef::Array(stages) = statement.update {
            UpdatePipeline::check_names(stages)?;
        }
        if statement.multi && retryable {
            return Err(not_retryable());
        }
        parsed.push(statement);
    }
    let ordered = arguments.boolean("ordered");
    let mut work = work::work(context).await?;
    let mut result = WriteResult::default();
    for (index, statement) in parsed.iter().enumerate() {
        let outcome = update(&mut work, &namespace, statement, index).await;
        match work::of_statement(outcome, &work)? {
            Ok(done) => result.add(index, done, work.retry.as_ref()),
            Err(error) => result.errors.push(WriteError { index, error }),
        }
        if ordered && !result.errors.is_empty() {
            break;
        }
    }
    drop(work);
    let mut reply = RawDocumentBuf::new();
    context.aborts = result.append_to(&mut reply, true);
    Ok(reply)
}

/// The error of a write that cannot be retried.
pub(super) fn not_retryable() -> Error {
    Error::new(Code::ILLEGAL_OPERATION, "Cannot use (or request) retryable writes with multi=true")
}

fn statement_of<'a>(values: &Values<'a>, bypass: bool) -> Result<UpdateStatement<'a>, Error> {
    let multi = values.boolean("multi");
    let sort = values.document("sort").filter(|sort| !sort.is_empty());
    if multi && sort.is_some() {
        return Err(Error::new(Code::FAILED_TO_PARSE, "Cannot specify sort with multi=true"));
    }
    Ok(UpdateStatement {
        selection: Selection {
            filter: values.document("q").unwrap_or(crate::operation::find::empty_document()),
            sort,
            hint: values.value("hint"),
            collation: values.document("collation"),
        },
        update: values.value("u").unwrap_or(RawBsonRef::Null),
        constants: values.document("c"),
        array_filters: values.array("arrayFilters"),
        multi,
        upsert: values.boolean("upsert"),
        bypass_validation: bypass,
    })
}
