//! Back-off as a picture: attempts and waits of single transactions, one below the other.

use super::charts::{label, line, rectangle, shortened, svg};
use super::markup::Markup;
use crate::summary::{TimelineAttempt, TimelineRow};
use crate::units::{clock, counted, time};

const NAME: f64 = 190.0;
const BARS: f64 = 400.0;
const ROW: f64 = 20.0;
const TOP: f64 = 24.0;

/// The transactions' attempts as bars and their waits as dashed lines, all from their own beginning.
pub(super) fn timeline(out: &mut Markup, title: &str, rows: &[TimelineRow]) {
    let longest = rows.iter().map(|row| row.took_us).max().unwrap_or(0).max(1);
    let attempts: usize = rows.iter().map(|row| row.attempts.len()).sum();
    let description = format!(
        "{} with {}; the longest took {}. A bar is an attempt, a dashed line the wait before the next.",
        counted(rows.len() as u64, "transaction", "transactions"),
        counted(attempts as u64, "attempt", "attempts"),
        time(longest),
    );
    svg(out, TOP + ROW * rows.len() as f64 + 4.0, title, &description, |out| {
        legend(out);
        for (index, row) in rows.iter().enumerate() {
            let y = TOP + ROW * index as f64;
            draw_row(out, row, y, longest);
        }
    });
}

fn draw_row(out: &mut Markup, row: &TimelineRow, y: f64, longest: u64) {
    let x = |us: u64| NAME + BARS * us as f64 / longest as f64;
    let name = format!("{} {} · {}", clock(row.started_us), row.kind, row.worker);
    label(out, (0.0, y + 12.0), "start", "name", &shortened(&name, 30));
    let mut at = 0_u64;
    let last = row.attempts.len().saturating_sub(1);
    for (number, attempt) in row.attempts.iter().enumerate() {
        let end = at.saturating_add(attempt.took_us).min(longest);
        let class = if attempt.reason.is_some() { "fill-red" } else { "fill-green" };
        let about = about(attempt, number, number == last);
        rectangle(out, (x(at), y + 3.0), (x(end) - x(at), ROW - 8.0), class, &about);
        at = end;
        if let Some(wait) = attempt.wait_us {
            let end = at.saturating_add(wait).min(longest);
            line(out, (x(at), y + ROW / 2.0 - 1.0), (x(end), y + ROW / 2.0 - 1.0), "wait");
            at = end;
        }
    }
    let attempts = row.attempts.len() as u64 + row.more_attempts;
    let said = format!("{}, {}", time(row.took_us), counted(attempts, "attempt", "attempts"));
    let said = if row.outcome == "committed" { said } else { format!("{said}: {}", row.outcome) };
    label(out, (NAME + BARS + 12.0, y + 12.0), "start", "", &shortened(&said, 45));
}

fn about(attempt: &TimelineAttempt, number: usize, last: bool) -> String {
    let mut text = format!("attempt {}: {}", number + 1, time(attempt.took_us));
    if let Some(reason) = &attempt.reason {
        let code = attempt.sqlstate.as_deref().map(|code| format!("{code} ")).unwrap_or_default();
        text = format!("{text}, {code}{reason}");
    }
    match attempt.wait_us {
        Some(wait) if !last => format!("{text}; then a wait of {}", time(wait)),
        _ => text,
    }
}

fn legend(out: &mut Markup) {
    rectangle(out, (NAME, 4.0), (16.0, 10.0), "fill-red", "failed attempt");
    label(out, (NAME + 22.0, 14.0), "start", "", "failed attempt");
    line(out, (NAME + 136.0, 9.0), (NAME + 160.0, 9.0), "wait");
    label(out, (NAME + 166.0, 14.0), "start", "", "wait");
    rectangle(out, (NAME + 212.0, 4.0), (16.0, 10.0), "fill-green", "attempt that succeeded");
    label(out, (NAME + 234.0, 14.0), "start", "", "attempt that succeeded");
}
