//! All commands.

use super::context::Definition;
use super::{hello, ping};

/// All commands.
pub static COMMANDS: &[&Definition] = &[&hello::HELLO, &hello::IS_MASTER, &ping::PING];

/// The command of this name; names are case-sensitive.
#[must_use]
pub fn find(name: &str) -> Option<&'static Definition> {
    COMMANDS.iter().copied().find(|command| command.name == name || command.aliases.contains(&name))
}
