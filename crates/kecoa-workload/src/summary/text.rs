//! The summary as text, for the end of a run: at most 80 columns wide.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

use super::document::{End, Latency, Summary};
use crate::units::{clock, count, counted, rate, share, time};

/// The width that a line keeps to.
const WIDTH: usize = 80;
/// The width of the longest bar of a chart.
const BAR: u64 = 24;
/// Reasons, and ambiguous commits, that are shown; the rest are counted.
const SHOWN: usize = 8;

impl Summary {
    /// The summary as text, at most 80 columns wide; with colours of a terminal if `color` says so.
    #[must_use]
    pub fn to_text(&self, color: bool) -> String {
        let mut page = Page { text: String::new(), color };
        self.write_head(&mut page);
        self.write_latency(&mut page);
        self.write_attempts(&mut page);
        self.write_failures(&mut page);
        self.write_incidents(&mut page);
        self.write_ambiguous(&mut page);
        self.write_checks(&mut page);
        page.text
    }

    fn write_head(&self, page: &mut Page) {
        let run = &self.run;
        let workers = counted(run.concurrency.into(), "worker", "workers");
        page.line(&format!("{}: {workers} ({}) on {}", run.workload, run.client, run.database));
        page.line(&format!("server: {}", run.server));
        let end = match run.end {
            End::Running => "running",
            End::Completed => "completed",
            End::Interrupted => "interrupted",
            End::Violated => "ended: an invariant is violated",
            End::Failed => "ended: it could not go on",
        };
        page.line(&format!("{end} after {}", time(self.duration_us)));
        let sums = &self.transactions;
        page.head("Transactions");
        let per_second = rate(sums.committed_per_second);
        let rows = [
            ("committed", sums.committed, Paint::Good, format!("{per_second} a second")),
            ("refused", sums.refused, Paint::Plain, "by the program's own rules".to_owned()),
            ("failed", sums.failed, Paint::Bad, String::new()),
            ("ambiguous", sums.ambiguous, Paint::Waits, "COMMIT had no answer".to_owned()),
        ];
        for (name, number, paint, remark) in rows {
            if number > 0 || name == "committed" {
                let remark = if remark.is_empty() { remark } else { format!("  {remark}") };
                let of_all = share(number, sums.total);
                let number = count(number);
                page.line_of(&[
                    (Paint::Plain, &format!("  {name:<10}")),
                    (paint, &format!("{number:>12}")),
                    (Paint::Plain, &format!("{of_all:>7}{remark}")),
                ]);
            }
        }
    }

    fn write_latency(&self, page: &mut Page) {
        let Some(all) = self.latency.first().filter(|all| all.count > 0) else { return };
        page.head("Latency of what committed, retries and waits included");
        page.line(&format!(
            "  {:<14}{:>10}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}",
            "", "count", "mean", "p50", "p95", "p99", "p99.9", "max"
        ));
        // One kind alone would be the same line again.
        let kinds = if self.latency.len() > 2 { self.latency.get(1..) } else { None };
        for latency in kinds.unwrap_or_default() {
            page.line(&latency_line(latency));
        }
        page.line(&latency_line(all));
    }

    fn write_attempts(&self, page: &mut Page) {
        let attempts = &self.attempts;
        if attempts.retries == 0 {
            return;
        }
        page.head("Attempts");
        page.line(&format!(
            "  {} for each transaction; {}",
            attempts.per_transaction,
            counted(attempts.retries, "retry", "retries"),
        ));
        let most = attempts.distribution.iter().map(|row| row.transactions).max().unwrap_or(0);
        for row in &attempts.distribution {
            let number = format!("{}{}", row.attempts, if row.or_more { "+" } else { "" });
            let transactions = count(row.transactions);
            let bar = bar(row.transactions, most);
            page.line(&format!("  {number:>3} {transactions:>12}  {bar}"));
        }
        let waits = &self.backoff;
        if waits.waits > 0 {
            let waits = format!(
                "back-off: {}, {} in all, p50 {}, p95 {}, max {}",
                counted(waits.waits, "wait", "waits"),
                time(waits.total_us),
                time(waits.p50_us),
                time(waits.p95_us),
                time(waits.max_us),
            );
            page.wrapped(&waits, "  ");
        }
    }

    fn write_failures(&self, page: &mut Page) {
        if self.failures.is_empty() {
            return;
        }
        page.head("Why attempts failed");
        page.line(&format!("  {:>10} {:>10}  reason", "retried", "ended"));
        for failure in self.failures.iter().take(SHOWN) {
            let code = failure.sqlstate.as_deref().map(|code| format!("{code} "));
            page.line(&format!(
                "  {:>10} {:>10}  {}{}",
                count(failure.retried),
                count(failure.ended),
                code.unwrap_or_default(),
                failure.reason
            ));
        }
        page.rest(self.failures.len(), "reason", "reasons");
    }

