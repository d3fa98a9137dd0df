//! `listCommands`: which commands there are.

use ::bson::raw::CStr;
use ::bson::{RawDocumentBuf, rawdoc};
use bson::raw::cstr;

use super::api::Api;
use super::context::{Context, Definition, Running};

/// `listCommands`.
pub const LIST_COMMANDS: Definition =
    Definition::new("listCommands", run).open().help("which commands there are");

fn run<'a>(context: &'a mut Context<'_>) -> Running<'a> {
    Box::pin(async move {
        let mut commands = RawDocumentBuf::new();
        let mut known: Vec<_> = context.commands.to_vec();
        known.sort_by_key(|command| command.name);
        for command in known
            .into_iter()
            .filter(|command| !command.test || context.gateway.options.test_commands)
        {
            let mut versions = ::bson::RawArrayBuf::new();
            if !matches!(command.api, Api::Outside | Api::Version2) {
                versions.push("1");
            }
            let Ok(name) = <&CStr>::try_from(command.name) else { continue };
            let mut row = rawdoc! {
                "help": command.help,
                "requiresAuth": !command.anonymous,
                "secondaryOk": true,
                "adminOnly": command.admin,
            };
            row.append(cstr!("apiVersions"), versions);
            commands.append(name, row);
        }
        Ok(rawdoc! { "commands": commands })
    })
}
