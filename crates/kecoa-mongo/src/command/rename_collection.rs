//! `renameCollection`.

use ::bson::spec::ElementType;
use ::bson::{RawBsonRef, RawDocumentBuf};

use crate::error::{Code, Error};
use crate::store::{Checked, CollectionKind, Namespace};

use super::arguments::{Argument, Kind};
use super::context::{Context, Definition, Privilege, Running};
use super::work;

const ARGUMENTS: &[Argument] = &[
    Argument::string("to").required(),
    Argument::one_of("dropTarget", &[ElementType::Boolean, ElementType::Binary]),
    Argument::boolean("stayTemp").unstable(),
    Argument::new("collectionUUID", Kind::Uuid).unstable(),
];

/// `renameCollection`.
pub const RENAME_COLLECTION: Definition = Definition::new("renameCollection", run)
    .value(Kind::String)
    .arguments(ARGUMENTS)
    .needs(Privilege::Administrate)
    .admin()
    .write_concern()
    .help("give a collection another name");

/// How often the catalogue is read again.
const MAX_TRIES: usize = 20;

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(answer(context))
}

async fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    let arguments = context.arguments.clone();
    let from = match context.value {
        RawBsonRef::String(name) => full_name(name)?,
        _ => return Err(invalid("")),
    };
    let to = full_name(arguments.string("to").unwrap_or_default())?;
    let drop_target = arguments.boolean("dropTarget");
    work::check_writable(&from, false)?;
    work::check_writable(&to, false)?;
    if from == to {
        return Err(Error::new(Code::ILLEGAL_OPERATION, "Can't rename a collection to itself"));
    }
    let mut work = work::work(context).await?;
    for _ in 0..MAX_TRIES {
        let Some(collection) = work.collection(&from).await? else {
            return Err(Error::new(
                Code::NAMESPACE_NOT_FOUND,
                format!("Source collection {from} does not exist"),
            ));
        };
        if collection.kind() == CollectionKind::View {
            return Err(Error::new(
                Code::COMMAND_NOT_SUPPORTED_ON_VIEW,
                format!("cannot rename view: {from}"),
            ));
        }
        if !drop_target && work.collection(&to).await?.is_some() {
            return Err(Error::new(
                Code::NAMESPACE_EXISTS,
                format!("target namespace exists: {to}"),
            ));
        }
        if let Checked::Current(()) = work.handle().rename(&collection, &to, drop_target).await? {
            return Ok(RawDocumentBuf::new());
        }
    }
    Err(Error::new(Code::WRITE_CONFLICT, "the collection was changed again and again"))
}

/// `database.collection`.
fn full_name(name: &str) -> Result<Namespace, Error> {
    let (database, collection) = name.split_once('.').ok_or_else(|| invalid(name))?;
    super::namespace::check_database(database)?;
    super::namespace::check_collection(database, collection)?;
    Namespace::new(database, collection)
}

fn invalid(name: &str) -> Error {
    Error::new(Code::INVALID_NAMESPACE, format!("Invalid namespace specified '{name}'"))
}
