//! Formats of dates: `%Y-%m-%d` and so on, to write and to check.

use std::fmt::Write as _;

use super::instant::{Civil, check_year};
use super::outcome::fail;
use crate::error::Error;

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A format has only specifiers that can be written.
pub(super) fn check(format: &str) -> Result<(), Error> {
    each(
        format,
        |_| Ok(()),
        |specifier| {
            if "dGHjLmMSwuUVYzZbB%".contains(specifier) { Ok(()) } else { unknown(specifier) }
        },
    )
}

/// A format has only specifiers that can be read.
pub(super) fn check_readable(format: &str) -> Result<(), Error> {
    each(
        format,
        |_| Ok(()),
        |specifier| {
            if "dGHjLmMSuVYzZbB%".contains(specifier) { Ok(()) } else { unknown(specifier) }
        },
    )
}

fn unknown<T>(specifier: char) -> Result<T, Error> {
    fail(18536, format!("Invalid format character '%{specifier}' in format string"))
}

fn each(
    format: &str,
    mut literal: impl FnMut(char) -> Result<(), Error>,
    mut specified: impl FnMut(char) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            literal(character)?;
            continue;
        }
        match characters.next() {
            Some(specifier) => specified(specifier)?,
            None => return fail(18535, "Unmatched '%' at end of format string".to_owned()),
        }
    }
    Ok(())
}

/// A date in a format; `offset` is that of its time zone, in seconds.
pub(super) fn write(format: &str, civil: Civil, offset: i64) -> Result<String, Error> {
    let text = std::cell::RefCell::new(String::new());
    let literal = |character| {
        text.borrow_mut().push(character);
        Ok(())
    };
    each(format, literal, |specifier| {
        let mut text = text.borrow_mut();
        let month = usize::try_from(civil.month - 1).ok().and_then(|month| MONTHS.get(month));
        let month = month.copied().unwrap_or("");
        // Writing to a string does not fail.
        let _ = match specifier {
            'd' => write!(text, "{:02}", civil.day),
            'G' => {
                check_year(civil.iso_week().0)?;
                write!(text, "{:04}", civil.iso_week().0)
            }
            'H' => write!(text, "{:02}", civil.hour()),
            'j' => write!(text, "{:03}", civil.day_of_year()),
            'L' => write!(text, "{:03}", civil.millisecond()),
            'm' => write!(text, "{:02}", civil.month),
            'M' => write!(text, "{:02}", civil.minute()),
            'S' => write!(text, "{:02}", civil.second()),
            'w' => write!(text, "{}", civil.day_of_week()),
            'u' => write!(text, "{}", civil.iso_day_of_week()),
            'U' => write!(text, "{:02}", civil.week()),
            'V' => write!(text, "{:02}", civil.iso_week().1),
            'Y' => {
                check_year(civil.year)?;
                write!(text, "{:04}", civil.year)
            }
            'z' => {
                let sign = if offset < 0 { '-' } else { '+' };
                let minutes = offset.abs() / 60;
                write!(text, "{sign}{:02}{:02}", minutes / 60, minutes % 60)
            }
            'Z' => write!(text, "{}", offset / 60),
            'b' => write!(text, "{}", month.get(..3).unwrap_or(month)),
            'B' => write!(text, "{month}"),
            '%' => write!(text, "%"),
            other => return unknown(other),
        };
        Ok(())
    })?;
    Ok(text.into_inner())
}
