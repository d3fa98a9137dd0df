//! Dates out of text: the forms of ISO 8601, some natural ones, and formats with `%`.

use super::date_format::MONTHS;
use super::instant::{self, Civil, DAY};
use super::time_unit;
use super::zone::Zone;
use super::zone_abbreviation::abbreviation;

/// Why a text is no date.
pub(super) type Refusal = String;

/// What a text says.
#[derive(Clone, Debug, Default)]
struct Fields {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    iso_year: Option<i64>,
    iso_week: Option<i64>,
    iso_day: Option<i64>,
    hour: Option<i64>,
    minute: Option<i64>,
    second: Option<i64>,
    millisecond: Option<i64>,
    zone: Option<Zone>,
}

/// Milliseconds since 1970 of a text; `zone` is the one beside the text.
pub(super) fn parse(text: &str, zone: Option<&Zone>) -> Result<i64, Refusal> {
    let fields = Reader::new(text).date_and_time().ok_or_else(|| refused(text))?;
    fields.instant(text, zone)
}

/// The same of a text in a format.
pub(super) fn parse_with(text: &str, format: &str, zone: Option<&Zone>) -> Result<i64, Refusal> {
    let mut reader = Reader::new(text);
    let mut fields = Fields::default();
    let mut specifiers = format.chars();
    while let Some(specifier) = specifiers.next() {
        let read = if specifier == '%' {
            reader.specified(specifiers.next().unwrap_or('%'), &mut fields)
        } else {
            reader.literal(specifier)
        };
        read.ok_or_else(|| refused(text))?;
    }
    if !reader.rest.is_empty() {
        return Err(format!("Error parsing date string '{text}'; Trailing data"));
    }
    fields.instant(text, zone)
}

fn refused(text: &str) -> Refusal {
    format!("Error parsing date string '{text}'")
}

impl Fields {
    fn instant(self, text: &str, zone: Option<&Zone>) -> Result<i64, Refusal> {
        let incomplete = || {
            format!(
                "an incomplete date/time string has been found, with elements missing: \"{text}\""
            )
        };
        let invalid = || format!("Error parsing date string '{text}'; The parsed date was invalid");
        if self.zone.is_some() && zone.is_some() {
            return Err(format!(
                "you cannot pass in a date/time string with time zone information ('{text}') together with a timezone argument"
            ));
        }
        let natural = self.month.is_some() || self.day.is_some() || self.year.is_some();
        let days = if self.iso_year.is_some() || self.iso_week.is_some() {
            if natural {
                return Err(format!(
                    "Error parsing date string '{text}'; Mixing of ISO dates with natural dates is not allowed"
                ));
            }
            let year = self.iso_year.ok_or_else(incomplete)?;
            let week = self.iso_week.unwrap_or(1);
            let day = self.iso_day.unwrap_or(1);
            if !(1..=53).contains(&week) || !(1..=7).contains(&day) {
                return Err(invalid());
            }
            instant::iso_year_start(year).map(|start| start + (week - 1) * 7 + day - 1)
        } else if let Some(day) = self.day_of_year {
            let year = self.year.ok_or_else(incomplete)?;
            if !(1..=366).contains(&day) {
                return Err(invalid());
            }
            instant::to_days(year, 1, day)
        } else {
            let (Some(year), Some(month), Some(day)) = (self.year, self.month, self.day) else {
                return Err(incomplete());
            };
            if !(1..=12).contains(&month)
                || !(1..=instant::days_of_month(year, month)).contains(&day)
            {
                return Err(invalid());
            }
            instant::to_days(year, month, day)
        };
        let (hour, minute) = (self.hour.unwrap_or(0), self.minute.unwrap_or(0));
        let second = self.second.unwrap_or(0);
        if hour > 24 || minute > 59 || second > 60 || hour == 24 && (minute > 0 || second > 0) {
            return Err(invalid());
        }
        let time =
            hour * 3_600_000 + minute * 60_000 + second * 1000 + self.millisecond.unwrap_or(0);
        let local = days.and_then(|days| days.checked_mul(DAY)?.checked_add(time));
        let zone = self.zone.as_ref().or(zone).unwrap_or(&Zone::UTC);
        local.and_then(|local| zone.instant(Civil::from_milliseconds(local))).ok_or_else(invalid)
    }
}

