//! The charts, as SVG: throughput, percentiles, the histogram, bars.

use std::fmt::{Display, Write as _};

use super::axis::{powers, round_steps, round_times};
use super::markup::Markup;
use crate::summary::{HistogramBar, Kill, Point, Summary};
use crate::units::{clock, count, counted, rate, time};

const WIDTH: f64 = 920.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 24.0;
const HEIGHT: f64 = 240.0;
const BOTTOM: f64 = 28.0;

/// Which percentile of an interval, in microseconds.
type Percentile = fn(&Point) -> Option<u64>;

/// A bar beside its name.
pub(super) struct BarRow {
    pub(super) name: String,
    /// Its parts from left to right: how long each is, and its class.
    pub(super) parts: Vec<(u64, &'static str)>,
    /// What is said beside it.
    pub(super) remark: String,
}

/// A drawing with its title and description for those who do not see it.
pub(super) fn svg(
    out: &mut Markup,
    height: f64,
    title: &str,
    description: &str,
    inside: impl FnOnce(&mut Markup),
) {
    let view_box = format!("0 0 {WIDTH} {height}");
    let attributes: &[(&str, &dyn Display)] = &[
        ("xmlns", &"http://www.w3.org/2000/svg"),
        ("viewBox", &view_box),
        ("role", &"img"),
        ("width", &WIDTH),
        ("height", &height),
    ];
    out.element("svg", attributes, |out| {
        out.text_element("title", &[], title);
        out.text_element("desc", &[], description);
        inside(out);
    });
    out.line_end();
}

/// A text of a drawing, `anchor`ed as SVG has it.
pub(super) fn label(out: &mut Markup, at: (f64, f64), anchor: &str, class: &str, text: &str) {
    let (x, y) = (tenths(at.0), tenths(at.1));
    let attributes: &[(&str, &dyn Display)] =
        &[("x", &x), ("y", &y), ("text-anchor", &anchor), ("class", &class)];
    out.text_element("text", attributes, text);
}

/// A filled rectangle; what it stands for is shown where a pointer rests on it.
pub(super) fn rectangle(
    out: &mut Markup,
    at: (f64, f64),
    size: (f64, f64),
    class: &str,
    title: &str,
) {
    let [x, y, width, height] = [at.0, at.1, size.0.max(0.5), size.1.max(0.5)].map(tenths);
    let attributes: &[(&str, &dyn Display)] =
        &[("x", &x), ("y", &y), ("width", &width), ("height", &height), ("class", &class)];
    out.element("rect", attributes, |out| out.text_element("title", &[], title));
}

/// A line of a drawing.
pub(super) fn line(out: &mut Markup, from: (f64, f64), to: (f64, f64), class: &str) {
    let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(tenths);
    let attributes: &[(&str, &dyn Display)] =
        &[("x1", &x1), ("y1", &y1), ("x2", &x2), ("y2", &y2), ("class", &class)];
    out.empty("line", attributes);
}

/// Commits, other ends and retries a second, and when the server was down.
pub(super) fn throughput(out: &mut Markup, summary: &Summary) {
    let spans: Vec<_> = summary.series.spans(summary.duration_us).collect();
    let rates = |number: fn(&Point) -> u64| -> Vec<(u64, f64)> {
        let rate = |point, lasted: u64| number(point) as f64 * 1e6 / lasted as f64;
        let middle = |point: &Point, lasted: u64| point.at_us.saturating_add(lasted / 2);
        spans.iter().map(|(point, lasted)| (middle(point, *lasted), rate(point, *lasted))).collect()
    };
    let committed = rates(|point| point.committed);
    let not_committed = rates(|point| point.not_committed);
    let retries = rates(|point| point.retries);
    let all = committed.iter().chain(&not_committed).chain(&retries);
    let largest = all.map(|(_, rate)| *rate).fold(0.0, f64::max);
    let steps = round_steps(largest, 4.0);
    let top = steps.last().copied().unwrap_or(1.0);
    let y = |rate: f64| TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - rate / top);
    let description = format!(
        "Commits a second over the run's time: {} on average, {} at most in an interval of {}.",
        rate(summary.transactions.committed_per_second),
        rate(committed.iter().map(|(_, rate)| *rate).fold(0.0, f64::max)),
        time(summary.series.width_us),
    );
    svg(out, HEIGHT, "Throughput over time", &description, |out| {
        let axis = TimeAxis::new(summary.duration_us);
        for step in &steps {
            line(out, (LEFT, y(*step)), (WIDTH - RIGHT, y(*step)), "grid");
            label(out, (LEFT - 6.0, y(*step) + 4.0), "end", "", &step_label(*step));
        }
        axis.draw(out);
        for kill in &summary.faults.kills {
            down(out, &axis, kill, summary.duration_us);
        }
        for (values, class) in [
            (&not_committed, "series red dotted"),
            (&retries, "series amber dashed"),
            (&committed, "series blue"),
        ] {
            if values.iter().any(|(_, rate)| *rate > 0.0) || class == "series blue" {
                let points = values.iter().map(|(at, rate)| Some((axis.x(*at), y(*rate))));
                polyline(out, points, class);
            }
        }
        for (point, _) in spans.iter().filter(|(point, _)| point.faults > 0) {
            let at = (axis.x(point.at_us) - 1.0, HEIGHT - BOTTOM - 5.0);
            let faults = format!(
                "{} from {} on",
                counted(point.faults, "fault", "faults"),
                clock(point.at_us)
            );
            rectangle(out, at, (2.0, 5.0), "fill-purple", &faults);
        }
        let mut entries = vec![
            ("committed a second", "series blue"),
            ("retries", "series amber dashed"),
            ("not committed", "series red dotted"),
        ];
        if spans.iter().any(|(point, _)| point.faults > 0) {
            entries.push(("faults", "fill-purple"));
        }
        if !summary.faults.kills.is_empty() {
            entries.push(("server down", "down"));
        }
        legend(out, &entries);
    });
}

