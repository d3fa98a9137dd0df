//! What the doctor reports: steps, as text and as JSON.

use serde_json::{Map, Value, json};

use crate::terminal::{Role, Stream};

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Ok,
    Warning,
    Failed,
    NotReached,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Failed => "failed",
            State::NotReached => "not reached",
        }
    }

    fn role(self) -> Role {
        match self {
            State::Ok => Role::Good,
            State::Warning => Role::Warning,
            State::Failed => Role::Bad,
            State::NotReached => Role::Dim,
        }
    }
}

/// One step: what was found, and what to change.
#[derive(Debug)]
pub(super) struct Step {
    name: &'static str,
    state: State,
    found: Vec<String>,
    change: Vec<String>,
    facts: Map<String, Value>,
}

impl Step {
    pub(super) fn new(name: &'static str) -> Step {
        Step { name, state: State::Ok, found: Vec::new(), change: Vec::new(), facts: Map::new() }
    }

    /// Something that was found, for people.
    pub(super) fn finding(&mut self, text: impl Into<String>) {
        self.found.push(text.into());
    }

    /// Something that was found, for programs.
    pub(super) fn fact(&mut self, name: &str, value: impl Into<Value>) {
        self.facts.insert(name.to_owned(), value.into());
    }

    /// Advice about something that is no fault.
    pub(super) fn consider(&mut self, text: impl Into<String>) {
        self.change.push(text.into());
    }

    /// Something works, but should be changed.
    pub(super) fn warn(&mut self, change: impl Into<String>) {
        self.state = self.state.max(State::Warning);
        self.change.push(change.into());
    }

    /// Something does not work.
    pub(super) fn fail(&mut self, found: impl Into<String>, change: impl Into<String>) {
        self.state = State::Failed;
        self.found.push(found.into());
        self.change.push(change.into());
    }

    /// Something does not work, or works but should be changed where that is not insisted on.
    pub(super) fn fail_if(
        &mut self,
        insists: bool,
        found: impl Into<String>,
        change: impl Into<String>,
    ) {
        if insists {
            self.fail(found, change);
        } else {
            self.finding(found);
            self.warn(change);
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.state == State::Failed
    }
}

/// All steps so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    steps: Vec<Step>,
}

impl Report {
    /// Adds a step; whether the next one can run.
    pub(super) fn add(&mut self, step: Step) -> bool {
        let goes_on = !step.has_failed();
        self.steps.push(step);
        goes_on
    }

    /// Adds a step that could not run, unless it did.
    pub(super) fn not_reached(&mut self, name: &'static str) {
        if self.steps.iter().all(|step| step.name != name) {
            let mut step = Step::new(name);
            step.state = State::NotReached;
            self.steps.push(step);
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.steps.iter().any(Step::has_failed)
    }

    fn count(&self, state: State) -> usize {
        self.steps.iter().filter(|step| step.state == state).count()
    }

    pub(super) fn to_text(&self, out: Stream) -> String {
        let mut lines = Vec::new();
        for step in &self.steps {
            let state = out.paint(step.state.role(), &format!("{:<12}", step.state.name()));
            lines.push(format!("{state} {}", out.paint(Role::Heading, step.name)));
            for found in &step.found {
                lines.push(indented(out, "  ", found));
            }
            for change in &step.change {
                lines.push(indented(out, "  -> ", change));
            }
        }
        lines.push(String::new());
        lines.push(match (self.count(State::Failed), self.count(State::Warning)) {
            (0, 0) => "Everything works.".to_owned(),
            (0, 1) => "Everything works, with 1 warning.".to_owned(),
            (0, warnings) => format!("Everything works, with {warnings} warnings."),
            _ => "It does not work: see the step that failed.".to_owned(),
        });
        lines.join("\n")
    }

    pub(super) fn to_json(&self) -> Value {
        let steps = self.steps.iter().map(|step| {
            json!({
                "name": step.name,
                "state": step.state.name(),
                "found": step.found,
                "change": step.change,
                "facts": step.facts,
            })
        });
        json!({ "ok": !self.has_failed(), "steps": steps.collect::<Vec<_>>() })
    }
}

/// The lines of a text, set in; those after the first under the first.
fn indented(out: Stream, first: &str, text: &str) -> String {
    let margin = " ".repeat(13);
    let rest = " ".repeat(margin.len() + first.len());
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    out.wrap(&format!("{margin}{first}"), &rest, &lines.join("\n"))
}
