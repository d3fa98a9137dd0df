//! `currentOp` and `killOp`: the commands that run now.

use ::bson::{DateTime, RawArrayBuf, RawBsonRef, RawDocumentBuf, rawdoc};
use bson::raw::{CStr, cstr};

use crate::bson::number::Number;
use crate::expression::{Scope, Variables};
use crate::query::Filter;

use super::arguments::generic::GENERIC;
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

/// What stands beside the filter.
const OPTIONS: &[&str] = &["$all", "$ownOps", "$truncateOps"];

fn list<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let body = context.request.body();
        let mut wanted = RawDocumentBuf::new();
        for (name, value) in body.iter().map_while(Result::ok).skip(1) {
            let is_option = OPTIONS.contains(&name.as_str())
                || GENERIC.iter().any(|argument| argument.name == name.as_str());
            if !is_option {
                wanted.append(name, value);
            }
        }
        let filter =
            Filter::parse(&wanted, &Scope::new().with_interrupt(context.interrupt.clone()))?;
        let variables = Variables::new(DateTime::now(), context.gateway.time(false))
            .with_interrupt(context.interrupt.clone());
        let own = is_on(body.get("$ownOps").ok().flatten());
        let mut listed = RawArrayBuf::new();
        for operation in all(context, own) {
            if filter.matches(&operation, &variables)? {
                listed.push(operation);
            }
        }
        Ok(rawdoc! { "inprog": listed })
    })
}

fn is_on(value: Option<RawBsonRef<'_>>) -> bool {
    match value {
        Some(RawBsonRef::Boolean(value)) => value,
        Some(value) => Number::from_bson(value).is_some_and(|number| number.lossy_double() != 0.0),
        None => false,
    }
}

/// The commands that run: of everybody, or of the client's user.
pub(super) fn all(context: &Context<'_>, own: bool) -> Vec<RawDocumentBuf> {
    let user = context.connection.user();
    let operations = context.gateway.operations.all();
    let shown = operations.iter().filter(|one| !own || one.user == user);
    shown.map(|one| describe(one)).collect()
}

/// A command that runs.
fn describe(operation: &Operation) -> RawDocumentBuf {
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