/// Percentiles of the latency over time, on a logarithmic axis.
pub(super) fn percentiles(out: &mut Markup, summary: &Summary) {
    let points = &summary.series.points;
    let all = || points.iter().flat_map(|p| [p.p50_us, p.p95_us, p.p99_us]).flatten();
    let (Some(smallest), Some(largest)) = (all().min(), all().max()) else { return };
    let axis = TimeAxis::new(summary.duration_us);
    let scale = LogScale::new(smallest, largest);
    let y = |us: u64| TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - scale.of(us));
    let of_all = summary.latency.first();
    let description = format!(
        "Percentiles of the latency over the run's time. Over the whole run: p50 {}, p95 {}, p99 {}.",
        time(of_all.map_or(0, |l| l.p50_us)),
        time(of_all.map_or(0, |l| l.p95_us)),
        time(of_all.map_or(0, |l| l.p99_us)),
    );
    svg(out, HEIGHT, "Latency over time", &description, |out| {
        for us in scale.ticks() {
            line(out, (LEFT, y(us)), (WIDTH - RIGHT, y(us)), "grid");
            label(out, (LEFT - 6.0, y(us) + 4.0), "end", "", &short_time(us));
        }
        axis.draw(out);
        let series: [(Percentile, &str); 3] = [
            (|point| point.p99_us, "series red dotted"),
            (|point| point.p95_us, "series amber dashed"),
            (|point| point.p50_us, "series blue"),
        ];
        for (of, class) in series {
            let half = summary.series.width_us / 2;
            let points = points
                .iter()
                .map(|point| of(point).map(|us| (axis.x(point.at_us.saturating_add(half)), y(us))));
            polyline(out, points, class);
        }
        legend(
            out,
            &[("p50", "series blue"), ("p95", "series amber dashed"), ("p99", "series red dotted")],
        );
    });
}

