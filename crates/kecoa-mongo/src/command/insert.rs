//! `insert`.

use ::bson::RawDocumentBuf;

use crate::error::{Code, Error};
use crate::operation::insert::{Options, insert};

use super::arguments::{Argument, Documents, Kind};
use super::context::{Context, Definition, Privilege, Running};
use super::work;

const ARGUMENTS: &[Argument] = &[
    Argument::documents("documents").required(),
    Argument::boolean("ordered").or(true),
    Argument::lenient_boolean("bypassDocumentValidation"),
    Argument::array("stmtIds").unstable(),
    Argument::new("collectionUUID", Kind::Uuid).unstable(),
    Argument::plain_boolean("isTimeseriesNamespace").unstable(),
    Argument::plain_boolean("bypassEmptyTsReplacement").unstable(),
    Argument::document("encryptionInformation").unstable(),
];

/// The statements of one write command.
const MAX_STATEMENTS: usize = 100_000;

/// `insert`.
pub const INSERT: Definition = Definition::new("insert", run)
    .typed_collection()
    .arguments(ARGUMENTS)
    .stable()
    .needs(Privilege::Write)
    .in_transaction()
    .retryable()
    .write_concern()
    .help("insert documents into a collection");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

/// The statements of a write command, as many as there may be.
///
/// # Errors
///
/// 16 for none or too many.
pub(super) fn check_count(statements: Option<Documents<'_>>) -> Result<(), Error> {
    let count = statements.map_or(0, |statements| statements.count());
    if (1..=MAX_STATEMENTS).contains(&count) {
        return Ok(());
    }
    Err(Error::new(
        Code::INVALID_LENGTH,
        format!(
            "Write batch sizes must be between 1 and {MAX_STATEMENTS}. Got {count} operations."
        ),
    ))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let arguments = context.arguments.clone();
    let documents = arguments.documents("documents");
    check_count(documents)?;
    let namespace = work::writable_namespace(context)?;
    let are_storable = documents.is_some_and(|documents| documents.is_storable());
    let documents: Vec<_> = match documents {
        Some(documents) => documents.iter().collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    let options = Options {
        ordered: arguments.boolean("ordered"),
        bypass_validation: arguments.boolean("bypassDocumentValidation"),
        first_statement: 0,
        are_storable,
    };
    let mut work = work::work(context).await?;
    let result = insert(&mut work, &namespace, documents.into_iter(), options).await?;
    drop(work);
    let mut reply = RawDocumentBuf::new();
    context.aborts = result.append_to(&mut reply, false);
    Ok(reply)
}
