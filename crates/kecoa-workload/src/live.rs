//! The live view: the run as it goes, on a terminal.
//!
//! [`draw`] is pure: a summary in, cells out. [`watch`] draws it again and again until the run is over or
//! somebody wants it to be.

mod canvas;
mod lists;
mod panels;
mod screen;

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;

use self::canvas::{Canvas, Tone};
pub use self::screen::{Left, watch};
use crate::summary::Summary;
use crate::units::{clock, count, counted, rate, share, time};

/// Below this many columns or rows there are no charts.
const SMALLEST: (u16, u16) = (60, 18);
/// Rows of the heading.
const HEAD: u16 = 3;

/// Draws the run as it stands into an area of a terminal's cells, in colours if `color` says so.
///
/// From 60 columns and 18 rows on there are charts, which grow with the area; below, there is text.
/// Without colours the same is said by the characters alone.
pub fn draw(summary: &Summary, color: bool, area: Rect, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    let mut canvas = Canvas::new(buffer, area, color);
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        return draw_text(summary, &mut canvas);
    }
    let (head, rest) = canvas.rows(HEAD);
    let mut canvas = canvas.part(head);
    draw_head(summary, &mut canvas);
    let mut canvas = canvas.part(rest);
    let third = rest.height / 3;
    let (charts, rest) = canvas.rows(third);
    let (middle, low) = canvas.part(rest).rows(third);
    let halves = |canvas: &mut Canvas<'_>, rows: Rect| canvas.part(rows).halves();

    let (left, right) = halves(&mut canvas, charts);
    panels::throughput(summary, &mut canvas.part(left));
    panels::latency(summary, &mut canvas.part(right));
    let (left, right) = halves(&mut canvas, middle);
    panels::backoff(summary, &mut canvas.part(left));
    lists::retries(summary, &mut canvas.part(right));
    let (left, right) = halves(&mut canvas, low);
    lists::ambiguous(summary, &mut canvas.part(left));
    let mut right = canvas.part(right);
    let (faults, checks) = right.rows(low.height * 2 / 5 + 1);
    lists::faults(summary, &mut right.part(faults));
    lists::checks(summary, &mut right.part(checks));
}

/// What is run, how far it is, and the totals.
fn draw_head(summary: &Summary, canvas: &mut Canvas<'_>) {
    let run = &summary.run;
    let now = clock(summary.duration_us);
    let time = match run.planned_us {
        Some(planned) => format!("{now} of {} · q ends it", clock(planned)),
        None => format!("{now} · q ends it"),
    };
    let reserved = time.chars().count() + 2;
    let left = canvas.width().saturating_sub(reserved);
    let workers = counted(run.concurrency.into(), "worker", "workers");
    canvas.text(0, 0, left, &run.workload, Tone::Strong);
    let about = format!("· {workers}, {} · {}", run.client, run.server);
    let at = run.workload.chars().count() + 1;
    canvas.text(at, 0, left.saturating_sub(at), &about, Tone::Faint);
    canvas.text_right(0, &time, Tone::Plain);
    if let Some(planned) = run.planned_us {
        canvas.gauge(1, summary.duration_us, planned);
    }
    let sums = &summary.transactions;
    let mut parts = vec![(format!("{} committed", count(sums.committed)), Tone::Good)];
    for (number, name, tone) in [
        (sums.refused, "refused", Tone::Plain),
        (sums.failed, "failed", Tone::Bad),
        (sums.ambiguous, "ambiguous", Tone::Waits),
    ] {
        if number > 0 {
            let part = format!("{} {name}", count(number));
            let of_all = format!("{part} ({})", share(number, sums.total));
            parts.push((if canvas.width() < 80 { part } else { of_all }, tone));
        }
    }
    canvas.parts(2, &parts);
}

/// What a small terminal shows.
fn draw_text(summary: &Summary, canvas: &mut Canvas<'_>) {
    let sums = &summary.transactions;
    let mut lines = vec![
        (format!("{} {}", summary.run.workload, clock(summary.duration_us)), Tone::Strong),
        (format!("{} committed", count(sums.committed)), Tone::Good),
        (format!("{} a second", rate(sums.committed_per_second)), Tone::Plain),
    ];
    if let Some(all) = summary.latency.first() {
        lines.push((format!("p50 {} p99 {}", time(all.p50_us), time(all.p99_us)), Tone::Plain));
    }
    lines.push((counted(summary.attempts.retries, "retry", "retries"), Tone::Plain));
    lines.push((format!("{} failed, {} ambiguous", sums.failed, sums.ambiguous), Tone::Plain));
    for check in &summary.checks {
        lines.push(lists::check_line(check));
    }
    for (row, (line, tone)) in lines.iter().enumerate() {
        canvas.text(0, row, canvas.width(), line, *tone);
    }
}
