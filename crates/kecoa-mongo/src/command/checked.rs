//! What can be said of a request before it runs: its command, its arguments, who may run it.

use ::bson::{RawBsonRef, RawDocument};

use crate::bson::field::field;
use crate::error::{Code, Error};
use crate::session::options::{Abilities, session_uuid};
use crate::session::read_preference;
use crate::session::{
    ReadConcern, ReadLevel, SessionId, Statement, TransactionOptions, WriteConcern,
};
use crate::wire::{Kind as Form, Request};

use super::api::RequestedApi;
use super::arguments::generic::GENERIC;
use super::arguments::read::Rules;
use super::arguments::{Argument, Kind, Values, read};
use super::authorization::authorize;
use super::connection::Connection;
use super::context::{Definition, ReadConcerns};
use super::gateway::Gateway;
use super::namespace::{check_collection, check_database};
use super::table;

/// A command that is found and whose fields are checked.
pub(super) struct Checked<'a> {
    pub(super) definition: &'static Definition,
    pub(super) value: RawBsonRef<'a>,
    pub(super) arguments: Values<'a>,
    pub(super) generic: Values<'a>,
    pub(super) database: &'a str,
    pub(super) session: Option<SessionId>,
    pub(super) statement: Statement,
    pub(super) read_concern: ReadConcern,
    pub(super) write_concern: Option<WriteConcern>,
}

/// All that can be said of a request without running it.
pub(super) fn check<'a>(
    gateway: &Gateway,
    connection: &Connection,
    request: &'a Request,
) -> Result<Checked<'a>, Error> {
    let body = request.body();
    let (name, value) = first(body)?;
    let definition = table::find(name)
        .filter(|definition| !definition.test || gateway.options.test_commands)
        .ok_or_else(|| Error::new(Code::COMMAND_NOT_FOUND, format!("no such command: '{name}'")))?;
    let database = match field(body, "$db") {
        Some(RawBsonRef::String(database)) => database,
        Some(_) => {
            return Err(Error::new(
                Code::TYPE_MISMATCH,
                "BSON field '$db' is the wrong type, expected type 'string'",
            ));
        }
        None if request.kind() == Form::Query => "admin",
        None => return Err(Error::location(40571, "OP_MSG requests require a $db argument")),
    };
    check_database(database)?;
    authorize(gateway, connection, definition, database, request, table::find)?;
    if definition.admin && database != "admin" {
        let message = format!("{name} may only be run against the admin database.");
        return Err(Error::new(Code::UNAUTHORIZED, message));
    }
    let strict = field(body, "apiStrict") == Some(RawBsonRef::Boolean(true));
    let rules = Rules { open: definition.open, strict };
    let (arguments, generic) = read::read(
        definition.name,
        body,
        request.sequences(),
        definition.arguments,
        GENERIC,
        rules,
    )?;
    // Nobody could ask for a version without a first hello.
    let required = definition.name != "isMaster" && gateway.parameters.is_on("requireApiVersion");
    let api = RequestedApi::read(&generic, gateway.options.test_commands, required)?;
    api.check(definition.name, definition.api)?;
    api.check_pipeline(body)?;
    check_value(definition, database, value)?;
    let session = generic.document("lsid").map(session_uuid).transpose()?;
    let session = session.map(|uuid| connection.session(uuid));
    let options = TransactionOptions {
        number: generic.value("txnNumber").and_then(RawBsonRef::as_i64),
        autocommit: generic.optional_boolean("autocommit"),
        start: generic.optional_boolean("startTransaction"),
        has_session: session.is_some(),
    };
    let statement = options.statement(Abilities {
        name: definition.name,
        transaction: definition.transaction,
        retryable: definition.retryable,
        ends: definition.ends,
    })?;
    generic.document("$readPreference").map_or(Ok(()), read_preference::check)?;
    let read_concern = generic.document("readConcern").map(ReadConcern::parse).transpose()?;
    let write_concern = generic.document("writeConcern").map(WriteConcern::parse).transpose()?;
    statement.check_concerns(read_concern.as_ref(), write_concern.is_some(), definition.ends)?;
    check_concerns(definition, statement, read_concern.as_ref(), write_concern.as_ref())?;
    if let Some(time) =
        generic.document("$clusterTime").and_then(|time| time.get_timestamp("clusterTime").ok())
    {
        gateway.clock.advance(time);
    }
    if let Some(time) = read_concern.and_then(|concern| concern.after) {
        gateway.clock.advance(time);
    }
    Ok(Checked {
        definition,
        value,
        arguments,
        generic,
        database,
        session,
        statement,
        read_concern: read_concern.unwrap_or_default(),
        write_concern,
    })
}

fn first(body: &RawDocument) -> Result<(&str, RawBsonRef<'_>), Error> {
    match body.iter().next() {
        Some(Ok((name, value))) => Ok((name.as_str(), value)),
        Some(Err(error)) => Err(Error::new(Code::INVALID_BSON, error.to_string())),
        None => Err(Error::new(Code::COMMAND_NOT_FOUND, "no such command: ''")),
    }
}

fn check_value(
    definition: &Definition,
    database: &str,
    value: RawBsonRef<'_>,
) -> Result<(), Error> {
    let row = Argument::new(definition.name, definition.value);
    if matches!(value, RawBsonRef::Null | RawBsonRef::Undefined)
        && !matches!(definition.value, Kind::Any | Kind::Collection { .. } | Kind::CollectionOrOne)
    {
        return Err(read::missing(definition.name, definition.name));
    }
    read::check(definition.name, &row, value)?;
    match (definition.value, value) {
        (Kind::Collection { .. } | Kind::CollectionOrOne, RawBsonRef::String(name)) => {
            check_collection(database, name)
        }
        _ => Ok(()),
    }
}

fn check_concerns(
    definition: &Definition,
    statement: Statement,
    read: Option<&ReadConcern>,
    write: Option<&WriteConcern>,
) -> Result<(), Error> {
    if write.is_some() && !definition.write_concern {
        let message = format!("Command {} does not support writeConcern", definition.name);
        return Err(Error::new(Code::INVALID_OPTIONS, message));
    }
    let Some(level) = read.and_then(|concern| concern.level) else {
        return Ok(());
    };
    let is_allowed = match level {
        _ if statement.transaction().is_some() => true,
        ReadLevel::Local | ReadLevel::Available => true,
        ReadLevel::Majority | ReadLevel::Linearizable => {
            definition.read_concern != ReadConcerns::None
        }
        ReadLevel::Snapshot => definition.read_concern == ReadConcerns::Snapshot,
    };
    if is_allowed {
        return Ok(());
    }
    Err(Error::new(
        Code::INVALID_OPTIONS,
        format!(
            "Command {} does not support {{ readConcern: {{ level: \"{}\" }} }}",
            definition.name,
            level.as_str()
        ),
    ))
}
