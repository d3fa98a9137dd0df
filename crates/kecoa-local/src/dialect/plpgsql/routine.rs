//! The function or the procedure that a statement makes.

use kecoa_sql::Statement;

use crate::dialect::plan::Refusal;

/// What is said of it in front of its body.
#[derive(Debug, Default)]
pub(super) struct Routine {
    pub(super) name: Option<String>,
    /// The names of its parameters, and of the columns of its table.
    pub(super) parameters: Vec<String>,
    /// It is a function, not a procedure or a block.
    pub(super) is_function: bool,
    /// A trigger runs it.
    pub(super) is_trigger: bool,
    /// How many values a call gives, at least and at most.
    arguments: (usize, usize),
}

impl Routine {
    /// What `statement` makes; nothing is known of a block.
    pub(super) fn of(statement: &Statement<'_>) -> Self {
        let at = if statement.are(1, &["OR", "REPLACE"]) { 3 } else { 1 };
        let mut routine = Self { is_function: statement.is(at, "FUNCTION"), ..Self::default() };
        if !statement.is(0, "CREATE") {
            return routine;
        }
        let Some(open) = statement.qualified_name(at + 1) else { return routine };
        let Some(closing) = statement.partner(open).filter(|closing| *closing > open) else {
            return routine;
        };
        routine.name = statement.name(open - 1);
        for (start, end) in statement.elements(open + 1, closing) {
            routine.parameter(statement, start, end);
        }
        if statement.is(closing + 1, "RETURNS") {
            routine.is_trigger = statement.is(closing + 2, "TRIGGER");
            let table = closing + 3;
            if statement.is(closing + 2, "TABLE")
                && let Some(closing) = statement.partner(table)
            {
                let columns = statement.elements(table + 1, closing);
                routine.parameters.extend(columns.iter().filter_map(|(at, _)| statement.name(*at)));
            }
        }
        routine
    }

    fn parameter(&mut self, statement: &Statement<'_>, mut start: usize, end: usize) {
        let out = statement.is(start, "OUT") && end > start + 1;
        while start + 1 < end && statement.is_any(start, &["IN", "OUT", "INOUT"]) {
            start += 1;
        }
        let default = |i| statement.is(i, "DEFAULT") || statement.is_mark(i, "=");
        let optional = statement.find(start, end, default).is_some();
        if !out || !self.is_function {
            self.arguments.0 += usize::from(!optional);
            self.arguments.1 += 1;
        }
        let named = start + 1 < end
            && statement.is_name(start + 1)
            && !statement.is_any(start + 1, &["DEFAULT", "ARRAY"]);
        self.parameters.extend(statement.name(start).filter(|_| named));
    }

    /// The error for a body that calls its own routine, which does not exist yet where CockroachDB reads the body.
    /// One with other arguments may.
    pub(super) fn calls_itself(&self, body: &Statement<'_>) -> Option<Refusal> {
        let name = self.name.as_deref()?;
        let (least, most) = self.arguments;
        let calls = |at: usize| {
            let closing = body.partner(at + 1).filter(|_| body.is_mark(at + 1, "("));
            let after_dot = at > 0 && body.is_mark(at - 1, ".");
            let is_table = at > 0 && body.is_any(at - 1, &["INTO", "AS"]);
            body.is_name(at)
                && !after_dot
                && !is_table
                && body.name(at).as_deref() == Some(name)
                && closing.is_some_and(|closing| {
                    let given = body.elements(at + 2, closing).len();
                    (least..=most).contains(&if closing == at + 2 { 0 } else { given })
                })
        };
        (0..body.len()).any(calls).then(|| {
            let kind = if self.is_function { "function" } else { "procedure" };
            let hint = format!(
                "CockroachDB's routines cannot call themselves; a loop or WITH RECURSIVE can do it. SET kecoa_strict = \
                 off lets PostgreSQL make this {kind}"
            );
            Refusal { hint, ..Refusal::new("42883", format!("unknown {kind}: {name}()")) }
        })
    }
}
