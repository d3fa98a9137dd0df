//! What the doctor reports: steps, and the same as JSON.

use serde_json::{Map, Value, json};

use crate::terminal::Role;

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Ok,
    Warning,
    Failed,
    NotReached,
}

impl State {
    pub(super) fn name(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Failed => "failed",
            State::NotReached => "not reached",
        }
    }

    pub(super) fn role(self) -> Role {
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
    /// Of what was found: what a failure or a warning is about.
    problem: Vec<String>,
    /// In a few words, when it works.
    summary: Option<String>,
    facts: Map<String, Value>,
}

impl Step {
    pub(super) fn new(name: &'static str) -> Step {
        Step {
            name,
            state: State::Ok,
            found: Vec::new(),
            change: Vec::new(),
            problem: Vec::new(),
            summary: None,
            facts: Map::new(),
        }
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
        let text = text.into();
        if !self.change.contains(&text) {
            self.change.push(text);
        }
    }

    /// What there is to know in a few words, when it works.
    pub(super) fn summarize(&mut self, text: impl Into<String>) {
        self.summary = Some(text.into());
    }

    /// What was found last works, but should be changed.
    pub(super) fn warn(&mut self, change: impl Into<String>) {
        if let Some(found) = self.found.last().filter(|found| !self.problem.contains(found)) {
            self.problem.push(found.clone());
        }
        self.notice(change);
    }

    /// Something should be changed, and says itself what it is about.
    pub(super) fn notice(&mut self, change: impl Into<String>) {
        self.state = self.state.max(State::Warning);
        self.consider(change);
    }

    /// Something does not work.
    pub(super) fn fail(&mut self, found: impl Into<String>, change: impl Into<String>) {
        let found = found.into();
        self.state = State::Failed;
        self.problem.push(found.clone());
        self.found.push(found);
        self.consider(change);
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

    /// Whether there is something to change that matters.
    pub(super) fn is_wrong(&self) -> bool {
        matches!(self.state, State::Failed | State::Warning)
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    pub(super) fn found(&self) -> &[String] {
        &self.found
    }

    pub(super) fn change(&self) -> &[String] {
        &self.change
    }

    pub(super) fn problem(&self) -> &[String] {
        &self.problem
    }

    pub(super) fn summary(&self) -> Option<&str> {
        self.summary.as_deref()
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

    /// The steps, in order.
    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
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
