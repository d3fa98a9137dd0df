//! The charts: throughput, latency, back-off.

use super::canvas::{Canvas, Tone, scaled};
use crate::summary::{Summary, TimelineRow};
use crate::units::{clock, count, rate, time};

/// Commits a second, one column an interval: the latest that fit.
pub(super) fn throughput(summary: &Summary, canvas: &mut Canvas<'_>) {
    let series = &summary.series;
    let spans: Vec<_> = series.spans(summary.duration_us).collect();
    let whole = |lasted: u64| lasted == series.width_us;
    // An interval that is not over says little, unless there is no other.
    let some_are_over = spans.iter().any(|(_, lasted)| whole(*lasted));
    let shown: Vec<_> = spans
        .into_iter()
        .filter(|(_, lasted)| whole(*lasted) || !some_are_over)
        .rev()
        .take(canvas.width())
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    let rates: Vec<u64> =
        shown.iter().map(|(point, lasted)| per_million_seconds(point.committed, *lasted)).collect();
    let per_second = |rate_now: u64| rate(rate_now as f64 / 1e6);
    let now = rates.last().copied().unwrap_or(0);
    let most = rates.iter().copied().max().unwrap_or(0);
    let mean = rate(summary.transactions.committed_per_second);
    let said = [
        format!("{}/s", per_second(now)),
        format!("mean {mean}"),
        format!("peak {}", per_second(most)),
    ];
    canvas.heading("Throughput", if rates.is_empty() { &[] } else { &said });
    let axis = canvas.height().saturating_sub(1);
    canvas.columns(axis.saturating_sub(1), axis.saturating_sub(1), 1, &rates, Tone::Good);
    let (Some((first, _)), Some((last, _))) = (shown.first(), shown.last()) else { return };
    let end = clock(last.at_us.saturating_add(series.width_us));
    canvas.text(0, axis, canvas.width(), &clock(first.at_us), Tone::Faint);
    // Short runs end before the right edge does: their end stands below it.
    let end_at = shown.len().max(clock(first.at_us).len() + 2 + end.len()) - end.len();
    canvas.text(end_at, axis, canvas.width(), &end, Tone::Faint);
    for kill in &summary.faults.kills {
        let column = shown.iter().position(|(point, _)| {
            (point.at_us..point.at_us.saturating_add(series.width_us)).contains(&kill.at_us)
        });
        if let Some(column) = column {
            canvas.text(column, axis.saturating_sub(1), 1, "✗", Tone::Bad);
        }
    }
}

/// How many transactions took how long; below, where there is place, the percentiles of each kind.
pub(super) fn latency(summary: &Summary, canvas: &mut Canvas<'_>) {
    let Some(all) = summary.latency.first() else { return };
    let said = [format!("p50 {}", time(all.p50_us)), format!("p99 {}", time(all.p99_us))];
    canvas.heading("Latency", if all.count > 0 { &said } else { &[] });
    let kinds = summary.latency.get(1..).unwrap_or_default();
    let place = canvas.height().saturating_sub(8);
    let lines = if place > 1 { place.min(kinds.len() + 1) } else { 0 };
    let axis = canvas.height().saturating_sub(1 + lines);
    let bars = &summary.histogram;
    let (Some(first), Some(last)) = (bars.first(), bars.last()) else { return };
    let group = bars.len().div_ceil(canvas.width().max(1)).max(1);
    let values: Vec<u64> =
        bars.chunks(group).map(|bars| bars.iter().map(|bar| bar.count).sum()).collect();
    let width = (canvas.width() / values.len().max(1)).clamp(1, 4);
    canvas.columns(axis.saturating_sub(1), axis.saturating_sub(1), width, &values, Tone::Accent);
    let end = time(last.to_us);
    let end_at = (values.len() * width).max(20).min(canvas.width());
    canvas.text(0, axis, canvas.width(), &time(first.from_us), Tone::Faint);
    canvas.text(end_at.saturating_sub(end.chars().count()), axis, 12, &end, Tone::Faint);
    if lines == 0 {
        return;
    }
    let head = format!("{:<14}{:>9}{:>9}{:>9}{:>9}", "", "count", "p50", "p95", "p99");
    canvas.text(0, axis + 1, canvas.width(), &head, Tone::Faint);
    for (row, kind) in kinds.iter().take(lines - 1).enumerate() {
        let times = [kind.p50_us, kind.p95_us, kind.p99_us].map(time);
        let [p50, p95, p99] = times;
        let name: String = kind.kind.chars().take(14).collect();
        let line = format!("{name:<14}{:>9}{p50:>9}{p95:>9}{p99:>9}", count(kind.count));
        canvas.text(0, axis + 2 + row, canvas.width(), &line, Tone::Plain);
    }
}

/// The latest transactions that were retried or failed: their attempts as bars, their waits as dots.
pub(super) fn backoff(summary: &Summary, canvas: &mut Canvas<'_>) {
    let waits = &summary.backoff;
    let said =
        [format!("p50 {}", time(waits.p50_us)), format!("longest wait {}", time(waits.max_us))];
    canvas.heading("Back-off", if waits.waits > 0 { &said } else { &[] });
    let rows = canvas.height().saturating_sub(1);
    let shown = || summary.timeline.latest.iter().take(rows);
    if shown().next().is_none() {
        canvas.text(0, 1, canvas.width(), "no retries", Tone::Faint);
    }
    let longest = shown().map(|row| row.took_us).max().unwrap_or(0);
    for (number, row) in shown().enumerate() {
        timeline(row, longest, number + 1, canvas);
    }
}

fn timeline(row: &TimelineRow, longest: u64, y: usize, canvas: &mut Canvas<'_>) {
    const NAME: usize = 11;
    const TOOK: usize = 8;
    canvas.text(0, y, NAME - 1, &row.kind, Tone::Faint);
    let width = canvas.width().saturating_sub(NAME + TOOK);
    let mut at = 0_u64;
    let mut column = 0;
    for attempt in &row.attempts {
        let (shape, tone) =
            if attempt.reason.is_some() { ("▒", Tone::Bad) } else { ("█", Tone::Good) };
        at = at.saturating_add(attempt.took_us);
        // However short, an attempt is seen.
        let end = scaled(at, longest, width).max(column + 1).min(width);
        canvas.text(NAME + column, y, width, &shape.repeat(end.saturating_sub(column)), tone);
        column = end;
        if let Some(wait) = attempt.wait_us {
            at = at.saturating_add(wait);
            let end = scaled(at, longest, width).max(column).min(width);
            canvas.text(NAME + column, y, width, &"·".repeat(end - column), Tone::Waits);
            column = end;
        }
    }
    let tone = if row.outcome == "committed" { Tone::Plain } else { Tone::Bad };
    canvas.text_right(y, &time(row.took_us), tone);
}

/// A rate in commits per million seconds: whole numbers that keep the small ones.
fn per_million_seconds(committed: u64, lasted_us: u64) -> u64 {
    let rate = u128::from(committed) * 1_000_000_000_000 / u128::from(lasted_us.max(1));
    u64::try_from(rate).unwrap_or(u64::MAX)
}