/// How many transactions took how long.
pub(super) fn histogram(out: &mut Markup, summary: &Summary) {
    let bars = &summary.histogram;
    let (Some(first), Some(last)) = (bars.first(), bars.last()) else { return };
    let most = bars.iter().map(|bar| bar.count).max().unwrap_or(0);
    let steps = round_steps(most as f64, 4.0);
    let top = steps.last().copied().unwrap_or(1.0);
    let slot = (WIDTH - LEFT - RIGHT) / bars.len().max(1) as f64;
    let floor = HEIGHT - BOTTOM;
    let y = |number: f64| TOP + (floor - TOP) * (1.0 - number / top);
    let description = format!(
        "How many transactions took how long, from {} to {}; most, {}, between {}.",
        time(first.from_us),
        time(last.to_us),
        count(most),
        bars.iter().find(|bar| bar.count == most).map_or_else(String::new, range),
    );
    svg(out, HEIGHT, "Latency histogram", &description, |out| {
        for step in &steps {
            line(out, (LEFT, y(*step)), (WIDTH - RIGHT, y(*step)), "grid");
            if step.fract() == 0.0 {
                label(out, (LEFT - 6.0, y(*step) + 4.0), "end", "", &step_label(*step));
            }
        }
        // Labels need about 60 units each.
        let each = bars.len().div_ceil(14).max(1);
        for (index, bar) in bars.iter().enumerate() {
            let x = LEFT + slot * index as f64;
            let title = format!("between {}: {}", range(bar), count(bar.count));
            let height = floor - y(bar.count as f64);
            if bar.count > 0 {
                let width = (slot - 2.0).min(120.0);
                rectangle(
                    out,
                    (x + 1.0, floor - height.max(1.0)),
                    (width, height.max(1.0)),
                    "fill-blue",
                    &title,
                );
            }
            if index % each == 0 {
                label(out, (x, floor + 16.0), "middle", "", &short_time(bar.from_us));
            }
        }
        line(out, (LEFT, floor), (WIDTH - RIGHT, floor), "axis");
    });
}

/// Bars below each other, all on one scale.
pub(super) fn bars(out: &mut Markup, title: &str, rows: &[BarRow]) {
    const NAME: f64 = 260.0;
    const REMARK: f64 = 170.0;
    const ROW: f64 = 24.0;
    let total = |parts: &[(u64, &str)]| parts.iter().map(|(number, _)| *number).sum::<u64>();
    let most = rows.iter().map(|row| total(&row.parts)).max().unwrap_or(0).max(1);
    let description: Vec<_> =
        rows.iter().map(|row| format!("{}: {}", row.name, row.remark)).collect();
    let height = ROW * rows.len() as f64 + 4.0;
    svg(out, height, title, &description.join("; "), |out| {
        for (index, BarRow { name, parts, remark }) in rows.iter().enumerate() {
            let y = ROW * index as f64 + 4.0;
            label(out, (0.0, y + 13.0), "start", "name", &shortened(name, 36));
            let mut x = NAME;
            for (number, class) in parts.iter().filter(|(number, _)| *number > 0) {
                let width = (WIDTH - NAME - REMARK) * *number as f64 / most as f64;
                rectangle(out, (x, y), (width, ROW - 8.0), class, remark);
                x += width.max(0.5);
            }
            label(out, (x + 8.0, y + 13.0), "start", "", remark);
        }
    });
}

/// The time axis: the run's time below.
pub(super) struct TimeAxis {
    duration: f64,
    ticks: Vec<u64>,
}

impl TimeAxis {
    pub(super) fn new(duration_us: u64) -> TimeAxis {
        TimeAxis { duration: duration_us.max(1_000_000) as f64, ticks: round_times(duration_us, 8) }
    }

    pub(super) fn x(&self, us: u64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * (us as f64 / self.duration).min(1.0)
    }

