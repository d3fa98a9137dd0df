//! What the doctor reports: steps, as text and as JSON.

use serde_json::{Map, Value, json};

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

    pub(super) fn to_text(&self) -> String {
        let mut lines = Vec::new();
        for step in &self.steps {
            lines.push(format!("{:<12} {}", step.state.name(), step.name));
            for found in &step.found {
                lines.extend(indented("  ", found));
            }
            for change in &step.change {
                lines.extend(indented("  -> ", change));
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

    pub(super) fn to_json(&self) -> String {
        let steps = self.steps.iter().map(|step| {
            json!({
                "name": step.name,
                "state": step.state.name(),
                "found": step.found,
                "change": step.change,
                "facts": step.facts,
            })
        });
        let report = json!({ "ok": !self.has_failed(), "steps": steps.collect::<Vec<_>>() });
        format!("{report:#}")
    }
}

/// The lines of a text, set in; those after the first under the first.
fn indented(first: &str, text: &str) -> Vec<String> {
    let margin = " ".repeat(13);
    let rest = " ".repeat(first.len());
    let lines = text.lines().map(str::trim).enumerate();
    lines.map(|(i, line)| format!("{margin}{}{line}", if i == 0 { first } else { &rest })).collect()
}
