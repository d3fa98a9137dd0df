//! `kecoa workload`: transactions against any server, whose invariants are checked all along.

mod arguments;
mod place;
mod report_file;
mod run;
mod seen;
mod set_up;

use std::ffi::OsString;

use kecoa_workload::Check;
use serde_json::json;

pub(crate) use self::arguments::Arguments;
use self::arguments::{Action, CheckArguments, InitArguments};
use self::place::Server;
use self::set_up::{set_up, size_of};
use crate::failure::Failure;
use crate::output::Output;
use crate::terminal::Role;

pub(crate) fn run(
    arguments: Arguments,
    output: &Output,
    self_command: Vec<OsString>,
) -> Result<i32, Failure> {
    match arguments.action {
        Action::Init(arguments) => init(&arguments, output, self_command),
        Action::Run(arguments) => run::run(&arguments, output, self_command),
        Action::Check(arguments) => check(&arguments, output, self_command),
    }
}

fn init(
    arguments: &InitArguments,
    output: &Output,
    self_command: Vec<OsString>,
) -> Result<i32, Failure> {
    let InitArguments { workload: name, url, size, drop } = arguments;
    let size = size_of(*name, size)?.unwrap_or_else(|| name.default_size());
    let server = Server::find(url.as_deref(), output, self_command)?;
    set_up(&server, *name, size, *drop, output)?;
    let (items, schema) = (name.items(), name.schema());
    let value =
        json!({ "workload": name.as_str(), "schema": schema, "items": items, "size": size });
    output.result(&value, || format!("{name}: {size} {items} in the schema {schema}"))?;
    Ok(0)
}

fn check(
    arguments: &CheckArguments,
    output: &Output,
    self_command: Vec<OsString>,
) -> Result<i32, Failure> {
    let server = Server::find(arguments.url.as_deref(), output, self_command)?;
    let checks = kecoa_workload::check(&server.config()?, arguments.workload)?;
    let holds = checks.iter().all(|check| check.result.is_ok());
    let list: Vec<_> = checks
        .iter()
        .map(|Check { name, result }| {
            let (Ok(found) | Err(found)) = result;
            json!({ "check": name, "holds": result.is_ok(), "found": found })
        })
        .collect();
    let value = json!({ "workload": arguments.workload.as_str(), "holds": holds, "checks": list });
    output.result(&value, || {
        let shown = checks.iter().map(|check| shown(check, output));
        shown.collect::<Vec<_>>().join("\n")
    })?;
    Ok(i32::from(!holds))
}

/// One line of a check.
fn shown(check: &Check, output: &Output) -> String {
    let paint = |role, text| output.stdout().paint(role, text);
    match &check.result {
        Ok(found) => format!("{} {}: {found}", paint(Role::Good, "holds   "), check.name),
        Err(found) => format!("{} {}: {found}", paint(Role::Bad, "violated"), check.name),
    }
}
