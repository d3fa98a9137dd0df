//! `currentOp` and `killOp`: the commands that run now.

use ::bson::{RawArrayBuf, RawDocumentBuf, rawdoc};
use bson::raw::{CStr, cstr};

use super::arguments::{Argument, read};
use super::context::{Context, Definition, Privilege, Running};
use super::operations::Operation;

/// `currentOp`.
pub const CURRENT_OP: Definition = Definition::new("currentOp", list)
    .open()
    .admin()
    .needs(Privilege::Monitor)
    .help("the commands that run now");

/// `killOp`.
pub const KILL_OP: Definition = Definition::new("killOp", kill)
    .arguments(&[Argument::integer("op")])
    .open()
    .admin()
    .needs(Privilege::Operate)
    .help("ends a command");

fn list<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let mut listed = RawArrayBuf::new();
        for operation in context.gateway.operations.all() {
            listed.push(describe(&operation));
        }
        Ok(rawdoc! { "inprog": listed })
    })
}

/// A command that runs, as `$currentOp` shows it too.
#[must_use]
pub fn describe(operation: &Operation) -> RawDocumentBuf {
    let elapsed = operation.since.elapsed();
    let mut command = RawDocumentBuf::new();
    if let Ok(name) = <&CStr>::try_from(operation.command) {
        command.append(name, 1);
    }
    command.append(cstr!("$db"), operation.database.as_str());
    let mut row = rawdoc! {
        "type": "op",
        "active": true,
        "opid": operation.id,
        "op": "command",
        "ns": format!("{}.$cmd", operation.database),
        "command": command,
        "connectionId": i64::from(operation.connection),
        "secs_running": i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX),
        "microsecs_running": i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX),
        "killPending": operation.is_killed(),
    };
    if let Some(session) = &operation.session {
        row.append(cstr!("lsid"), session.to_document());
    }
    row
}

fn kill<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let id = context.arguments.integer("op").ok_or_else(|| read::missing("killOp", "op"))?;
        context.gateway.operations.kill(|operation| i64::from(operation.id) == id);
        Ok(rawdoc! { "info": "attempting to kill op" })
    })
}
