//! The lists: reasons for retries, ambiguous commits, faults, checks.

use super::canvas::{Canvas, Tone};
use crate::summary::{Check, Summary};
use crate::units::{clock, count, counted, share, time};

/// How many attempts transactions needed, and why attempts failed.
pub(super) fn retries(summary: &Summary, canvas: &mut Canvas<'_>) {
    let attempts = &summary.attempts;
    let retries = counted(attempts.retries, "retry", "retries");
    let said = [format!("{} each", attempts.per_transaction), retries];
    canvas.heading("Attempts", if attempts.total > 0 { &said } else { &[] });
    let all: u64 = attempts.distribution.iter().map(|row| row.transactions).sum();
    let shares: Vec<_> = attempts
        .distribution
        .iter()
        .map(|row| {
            let more = if row.or_more { "+" } else { "" };
            (format!("{}{more}: {}", row.attempts, share(row.transactions, all)), Tone::Faint)
        })
        .collect();
    canvas.parts(1, &shares);
    let total = |failure: &crate::summary::FailureReason| failure.retried + failure.ended;
    let rows = summary.failures.iter().map(|failure| {
        let code = failure.sqlstate.as_deref().map(|code| format!("{code} ")).unwrap_or_default();
        let tone = if failure.ended > 0 { Tone::Bad } else { Tone::Waits };
        (format!("{code}{}", failure.reason), total(failure), tone)
    });
    counts(canvas, 2, &rows.collect::<Vec<_>>(), "no attempt failed");
}

/// Commits of which nobody knew, and what they turned out to be: the latest first.
pub(super) fn ambiguous(summary: &Summary, canvas: &mut Canvas<'_>) {
    let ambiguous = &summary.ambiguous;
    let sum = summary.transactions.ambiguous;
    let said = [count(sum)];
    canvas.heading("Ambiguous commits", if sum > 0 { &said } else { &[] });
    if sum == 0 {
        return canvas.text(0, 1, canvas.width(), "none", Tone::Faint);
    }
    let parts = [
        (format!("{} committed", count(ambiguous.committed)), Tone::Good),
        (format!("{} not", count(ambiguous.not_committed)), Tone::Plain),
        (format!("{} unknown", count(ambiguous.unknown)), Tone::Bad),
    ];
    canvas.parts(1, &parts);
    for (row, commit) in ambiguous.commits.iter().rev().enumerate() {
        let tone = match commit.turned_out.as_str() {
            "committed" => Tone::Good,
            "unknown" => Tone::Bad,
            _ => Tone::Plain,
        };
        let y = row + 2;
        canvas.text(0, y, 8, &clock(commit.at_us), Tone::Faint);
        canvas.text(8, y, 14, &commit.turned_out, tone);
        let line = format!("{}: {}", commit.kind, commit.message);
        canvas.text(23, y, canvas.width(), &line, Tone::Plain);
    }
}

/// What was injected, and kills.
pub(super) fn faults(summary: &Summary, canvas: &mut Canvas<'_>) {
    let faults = &summary.faults;
    let mut said = Vec::new();
    if faults.injected > 0 {
        said.push(format!("{} injected", count(faults.injected)));
    }
    if faults.killed > 0 {
        said.push(counted(faults.killed, "kill", "kills"));
    }
    said.extend(faults.kills.last().map(|kill| match kill.down_us {
        Some(us) => format!("down {}", time(us)),
        None => "down now".to_owned(),
    }));
    canvas.heading("Faults", &said);
    let rows = faults.by_kind.iter().map(|fault| (fault.what.clone(), fault.count, Tone::Accent));
    counts(canvas, 1, &rows.collect::<Vec<_>>(), if faults.killed > 0 { "" } else { "none" });
}

/// What the checks found.
pub(super) fn checks(summary: &Summary, canvas: &mut Canvas<'_>) {
    canvas.heading("Checks", &[]);
    if summary.checks.is_empty() {
        canvas.text(0, 1, canvas.width(), "none yet", Tone::Faint);
    }
    // What failed must not be below the screen's edge.
    let failed = summary.checks.iter().filter(|check| check.failed > 0);
    let passed = summary.checks.iter().filter(|check| check.failed == 0);
    for (row, check) in failed.chain(passed).enumerate() {
        let (line, tone) = check_line(check);
        canvas.text(0, row + 1, canvas.width(), &line, tone);
    }
}

/// One check in a line.
pub(super) fn check_line(check: &Check) -> (String, Tone) {
    match &check.first_failure {
        Some(found) => (format!("✗ {}: {found}", check.check), Tone::Bad),
        None => (format!("✓ {} ×{}: {}", check.check, check.passed, check.last), Tone::Good),
    }
}

/// Names, bars and numbers, below each other from the row `top` on.
fn counts(canvas: &mut Canvas<'_>, top: usize, rows: &[(String, u64, Tone)], none: &str) {
    if rows.is_empty() {
        return canvas.text(0, top, canvas.width(), none, Tone::Faint);
    }
    let most = rows.iter().map(|(_, number, _)| *number).max().unwrap_or(0);
    let place = canvas.height().saturating_sub(top);
    let shown = || rows.iter().take(place);
    let numbers = shown().map(|(_, number, _)| count(*number).len()).max().unwrap_or(0);
    let longest = shown().map(|(name, ..)| name.chars().count()).max().unwrap_or(0);
    let names = longest.min(canvas.width() * 2 / 3);
    let bars = canvas.width().saturating_sub(names + numbers + 2);
    for (row, (name, number, tone)) in shown().enumerate() {
        let y = top + row;
        canvas.text(0, y, names, name, Tone::Plain);
        canvas.bar((names + 1, y), bars, (*number, most), *tone);
        canvas.text_right(y, &count(*number), Tone::Plain);
    }
}
