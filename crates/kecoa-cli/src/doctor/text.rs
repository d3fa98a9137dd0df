//! The doctor's report as text: what is wrong first; what works in a line each, unless more is asked for.

use super::report::{Report, State, Step};
use crate::terminal::{Role, Stream};

/// Steps that one line sums up, by the name of that line.
const GROUPS: [(&str, &[&str]); 5] = [
    ("database", &["configuration"]),
    ("connection", &["name", "connection", "TLS"]),
    ("login", &["login"]),
    ("server", &["server", "clock", "latency", "isolation", "settings"]),
    ("retry", &["retry", "retry policy"]),
];

/// The report for whoever wants to know whether it works: six lines when it does.
pub(super) fn short(report: &Report, out: Stream) -> String {
    let mut lines = Vec::new();
    for step in worst_first(report).filter(|step| step.is_wrong()) {
        lines.push(title(out, step, 8));
        lines.extend(step.problem().iter().map(|found| indented(out, 9, "", found)));
        lines.extend(step.change().iter().map(|change| indented(out, 9, "-> ", change)));
    }
    for (name, steps) in GROUPS {
        let mut of_group = report.steps().iter().filter(|step| steps.contains(&step.name()));
        if of_group.clone().any(|step| matches!(step.state(), State::Failed | State::NotReached)) {
            continue;
        }
        let summaries: Vec<&str> = of_group.clone().filter_map(Step::summary).collect();
        // What is wrong stands above.
        let state = if of_group.any(Step::is_wrong) { State::Warning } else { State::Ok };
        let first = format!(
            "{} {} ",
            out.paint(state.role(), &format!("{:<8}", state.name())),
            out.paint(Role::Heading, &format!("{name:<11}"))
        );
        lines.push(out.wrap(&first, &" ".repeat(21), &summaries.join(", ")));
    }
    lines.extend(not_reached(report, out));
    let more = if report.has_failed() { "" } else { " (-v shows the details.)" };
    lines.push(format!("{}{}", verdict(report, out), out.paint(Role::Dim, more)));
    lines.join("\n")
}

/// Every step, with all that was found.
pub(super) fn detailed(report: &Report, out: Stream) -> String {
    let mut lines = Vec::new();
    for step in worst_first(report).filter(|step| step.state() != State::NotReached) {
        lines.push(title(out, step, 12));
        lines.extend(step.found().iter().map(|found| indented(out, 15, "", found)));
        lines.extend(step.change().iter().map(|change| indented(out, 15, "-> ", change)));
    }
    lines.extend(not_reached(report, out));
    lines.push(String::new());
    lines.push(verdict(report, out));
    lines.join("\n")
}

/// Those that failed, those with a warning, the rest; each in the order in which they were made.
fn worst_first(report: &Report) -> impl Iterator<Item = &Step> {
    let of = |state| report.steps().iter().filter(move |step| step.state() == state);
    of(State::Failed).chain(of(State::Warning)).chain(of(State::Ok)).chain(of(State::NotReached))
}

fn title(out: Stream, step: &Step, width: usize) -> String {
    let state = format!("{:<width$}", step.state().name());
    format!("{} {}", out.paint(step.state().role(), &state), out.paint(Role::Heading, step.name()))
}

fn not_reached(report: &Report, out: Stream) -> Option<String> {
    let names: Vec<&str> = report
        .steps()
        .iter()
        .filter(|step| step.state() == State::NotReached)
        .map(Step::name)
        .collect();
    let first = format!("{} ", out.paint(Role::Dim, "not reached:"));
    (!names.is_empty()).then(|| out.wrap(&first, &" ".repeat(13), &names.join(", ")))
}

fn verdict(report: &Report, out: Stream) -> String {
    let warnings = report.steps().iter().filter(|step| step.state() == State::Warning).count();
    let (role, text) = match warnings {
        _ if report.has_failed() => {
            (Role::Bad, "It does not work: see the step at the top.".to_owned())
        }
        0 => (Role::Good, "Everything works.".to_owned()),
        1 => (Role::Warning, "Everything works, with 1 warning.".to_owned()),
        _ => (Role::Warning, format!("Everything works, with {warnings} warnings.")),
    };
    out.paint(role, &text)
}

/// The lines of a text, set in; those after the first under the first.
fn indented(out: Stream, margin: usize, mark: &str, text: &str) -> String {
    let margin = " ".repeat(margin);
    let rest = " ".repeat(margin.len() + mark.len());
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    out.wrap(&format!("{margin}{mark}"), &rest, &lines.join("\n"))
}