/// Reads a text from its front.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// `2024-02-29T12:34:56.789+01:00` and what is left out of it; `29 February 2024`, `Thu, Feb 29, 2024`.
    fn date_and_time(mut self) -> Option<Fields> {
        self.rest = self.rest.trim();
        let mut fields = Fields::default();
        self.week_day();
        self.date(&mut fields)?;
        let marked = self.rest.strip_prefix(['T', 't']);
        match marked.filter(|rest| rest.starts_with(|next: char| next.is_ascii_digit())) {
            Some(rest) => self.rest = rest,
            None => self.skip(" \t,"),
        }
        if self.rest.starts_with(|next: char| next.is_ascii_digit()) {
            self.time(&mut fields)?;
        } else if self.word("noon") {
            fields.hour = Some(12);
        } else {
            self.word("midnight");
        }
        self.spaces();
        if !self.rest.is_empty() {
            fields.zone = Some(self.zone()?);
        }
        self.rest.is_empty().then_some(fields)
    }

    fn skip(&mut self, separators: &str) {
        self.rest = self.rest.trim_start_matches(|next| separators.contains(next));
    }

    /// A word in any case, if it is next.
    fn word(&mut self, word: &str) -> bool {
        let (found, rest) = self.rest.split_at_checked(self.letters()).unwrap_or(("", self.rest));
        let same = found.eq_ignore_ascii_case(word);
        if same {
            self.rest = rest;
        }
        same
    }

    /// How many letters are next.
    fn letters(&self) -> usize {
        self.rest.bytes().take_while(u8::is_ascii_alphabetic).count()
    }

    /// The name of a day in front of a date.
    fn week_day(&mut self) {
        let Some((word, rest)) = self.rest.split_at_checked(self.letters()) else { return };
        if time_unit::week_day(word).is_some() {
            self.rest = rest;
            self.skip(" \t,.");
        }
    }

    fn spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn literal(&mut self, expected: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(expected)?;
        Some(())
    }

    /// From `least` to `most` digits.
    fn digits(&mut self, least: usize, most: usize) -> Option<(i64, usize)> {
        let count = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if count < least {
            return None;
        }
        let (digits, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some((digits.parse().ok()?, count))
    }

    fn number(&mut self, least: usize, most: usize) -> Option<i64> {
        self.digits(least, most).map(|(value, _)| value)
    }

    fn month_name(&mut self) -> Option<i64> {
        let (word, rest) = self.rest.split_at_checked(self.letters())?;
        let named = |month: &&str| {
            month.eq_ignore_ascii_case(word)
                || month.get(..3).is_some_and(|short| short.eq_ignore_ascii_case(word))
        };
        let sept = if word.eq_ignore_ascii_case("sept") { Some(8) } else { None };
        let index = sept.or_else(|| MONTHS.iter().position(named))?;
        self.rest = rest;
        i64::try_from(index + 1).ok()
    }

    /// A year of four digits, or of two: 00 to 69 are after 2000.
    fn year(&mut self) -> Option<i64> {
        match self.digits(2, 4)? {
            (year, 4) => Some(year),
            (year @ ..70, 2) => Some(2000 + year),
            (year, 2) => Some(1900 + year),
            _ => None,
        }
    }

    fn date(&mut self, fields: &mut Fields) -> Option<()> {
        if self.rest.starts_with(|next: char| next.is_ascii_alphabetic()) {
            // February 29th, 2024; February 2024
            fields.month = Some(self.month_name()?);
            self.skip(" \t.-");
            let (first, count) = self.digits(1, 4)?;
            if count == 4 {
                (fields.year, fields.day) = (Some(first), Some(1));
                return Some(());
            }
            fields.day = Some(first);
            self.ordinal();
            self.skip(" \t,.-");
            fields.year = Some(self.year()?);
            return Some(());
        }
        let (first, count) = self.digits(1, 8)?;
        match count {
            8 => {
                // 20240229
                (fields.year, fields.month) = (Some(first / 10_000), Some(first / 100 % 100));
                fields.day = Some(first % 100);
            }
            7 => {
                // 2024060
                (fields.year, fields.day_of_year) = (Some(first / 1000), Some(first % 1000));
            }
            4 => {
                fields.year = Some(first);
                self.after_year(fields)?;
            }
            1 | 2 => self.after_day(first, fields)?,
            _ => return None,
        }
        Some(())
    }

    /// What follows a year of four digits.
    fn after_year(&mut self, fields: &mut Fields) -> Option<()> {
        if self.literal('/').is_some() {
            fields.month = Some(self.number(1, 2)?);
            self.literal('/')?;
            fields.day = Some(self.number(1, 2)?);
            return Some(());
        }
        let dash = self.literal('-').is_some();
        if self.rest.starts_with('W') {
            self.literal('W')?;
            (fields.iso_year, fields.year) = (fields.year, None);
            fields.iso_week = Some(self.number(2, 2)?);
            self.literal('-').unwrap_or(());
            if self.rest.starts_with(|next: char| next.is_ascii_digit()) {
                fields.iso_day = Some(self.number(1, 1)?);
            }
            return Some(());
        }
        if dash || self.rest.starts_with('.') {
            self.literal('.').unwrap_or(());
            if let Some((second, count)) = self.digits(1, 3) {
                if count == 3 {
                    fields.day_of_year = Some(second);
                    return Some(());
                }
                fields.month = Some(second);
                fields.day = match self.literal('-') {
                    Some(()) => Some(self.number(1, 2)?),
                    None => Some(1),
                };
                return Some(());
            }
        }
        // 2024-Feb-29
        self.skip(" \t.-");
        fields.month = Some(self.month_name()?);
        self.skip(" \t.-");
        fields.day = Some(self.number(1, 2)?);
        Some(())
    }

    /// What follows a day, or the month of an American date.
    fn after_day(&mut self, first: i64, fields: &mut Fields) -> Option<()> {
        if self.literal('/').is_some() {
            // American: month/day/year.
            fields.month = Some(first);
            fields.day = Some(self.number(1, 2)?);
            self.literal('/')?;
        } else if self.literal('.').is_some() {
            fields.day = Some(first);
            fields.month = Some(self.number(1, 2)?);
            self.literal('.')?;
        } else {
            // 29 February 2024
            fields.day = Some(first);
            self.ordinal();
            let dash = self.literal('-').is_some();
            self.spaces();
            fields.month = Some(match self.month_name() {
                Some(month) => month,
                None if dash => self.number(1, 2)?,
                None => return None,
            });
            self.skip(" \t,.-");
        }
        fields.year = Some(self.year()?);
        Some(())
    }

    /// `st`, `nd`, `rd`, `th` behind a day.
    fn ordinal(&mut self) {
        for suffix in ["st", "nd", "rd", "th"] {
            if let Some(rest) = self.rest.strip_prefix(suffix) {
                self.rest = rest;
            }
        }
    }

    fn time(&mut self, fields: &mut Fields) -> Option<()> {
        let (hour, count) = self.digits(1, 6)?;
        if count >= 4 {
            // hhmm or hhmmss
            let all = if count == 4 { hour * 100 } else { hour };
            (fields.hour, fields.minute) = (Some(all / 10_000), Some(all / 100 % 100));
            fields.second = Some(all % 100);
        } else {
            fields.hour = Some(hour);
            if self.separator().is_some() {
                fields.minute = Some(self.number(2, 2)?);
                if self.separator().is_some() {
                    fields.second = Some(self.number(2, 2)?);
                }
            }
        }
        if self.literal('.').is_some() || self.literal(',').is_some() {
            fields.millisecond = Some(self.fraction()?);
        }
        let before = self.rest;
        self.spaces();
        let half = self.rest.get(..2).map(str::to_ascii_lowercase);
        match (half.as_deref(), fields.hour) {
            (Some("am"), Some(hour)) if (1..=12).contains(&hour) => {
                fields.hour = Some(hour % 12);
                self.rest = self.rest.get(2..)?;
            }
            (Some("pm"), Some(hour)) if (1..=12).contains(&hour) => {
                fields.hour = Some(hour % 12 + 12);
                self.rest = self.rest.get(2..)?;
            }
            _ if fields.minute.is_none() => return None,
            _ => self.rest = before,
        }
        Some(())
    }

    /// Digits behind a point, as milliseconds.
    fn fraction(&mut self) -> Option<i64> {
        let count = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        let first: String = digits.chars().chain("00".chars()).take(3).collect();
        if digits.is_empty() { None } else { first.parse().ok() }
    }

    /// Between hour, minute and second.
    fn separator(&mut self) -> Option<()> {
        self.literal(':').or_else(|| self.literal('.'))
    }

    /// `Z`, `+01:00`, `GMT`, `GMT+2`, `(EST)`: an offset or an abbreviation, but no name of a place.
    fn zone(&mut self) -> Option<Zone> {
        self.skip(" \t(");
        for prefix in ["GMT", "UTC"] {
            if let Some(rest) = self.rest.strip_prefix(prefix)
                && rest.starts_with(['+', '-'])
            {
                self.rest = rest;
            }
        }
        let sign = match self.rest.as_bytes().first()? {
            b'+' => 1,
            b'-' => -1,
            _ => {
                let (word, rest) = self.rest.split_at_checked(self.letters())?;
                self.rest = rest;
                self.literal(')').unwrap_or(());
                return abbreviation(word).map(Zone::Fixed);
            }
        };
        self.rest = self.rest.get(1..)?;
        let (first, count) = self.digits(1, 4)?;
        let (hours, minutes) = if count <= 2 && self.literal(':').is_some() {
            (first, self.number(1, 2)?)
        } else if count <= 2 {
            (first, 0)
        } else {
            (first / 100, first % 100)
        };
        self.literal(')').unwrap_or(());
        Some(Zone::Fixed(sign * (hours * 3600 + minutes * 60)))
    }

    fn specified(&mut self, specifier: char, fields: &mut Fields) -> Option<()> {
        match specifier {
            'd' => fields.day = Some(self.number(1, 2)?),
            'G' => fields.iso_year = Some(self.number(1, 4)?),
            'H' => fields.hour = Some(self.number(1, 2)?),
            'j' => fields.day_of_year = Some(self.number(1, 3)?),
            'L' => fields.millisecond = Some(self.fraction()?),
            'm' => fields.month = Some(self.number(1, 2)?),
            'M' => fields.minute = Some(self.number(1, 2)?),
            'S' => fields.second = Some(self.number(1, 2)?),
            'u' => fields.iso_day = Some(self.number(1, 1)?),
            'V' => fields.iso_week = Some(self.number(1, 2)?),
            'Y' => fields.year = Some(self.number(4, 4)?),
            'b' | 'B' => fields.month = Some(self.month_name()?),
            'z' => fields.zone = Some(self.zone()?),
            'Z' => {
                let negative = self.literal('-').is_some();
                if !negative {
                    self.literal('+')?;
                }
                let minutes = self.number(1, 4)?;
                fields.zone = Some(Zone::Fixed(if negative { -minutes } else { minutes } * 60));
            }
            other => self.literal(other)?,
        }
        Some(())
    }
}
