//! Numbers as people read them: with their units, and three digits that count.

/// `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 retry`, `2 retries`: the number and its noun.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A time of `us` microseconds: `850 µs`, `1.25 ms`, `41.0 ms`, `1.50 s`, `3 min 5 s`.
pub(crate) fn time(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{} ms", three_digits(us, 1_000)),
        1_000_000..60_000_000 => format!("{} s", three_digits(us, 1_000_000)),
        60_000_000.. => {
            let s = us / 1_000_000;
            let (hours, minutes, seconds) = (s / 3_600, s / 60 % 60, s % 60);
            match (hours, minutes, seconds) {
                (0, m, 0) => format!("{m} min"),
                (0, m, s) => format!("{m} min {s} s"),
                (h, 0, _) => format!("{h} h"),
                (h, m, _) => format!("{h} h {m} min"),
            }
        }
    }
}

/// A time since the run's start: `0:07`, `12:30`, `1:00:00`.
pub(crate) fn clock(us: u64) -> String {
    let s = us / 1_000_000;
    match s / 3_600 {
        0 => format!("{}:{:02}", s / 60, s % 60),
        hours => format!("{hours}:{:02}:{:02}", s / 60 % 60, s % 60),
    }
}

/// A rate per second: `0.25`, `12.5`, `1,234`.
pub(crate) fn rate(per_second: f64) -> String {
    if per_second >= 99.95 {
        // Through text, which rounds, because a cast would cut off.
        return count(format!("{per_second:.0}").parse().unwrap_or(u64::MAX));
    }
    if per_second >= 9.995 { format!("{per_second:.1}") } else { format!("{per_second:.2}") }
}

/// The share of `part` in `whole`: `0%`, `0.3%`, `12%`; `-` of nothing.
pub(crate) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    let percent = part as f64 * 100.0 / whole as f64;
    if part == 0 || percent >= 9.95 {
        format!("{percent:.0}%")
    } else if percent < 0.05 {
        "<0.1%".to_owned()
    } else {
        format!("{percent:.1}%")
    }
}

/// `number / unit`, with three digits.
fn three_digits(number: u64, unit: u64) -> String {
    let value = number as f64 / unit as f64;
    if value >= 99.95 {
        format!("{value:.0}")
    } else if value >= 9.995 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::{clock, count, rate, share, time};

    #[test]
    fn counts_have_separators() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn times_have_their_unit() {
        let shown = [0, 999, 1_000, 41_000, 412_345, 999_950, 1_500_000, 60_000_000, 185_000_000];
        assert_eq!(
            shown.map(time),
            [
                "0 µs",
                "999 µs",
                "1.00 ms",
                "41.0 ms",
                "412 ms",
                "1000 ms",
                "1.50 s",
                "1 min",
                "3 min 5 s"
            ]
        );
        assert_eq!([3_600_000_000, 7_320_000_000].map(time), ["1 h", "2 h 2 min"]);
        assert_eq!(
            [7_900_000, 750_000_000, 3_600_000_000].map(clock),
            ["0:07", "12:30", "1:00:00"]
        );
    }

    #[test]
    fn rates_and_shares() {
        assert_eq!([0.0, 0.254, 12.54, 1_233.6].map(rate), ["0.00", "0.25", "12.5", "1,234"]);
        let shares = [(0, 0), (0, 9), (1, 3), (1, 300), (1, 30_000)];
        assert_eq!(shares.map(|(a, b)| share(a, b)), ["-", "0%", "33%", "0.3%", "<0.1%"]);
    }
}
