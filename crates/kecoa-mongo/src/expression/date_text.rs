//! Dates out of text: the forms of ISO 8601, some natural ones, and formats with `%`.

use super::date_format::MONTHS;
use super::instant::{self, Civil, DAY};
use super::zone::{Zone, offset};

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

    /// `2024-02-29T12:34:56.789+01:00` and what is left out of it; `29 February 2024`, `Feb 29, 2024`.
    fn date_and_time(mut self) -> Option<Fields> {
        self.rest = self.rest.trim();
        let mut fields = Fields::default();
        self.date(&mut fields)?;
        if !self.rest.is_empty() {
            if self.rest.starts_with(|next: char| next.is_ascii_alphanumeric()) {
                // Either the T in front of a time, or the zone of a date.
                if self.literal('T').is_none() && self.literal('t').is_none() {
                    self.zone(&mut fields)?;
                    return self.rest.is_empty().then_some(fields);
                }
            } else {
                self.spaces();
            }
            if self.rest.starts_with(|next: char| next.is_ascii_digit()) {
                self.time(&mut fields)?;
            }
            self.spaces();
            if !self.rest.is_empty() {
                self.zone(&mut fields)?;
            }
        }
        self.rest.is_empty().then_some(fields)
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
        let count = self.rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (word, rest) = self.rest.split_at_checked(count)?;
        let named = |month: &&str| {
            month.eq_ignore_ascii_case(word)
                || month.get(..3).is_some_and(|short| short.eq_ignore_ascii_case(word))
        };
        let index = MONTHS.iter().position(named)?;
        self.rest = rest;
        i64::try_from(index + 1).ok()
    }

    fn date(&mut self, fields: &mut Fields) -> Option<()> {
        if self.rest.starts_with(|next: char| next.is_ascii_alphabetic()) {
            // February 29th, 2024
            fields.month = Some(self.month_name()?);
            self.literal('.').unwrap_or(());
            self.spaces();
            fields.day = Some(self.number(1, 2)?);
            self.ordinal();
            self.literal(',').unwrap_or(());
            self.spaces();
            fields.year = Some(self.number(4, 4)?);
            return Some(());
        }
        let (first, count) = self.digits(1, 8)?;
        match count {
            8 => {
                // 20240229
                (fields.year, fields.month) = (Some(first / 10_000), Some(first / 100 % 100));
                fields.day = Some(first % 100);
            }
            4 => {
                fields.year = Some(first);
                if self.literal('/').is_some() {
                    fields.month = Some(self.number(1, 2)?);
                    self.literal('/')?;
                    fields.day = Some(self.number(1, 2)?);
                } else {
                    self.literal('-')?;
                    if self.literal('W').is_some() {
                        fields.year = None;
                        fields.iso_year = Some(first);
                        fields.iso_week = Some(self.number(2, 2)?);
                        if self.literal('-').is_some() {
                            fields.iso_day = Some(self.number(1, 1)?);
                        }
                        return Some(());
                    }
                    let (second, count) = self.digits(1, 3)?;
                    if count == 3 {
                        fields.day_of_year = Some(second);
                        return Some(());
                    }
                    fields.month = Some(second);
                    if self.literal('-').is_some() {
                        fields.day = Some(self.number(1, 2)?);
                    }
                }
            }
            1 | 2 => {
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
                    self.literal('-').or_else(|| self.literal(',')).unwrap_or(());
                    self.spaces();
                }
                fields.year = Some(self.number(4, 4)?);
            }
            _ => return None,
        }
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
            if self.literal(':').is_some() {
                fields.minute = Some(self.number(2, 2)?);
                if self.literal(':').is_some() {
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

    /// `Z`, `+01:00`, `GMT`, `EST`, `America/New_York`.
    fn zone(&mut self, fields: &mut Fields) -> Option<()> {
        self.spaces();
        let word = self.rest;
        self.rest = "";
        if word.starts_with(['+', '-']) {
            // Also hours of one digit.
            let padded = match word.len() {
                2 => format!("{}0{}", word.get(..1)?, word.get(1..)?),
                _ => word.to_owned(),
            };
            fields.zone = Some(Zone::Fixed(offset(&padded)?));
            return Some(());
        }
        let hours = match word.to_ascii_uppercase().as_str() {
            "Z" | "UTC" | "GMT" => 0,
            "EST" => -5,
            "EDT" => -4,
            "CST" => -6,
            "CDT" => -5,
            "MST" => -7,
            "MDT" => -6,
            "PST" => -8,
            "PDT" => -7,
            "CET" | "BST" => 1,
            "CEST" => 2,
            _ => {
                fields.zone = Some(Zone::parse(word).ok()?);
                return Some(());
            }
        };
        fields.zone = Some(Zone::Fixed(hours * 3600));
        Some(())
    }

    fn specified(&mut self, specifier: char, fields: &mut Fields) -> Option<()> {
        match specifier {
            'd' => fields.day = Some(self.number(1, 2)?),
            'G' => fields.iso_year = Some(self.number(4, 4)?),
            'H' => fields.hour = Some(self.number(1, 2)?),
            'j' => fields.day_of_year = Some(self.number(3, 3)?),
            'L' => fields.millisecond = Some(self.number(3, 3)?),
            'm' => fields.month = Some(self.number(1, 2)?),
            'M' => fields.minute = Some(self.number(1, 2)?),
            'S' => fields.second = Some(self.number(1, 2)?),
            'u' => fields.iso_day = Some(self.number(1, 1)?),
            'V' => fields.iso_week = Some(self.number(1, 2)?),
            'Y' => fields.year = Some(self.number(4, 4)?),
            'b' | 'B' => fields.month = Some(self.month_name()?),
            'z' => {
                if self.literal('Z').is_some() {
                    fields.zone = Some(Zone::UTC);
                    return Some(());
                }
                let length = if self.rest.as_bytes().get(3) == Some(&b':') { 6 } else { 5 };
                let (zone, rest) = self.rest.split_at_checked(length)?;
                fields.zone = Some(Zone::Fixed(offset(zone)?));
                self.rest = rest;
            }
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
