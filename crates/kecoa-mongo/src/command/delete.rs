//! `delete`.

use ::bson::RawDocumentBuf;

use crate::bson::number::Number;
use crate::error::{Code, Error};
use crate::operation::Selection;
use crate::operation::delete::{DeleteStatement, delete};
use crate::operation::find::empty_document;
use crate::operation::write_result::{WriteError, WriteResult};

use super::arguments::{Argument, Kind, Values, read_nested};
use super::context::{Context, Definition, Privilege, Running};
use super::insert::check_count;
use super::update::not_retryable;
use super::work;

const ARGUMENTS: &[Argument] = &[
    Argument::documents("deletes").required(),
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
    Argument::number("limit").required(),
    Argument::hint("hint"),
    Argument::document("collation"),
    Argument::new("sampleId", Kind::Uuid).unstable(),
];

/// `delete`.
pub const DELETE: Definition = Definition::new("delete", run)
    .typed_collection()
    .arguments(ARGUMENTS)
    .stable()
    .needs(Privilege::Write)
    .in_transaction()
    .retryable()
    .write_concern()
    .help("remove documents of a collection");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let arguments = context.arguments.clone();
    let deletes = arguments.documents("deletes");
    check_count(deletes)?;
    let namespace = work::writable_namespace(context)?;
    let retryable = context.retryable_write().is_some();
    let mut parsed = Vec::new();
    for statement in deletes.iter().flat_map(|deletes| deletes.iter()) {
        let values = read_nested("delete.deletes", statement?, STATEMENT)?;
        let statement = statement_of(&values)?;
        if statement.multi && retryable {
            return Err(not_retryable());
        }
        parsed.push(statement);
    }
    let ordered = arguments.boolean("ordered");
    let mut work = work::work(context).await?;
    let mut result = WriteResult::default();
    for (index, statement) in parsed.iter().enumerate() {
        let outcome = delete(&mut work, &namespace, statement, index).await;
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
    context.aborts = result.append_to(&mut reply, false);
    Ok(reply)
}

fn statement_of<'a>(values: &Values<'a>) -> Result<DeleteStatement<'a>, Error> {
    // Half a document is none of them: it is not cut.
    let limit = values.value("limit").and_then(Number::from_bson);
    // By its value: 1.0 is 1.
    let multi = if limit == Some(Number::Int32(0)) {
        true
    } else if limit == Some(Number::Int32(1)) {
        false
    } else {
        return Err(Error::new(
            Code::FAILED_TO_PARSE,
            "The limit field in delete objects must be 0 or 1.",
        ));
    };
    Ok(DeleteStatement {
        selection: Selection {
            filter: values.document("q").unwrap_or(empty_document()),
            sort: None,
            hint: values.value("hint"),
            collation: values.document("collation"),
        },
        multi,
    })
}