    fn write_incidents(&self, page: &mut Page) {
        let faults = &self.faults;
        if faults.injected == 0 && faults.killed == 0 {
            return;
        }
        page.head("Faults");
        for fault in faults.by_kind.iter().take(SHOWN) {
            page.line(&format!("  {:>10}  {}", count(fault.count), fault.what));
        }
        page.rest(faults.by_kind.len(), "kind of fault", "kinds of fault");
        if faults.killed > 0 {
            let longest = faults.kills.iter().filter_map(|kill| kill.down_us).max();
            let down = longest.map(|us| format!("; down for {} at most", time(us)));
            let kills = counted(faults.killed, "kill", "kills");
            page.line(&format!("  {kills} of the server{}", down.unwrap_or_default()));
        }
    }

    fn write_ambiguous(&self, page: &mut Page) {
        let ambiguous = &self.ambiguous;
        if self.transactions.ambiguous == 0 {
            return;
        }
        page.head("Ambiguous commits, and what they turned out to be");
        page.line(&format!(
            "  {} committed, {} not committed, {} unknown",
            count(ambiguous.committed),
            count(ambiguous.not_committed),
            count(ambiguous.unknown)
        ));
        for commit in ambiguous.commits.iter().take(SHOWN) {
            page.line(&format!(
                "  {:>8}  {:<13}  {}: {}",
                clock(commit.at_us),
                commit.turned_out,
                commit.kind,
                commit.message
            ));
        }
        page.rest(ambiguous.commits.len(), "commit", "commits");
    }

    fn write_checks(&self, page: &mut Page) {
        if self.checks.is_empty() {
            return;
        }
        page.head("Checks");
        for check in &self.checks {
            let passed = counted(check.passed, "time", "times");
            match &check.first_failure {
                None => page.line_of(&[
                    (Paint::Good, "  passed "),
                    (Paint::Plain, &format!("{:<12} {passed}; {}", check.check, check.last)),
                ]),
                Some(found) => {
                    let failed = counted(check.failed, "time", "times");
                    page.line_of(&[
                        (Paint::Bad, "  FAILED "),
                        (Paint::Plain, &format!("{:<12} {failed}, passed {passed}", check.check)),
                    ]);
                    // What was found is what the run was made for: it is shown whole.
                    let at = clock(check.first_failure_at_us.unwrap_or_default());
                    page.wrapped(&format!("first at {at}: {found}"), "         ");
                }
            }
        }
    }
}

fn latency_line(latency: &Latency) -> String {
    let times = [
        latency.mean_us,
        latency.p50_us,
        latency.p95_us,
        latency.p99_us,
        latency.p999_us,
        latency.max_us,
    ];
    let mut line = format!("  {:<14}{:>10}", latency.kind, count(latency.count));
    for us in times {
        // Writing to a string cannot fail.
        let _ = write!(line, "{:>9}", time(us));
    }
    line
}

/// A bar for a share of the longest one; whatever is there at all has one.
fn bar(number: u64, most: u64) -> String {
    let cells = u128::from(number) * u128::from(BAR) / u128::from(most.max(1));
    "█".repeat(usize::try_from(cells).unwrap_or_default().max(usize::from(number > 0)))
}

/// What is meant by a colour.
#[derive(Clone, Copy)]
enum Paint {
    Plain,
    Head,
    Good,
    Bad,
    Waits,
}

/// Text that is put together line by line.
struct Page {
    text: String,
    color: bool,
}

impl Page {
    fn head(&mut self, text: &str) {
        self.text.push('\n');
        self.line_of(&[(Paint::Head, text)]);
    }

    fn line(&mut self, text: &str) {
        self.line_of(&[(Paint::Plain, text)]);
    }

    /// A line of parts, cut off at the width.
    fn line_of(&mut self, parts: &[(Paint, &str)]) {
        let mut left = WIDTH;
        for (paint, text) in parts {
            let shown = cut(text, left);
            left = left.saturating_sub(width(&shown));
            let code = match paint {
                _ if !self.color => "",
                Paint::Plain => "",
                Paint::Head => "1",
                Paint::Good => "32",
                Paint::Bad => "31",
                Paint::Waits => "33",
            };
            if code.is_empty() {
                self.text.push_str(&shown);
            } else {
                let _ = write!(self.text, "\u{1b}[{code}m{shown}\u{1b}[0m");
            }
        }
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
    }

    /// How many of a list were not shown.
    fn rest(&mut self, number: usize, one: &str, many: &str) {
        if let Some(rest) = number.checked_sub(SHOWN).filter(|rest| *rest > 0) {
            self.line(&format!("  … and {}", counted(rest as u64, one, many)));
        }
    }

    /// A text of any length, broken at words.
    fn wrapped(&mut self, text: &str, indent: &str) {
        let mut line = indent.to_owned();
        for word in text.split(' ') {
            if line.trim() != "" && width(&line) + 1 + width(word) > WIDTH {
                self.line(&line);
                line = indent.to_owned();
            }
            if line.trim() != "" {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(&line);
    }
}

fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// The beginning of a text that fits.
fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > columns {
            break;
        }
        out.push(c);
    }
    if columns > 0 {
        out.push('…');
    }
    out
}
