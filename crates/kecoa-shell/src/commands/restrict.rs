//! `\restrict` and `\unrestrict`: `pg_dump` puts them around a dump, so that names within it cannot be commands.

use crate::command::Command;
use crate::shell::{Flow, Shell};

impl Shell {
    /// Runs one of both, or refuses what is restricted; nothing where the command may be run.
    pub(super) fn restrict(&mut self, command: &Command) -> Option<Flow> {
        let token = match command.arguments.as_slice() {
            [token] if !token.is_empty() => Some(token),
            _ => None,
        };
        let flow = match (command.name.as_str(), &self.restricted, token) {
            ("unrestrict", Some(key), Some(token)) if key == token => {
                self.restricted = None;
                Flow::Next
            }
            ("unrestrict", Some(_), _) => {
                self.refuse("\\unrestrict: expected the key of \\restrict, found another")
            }
            (_, Some(_), _) => self.refuse(
                "expected no command but \\unrestrict with its key behind \\restrict, found another: commands \
                 are refused there, because a dump has none",
            ),
            ("restrict", None, Some(token)) => {
                self.restricted = Some(token.clone());
                Flow::Next
            }
            ("restrict", None, None) => self.refuse("\\restrict: expected a key"),
            ("unrestrict", None, _) => {
                self.refuse("\\unrestrict: expected a \\restrict before it, found none")
            }
            _ => return None,
        };
        Some(flow)
    }
}
