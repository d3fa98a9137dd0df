//! `killCursors`.

use ::bson::raw::cstr;
use ::bson::{RawArrayBuf, RawBsonRef, RawDocumentBuf};

use crate::error::{Code, Error};
use crate::session::cursors::Killed;

use super::arguments::Argument;
use super::context::{Context, Definition, ReadConcerns, Running};

const ARGUMENTS: &[Argument] = &[Argument::array("cursors").required()];

/// `killCursors`.
pub const KILL_CURSORS: Definition = Definition::new("killCursors", run)
    .collection()
    .arguments(ARGUMENTS)
    .stable()
    .in_transaction()
    .read_concern(ReadConcerns::Snapshot)
    .help("close cursors");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async { answer(context) })
}

fn answer(context: &mut Context<'_>) -> Result<RawDocumentBuf, Error> {
    // Its name was checked: it may also be that of a cursor that belongs to no collection.
    let name = context.value.as_str().unwrap_or_default();
    let namespace = format!("{}.{name}", context.database);
    let user = context.connection.user();
    let mut killed = RawArrayBuf::new();
    let mut not_found = RawArrayBuf::new();
    let mut alive = RawArrayBuf::new();
    let mut ids = Vec::new();
    if let Some(cursors) = context.arguments.array("cursors") {
        for (index, id) in cursors.into_iter().map_while(Result::ok).enumerate() {
            match id {
                RawBsonRef::Int64(id) => ids.push(id),
                other => {
                    return Err(Error::new(
                        Code::TYPE_MISMATCH,
                        format!(
                            "BSON field 'killCursors.cursors.{index}' is the wrong type '{}', expected type 'long'",
                            crate::bson::type_class::type_name(other)
                        ),
                    ));
                }
            }
        }
    }
    for id in ids {
        let (state, cursor) = context.gateway.cursors.kill(id, &namespace, user.as_deref());
        drop(cursor);
        match state {
            Killed::Killed => killed.push(id),
            Killed::NotFound => not_found.push(id),
            Killed::Alive => alive.push(id),
        }
    }
    let mut reply = RawDocumentBuf::new();
    reply.append(cstr!("cursorsKilled"), killed);
    reply.append(cstr!("cursorsNotFound"), not_found);
    reply.append(cstr!("cursorsAlive"), alive);
    reply.append(cstr!("cursorsUnknown"), RawArrayBuf::new());
    Ok(reply)
}
