//! Names of CHECK constraints: CockroachDB makes them of the columns in the expression.

use std::collections::HashSet;

use kecoa_sql::{Statement, TokenKind};

use super::edit::Edits;
use super::index_names::{LONGEST, Taken};

/// The names of the CHECK constraints of one table.
#[derive(Debug, Default)]
pub(super) struct CheckNames {
    columns: HashSet<String>,
    used: HashSet<String>,
    taken: Taken,
}

impl CheckNames {
    /// For a table with these columns and these names of constraints.
    pub(super) fn new(columns: HashSet<String>, used: HashSet<String>) -> Self {
        Self { columns, used, taken: Taken::default() }
    }

    /// Notes the names that the client gives in `from..to`, at any depth.
    pub(super) fn note_given(&mut self, statement: &Statement<'_>, from: usize, to: usize) {
        for at in from..to {
            if statement.is(at, "CONSTRAINT")
                && let Some(name) = statement.name(at + 1)
            {
                self.taken.note(name);
            }
        }
    }

    /// Names the `CHECK (…)` at `at` if it has no name.
    pub(super) fn name(&mut self, statement: &Statement<'_>, at: usize, edits: &mut Edits) {
        let named = at >= 2 && statement.is(at - 2, "CONSTRAINT");
        let Some(closing) = statement.partner(at + 1).filter(|_| statement.is_mark(at + 1, "("))
        else {
            return;
        };
        if named {
            return;
        }
        let mut name = "check".to_owned();
        for i in at + 2..closing {
            if let Some(column) = self.column(statement, i) {
                name.push('_');
                name.push_str(&column);
                if name.len() > LONGEST {
                    return; // PostgreSQL cuts its own names in a better place
                }
            }
        }
        let used = &self.used;
        let name = self.taken.free(name, |name| used.contains(name));
        if name.len() <= LONGEST {
            let name = super::quote::quote_name(&name);
            edits.insert(statement.start(at), format!("CONSTRAINT {name} "));
        }
    }

    /// The column that the token at `at` of an expression names, if it names one.
    fn column(&self, statement: &Statement<'_>, at: usize) -> Option<String> {
        let name = statement.name(at).filter(|name| self.columns.contains(name))?;
        let kind = statement.is_mark(at - 1, "::")
            || statement.is_mark(at - 1, ":::")
            || statement.is(at - 1, "AS")
            || statement.kind(at + 1) == Some(TokenKind::String);
        let other = statement.is_mark(at + 1, "(") || statement.is_mark(at + 1, ".");
        (!kind && !other).then_some(name)
    }
}