    fn draw(&self, out: &mut Markup) {
        let floor = HEIGHT - BOTTOM;
        line(out, (LEFT, floor), (WIDTH - RIGHT, floor), "axis");
        for us in &self.ticks {
            line(out, (self.x(*us), floor), (self.x(*us), floor + 4.0), "axis");
            let anchor = if self.x(*us) > WIDTH - RIGHT - 20.0 { "end" } else { "middle" };
            label(out, (self.x(*us), floor + 18.0), anchor, "", &clock(*us));
        }
    }
}

/// A logarithmic axis from 0 to 1, of whole powers of ten.
struct LogScale {
    from: u32,
    to: u32,
}

impl LogScale {
    fn new(smallest: u64, largest: u64) -> LogScale {
        let (from, to) = powers(smallest, largest);
        LogScale { from, to }
    }

    fn of(&self, us: u64) -> f64 {
        let from = f64::from(self.from);
        ((us.max(1) as f64).log10() - from) / (f64::from(self.to) - from)
    }

    fn ticks(&self) -> impl Iterator<Item = u64> {
        (self.from..=self.to).map(|power| 10_u64.saturating_pow(power))
    }
}

fn down(out: &mut Markup, axis: &TimeAxis, kill: &Kill, duration_us: u64) {
    let end = kill.down_us.map_or(duration_us, |down| kill.at_us.saturating_add(down));
    let (from, to) = (axis.x(kill.at_us), axis.x(end));
    let title = match kill.down_us {
        Some(down) => format!("killed at {}, down for {}", clock(kill.at_us), time(down)),
        None => format!("killed at {}", clock(kill.at_us)),
    };
    rectangle(out, (from, TOP), ((to - from).max(2.0), HEIGHT - TOP - BOTTOM), "down", &title);
}

/// A line through points; where there is none, it is interrupted. A point alone is a short dash.
fn polyline(out: &mut Markup, points: impl Iterator<Item = Option<(f64, f64)>>, class: &str) {
    let mut path = String::new();
    let (mut pen_down, mut single) = (false, false);
    for point in points.chain([None]) {
        let Some((x, y)) = point else {
            if single {
                path.push_str("h3");
            }
            (pen_down, single) = (false, false);
            continue;
        };
        let command = if pen_down { 'L' } else { 'M' };
        // Writing to a string cannot fail.
        let _ = write!(path, "{command}{} {}", tenths(x), tenths(y));
        single = !pen_down;
        pen_down = true;
    }
    let attributes: &[(&str, &dyn Display)] = &[("d", &path), ("class", &class)];
    out.empty("path", attributes);
}

fn legend(out: &mut Markup, entries: &[(&str, &str)]) {
    let mut x = LEFT;
    for (name, class) in entries {
        match class.starts_with("series") {
            true => line(out, (x, 10.0), (x + 24.0, 10.0), class),
            false => rectangle(out, (x + 4.0, 5.0), (16.0, 10.0), class, name),
        }
        label(out, (x + 30.0, 14.0), "start", "name", name);
        // No measure of text exists here; this is that of a wide font.
        x += 56.0 + 8.0 * name.len() as f64;
    }
}

fn range(bar: &HistogramBar) -> String {
    format!("{} and {}", short_time(bar.from_us), short_time(bar.to_us))
}

/// A round number, without needless zeros.
fn step_label(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let text = rate(value);
    match text.split_once('.') {
        Some(_) => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        None => text,
    }
}

/// A round time without needless zeros: `1.5 ms`, not `1.50 ms`.
fn short_time(us: u64) -> String {
    let text = time(us);
    match text.split_once(' ') {
        Some((number, unit)) if number.contains('.') => {
            format!("{} {unit}", number.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => text,
    }
}

pub(super) fn shortened(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    text.chars().take(length - 1).chain(['…']).collect()
}

/// A coordinate: a tenth of a unit is less than anybody sees.
fn tenths(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}
