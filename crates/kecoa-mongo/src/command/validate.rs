//! `validate`: whether a collection's documents are what they must be.

use ::bson::raw::cstr;
use ::bson::{RawArrayBuf, RawDocumentBuf, rawdoc};

use crate::bson::validate::{Limits, validate};
use crate::error::{Code, Error};
use crate::operation::attempts::write_conflict;
use crate::operation::find::Find;
use crate::operation::write_result::{number, position};

use super::arguments::Argument;
use super::context::{Context, Definition, Privilege, Running};
use super::list_indexes::existing;
use super::work;

const ARGUMENTS: &[Argument] = &[
    Argument::lenient_boolean("full"),
    Argument::lenient_boolean("background"),
    Argument::lenient_boolean("scandata"),
    Argument::lenient_boolean("repair"),
    Argument::lenient_boolean("metadata"),
    Argument::lenient_boolean("checkBSONConformance"),
    Argument::any("enforceFastCount"),
];

/// `validate`.
pub const VALIDATE: Definition = Definition::new("validate", run)
    .collection()
    .arguments(ARGUMENTS)
    .needs(Privilege::Administrate)
    .help("check a collection's documents");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let namespace = work::namespace(context)?;
    if context.arguments.boolean("background") && context.arguments.boolean("full") {
        return Err(Error::new(
            Code::INVALID_OPTIONS,
            "Running the validate command with both { background: true } and { full: true } is not supported.",
        ));
    }
    let mut work = work::work(context).await?;
    let mut tries = work.tries();
    let (collection, mut query) = loop {
        let collection = existing(&mut work, &namespace).await?;
        let mut query = Find::default().open(&work, &collection)?;
        if query.begin(&mut work).await? {
            break (collection, query);
        }
        tries.next(write_conflict()).await?;
    };
    let (mut records, mut invalid) = (0_i64, 0_i64);
    while let Some(document) = query.next(&mut work).await? {
        records += 1;
        invalid += i64::from(validate(document.as_bytes(), Limits::DOCUMENT).is_err());
    }
    let mut keys = RawDocumentBuf::new();
    let mut details = RawDocumentBuf::new();
    for index in collection.indexes() {
        if let Ok(name) = ::bson::raw::CString::try_from(index.name()) {
            keys.append(&name, number(records));
            details.append(&name, rawdoc! { "valid": true });
        }
    }
    let mut reply = RawDocumentBuf::new();
    reply.append(cstr!("ns"), namespace.to_string());
    reply.append(cstr!("nInvalidDocuments"), number(invalid));
    reply.append(cstr!("nNonCompliantDocuments"), 0);
    reply.append(cstr!("nrecords"), number(records));
    reply.append(cstr!("nIndexes"), position(collection.indexes().len()));
    reply.append(cstr!("keysPerIndex"), keys);
    reply.append(cstr!("indexDetails"), details);
    reply.append(cstr!("valid"), invalid == 0);
    reply.append(cstr!("repaired"), false);
    for name in [
        cstr!("warnings"),
        cstr!("errors"),
        cstr!("extraIndexEntries"),
        cstr!("missingIndexEntries"),
        cstr!("corruptRecords"),
    ] {
        reply.append(name, RawArrayBuf::new());
    }
    Ok(reply)
}
