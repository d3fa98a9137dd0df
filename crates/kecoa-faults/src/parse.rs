//! Reads the language of faults: `drop:0.01, delay:5ms@0.1, error:40001@commit:0.2`.
//!
//! A fault is a word and any number of parts, each behind `:` or `@`; what a part is shows in its
//! own form, so their order is free but for the one that belongs to the word (a duration, an
//! SQLSTATE).

use std::str::FromStr;
use std::time::Duration;

use kecoa_proto::SqlState;

use crate::plan::{Direction, Fault, Kind, Location, Plan, Probability};

/// The longest text that is read, in bytes.
const TEXT_LIMIT: usize = 16 * 1024;
/// The largest number of faults in a plan.
const FAULT_LIMIT: usize = 64;
/// The longest delay or stall that is not for ever.
const TIME_LIMIT: Duration = Duration::from_secs(3600);

/// A plan that cannot be read: where, what was expected, what was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("fault {number} at byte {at}: expected {expected}, found {found}")]
pub struct PlanError {
    /// Which fault of the plan, from 1.
    pub number: usize,
    /// Where in the text, in bytes from 0.
    pub at: usize,
    /// What would have done.
    pub expected: &'static str,
    /// What is there.
    pub found: String,
}

impl FromStr for Plan {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Plan, PlanError> {
        let mut reader = Reader { text, at: 0, number: 1 };
        if text.len() > TEXT_LIMIT {
            return Err(reader.complain("at most 16384 bytes", format!("{} bytes", text.len())));
        }
        let mut plan = Plan::default();
        reader.blanks();
        if reader.rest().is_empty() {
            return Err(reader.complain(KINDS, "nothing".to_owned()));
        }
        loop {
            plan.faults.push(reader.fault()?);
            reader.blanks();
            if reader.rest().is_empty() {
                return Ok(plan);
            }
            if !reader.eat(',') {
                return Err(reader.here("`,`, `:`, `@` or the end"));
            }
            reader.number += 1;
            if reader.number > FAULT_LIMIT {
                return Err(reader.here("at most 64 faults"));
            }
            reader.blanks();
        }
    }
}

const KINDS: &str = "drop, reset, truncate, split, delay, stall or error";
const PARTS: &str = "a probability (0.1, 10%), client, server, a byte (@1234), a message (@#3), \
                     startup, statement, \"text\", commit, after-commit, times=N or connection=N";

struct Reader<'a> {
    text: &'a str,
    at: usize,
    number: usize,
}

/// The parts of one fault as they are found.
#[derive(Default)]
struct Parts {
    time: Option<Option<Duration>>,
    code: Option<SqlState>,
    direction: Option<Direction>,
    place: Option<Location>,
    byte: Option<u64>,
    message: Option<u64>,
    probability: Option<Probability>,
    times: Option<u32>,
    connection: Option<u64>,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest
            .find(|c: char| matches!(c, ':' | '@' | ',' | '"') || c.is_whitespace())
            .unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn complain(&self, expected: &'static str, found: String) -> PlanError {
        PlanError { number: self.number, at: self.at, expected, found }
    }

    /// A complaint about what comes next.
    fn here(&self, expected: &'static str) -> PlanError {
        let mut found: String = self.rest().chars().take(20).collect();
        found = if found.is_empty() { "the end".to_owned() } else { format!("{found:?}") };
        self.complain(expected, found)
    }

    fn fault(&mut self) -> Result<Fault, PlanError> {
        let start = self.at;
        let word = self.word();
        let kinds = ["drop", "reset", "truncate", "split", "delay", "stall", "error"];
        let Some(word) = kinds.into_iter().find(|kind| *kind == word) else {
            self.at = start;
            return Err(self.here(KINDS));
        };
        let mut parts = Parts::default();
        loop {
            let at_sign = self.rest().starts_with('@');
            if !self.eat(':') && !self.eat('@') {
                break;
            }
            self.part(word, at_sign, &mut parts)?;
        }
        let kind = self.kind(word, &parts)?;
        let location = self.location(&kind, &mut parts)?;
        let probability = parts.probability.unwrap_or(Probability::ALWAYS);
        let Parts { times, connection, .. } = parts;
        Ok(Fault { kind, location, probability, times, connection })
    }

    fn part(&mut self, kind: &str, at_sign: bool, parts: &mut Parts) -> Result<(), PlanError> {
        let start = self.at;
        if self.eat('"') {
            let text = self.quoted()?;
            return self.once(&mut parts.place, Location::Text(text), start);
        }
        let word = self.word();
        let digits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        if kind == "error" && parts.code.is_none() {
            return match code(word) {
                Some(code) => self.once(&mut parts.code, code, start),
                None => {
                    self.at = start;
                    Err(self.here("an SQLSTATE of five digits and capital letters, no success"))
                }
            };
        }
        match word {
            "client" => return self.once(&mut parts.direction, Direction::Client, start),
            "server" => return self.once(&mut parts.direction, Direction::Server, start),
            "startup" => return self.once(&mut parts.place, Location::Startup, start),
            "statement" => return self.once(&mut parts.place, Location::Statement, start),
            "commit" => return self.once(&mut parts.place, Location::Commit, start),
            "after-commit" => return self.once(&mut parts.place, Location::AfterCommit, start),
            "forever" if kind == "stall" => return self.once(&mut parts.time, None, start),
            _ => {}
        }
        if let Some(number) = word.strip_prefix('#').and_then(positive) {
            return self.once(&mut parts.message, number, start);
        }
        if let Some(number) = word.strip_prefix("times=").and_then(positive)
            && let Ok(number) = u32::try_from(number)
        {
            return self.once(&mut parts.times, number, start);
        }
        if let Some(number) = word.strip_prefix("connection=").and_then(positive) {
            return self.once(&mut parts.connection, number, start);
        }
        if digits && at_sign {
            if let Ok(byte) = word.parse() {
                return self.once(&mut parts.byte, byte, start);
            }
        } else if let Some(probability) = probability(word) {
            return self.once(&mut parts.probability, probability, start);
        }
        if let Some(time) = time(word).filter(|_| matches!(kind, "delay" | "stall")) {
            return self.once(&mut parts.time, Some(time), start);
        }
        self.at = start;
        Err(self.here(match kind {
            "delay" | "stall" => {
                "a duration up to an hour (500us, 5ms, 2s), a probability (0.1, 10%), client, \
                 server, a byte (@1234), a message (@#3), startup, statement, \"text\", commit, \
                 after-commit, times=N or connection=N"
            }
            _ => PARTS,
        }))
    }

    /// The text up to the closing quote; a quote inside is doubled.
    fn quoted(&mut self) -> Result<String, PlanError> {
        let start = self.at;
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let Some(end) = rest.find('"') else {
                self.at = start;
                return Err(self.here("text and a closing `\"`"));
            };
            text.push_str(rest.get(..end).unwrap_or_default());
            self.at += end + 1;
            if !self.eat('"') {
                break;
            }
            text.push('"');
        }
        if text.trim().is_empty() {
            self.at = start;
            return Err(self.here("some text of a statement between the quotes"));
        }
        Ok(text)
    }

    fn once<T>(&mut self, part: &mut Option<T>, value: T, start: usize) -> Result<(), PlanError> {
        if part.is_some() {
            self.at = start;
            return Err(self.here("each kind of part once"));
        }
        *part = Some(value);
        Ok(())
    }

    fn kind(&self, word: &str, parts: &Parts) -> Result<Kind, PlanError> {
        Ok(match word {
            "drop" => Kind::Drop,
            "reset" => Kind::Reset,
            "truncate" => Kind::Truncate,
            "split" => Kind::Split,
            "delay" => match parts.time {
                Some(Some(time)) => Kind::Delay(time),
                _ => return Err(self.here("a duration for the delay (delay:5ms)")),
            },
            "stall" => Kind::Stall(parts.time.flatten()),
            _ => match parts.code {
                Some(code) => Kind::Error(code),
                None => return Err(self.here("an SQLSTATE (error:40001)")),
            },
        })
    }

    fn location(&self, kind: &Kind, parts: &mut Parts) -> Result<Location, PlanError> {
        let Parts { direction, byte, message, .. } = *parts;
        let Some(place) = parts.place.take() else {
            if matches!(kind, Kind::Error(_)) {
                return Err(self.here(
                    "where the error comes: @startup, @statement, @\"text\", @commit or @after-commit",
                ));
            }
            return match (direction, byte, message) {
                (_, None, None) => Ok(Location::Messages(direction)),
                (_, Some(_), Some(_)) => Err(self.here("either a byte or a message")),
                (None, ..) => Err(self.here("a direction with the position: client or server")),
                (Some(_), Some(_), None) if matches!(kind, Kind::Truncate | Kind::Split) => {
                    Err(self.here("a message (@#3): only drop, reset, delay and stall take a byte"))
                }
                (Some(direction), Some(byte), None) => Ok(Location::Byte(direction, byte)),
                (Some(direction), None, Some(number)) => Ok(Location::Message(direction, number)),
            };
        };
        if direction.is_some() || byte.is_some() || message.is_some() {
            return Err(self.here("either a place or a direction with its position"));
        }
        if let Kind::Error(code) = kind
            && place == Location::AfterCommit
            && code.class() == "40"
            && code.as_str() != "40003"
        {
            return Err(self.here(
                "an error after COMMIT that leaves its outcome open (40003, 57P01, 08006): class 40 \
                 says that nothing was committed",
            ));
        }
        Ok(place)
    }
}

fn positive(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number > 0)
}

/// An SQLSTATE that is no success, warning or end of data.
fn code(text: &str) -> Option<SqlState> {
    let code = SqlState::from_bytes(text.as_bytes())?;
    let is_uppercase = text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    (is_uppercase && !matches!(code.class(), "00" | "01" | "02")).then_some(code)
}

/// `0.25`, `1` or `25%`, to six decimals of the whole.
fn probability(text: &str) -> Option<Probability> {
    let (number, decimals) = match text.strip_suffix('%') {
        Some(number) => (number, 4_usize),
        None => (text, 6),
    };
    let (whole, rest) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let dotless = !number.contains('.');
    if whole.is_empty() || !digits(whole) || !digits(rest) || (rest.is_empty() && !dotless) {
        return None;
    }
    let rest = rest.trim_end_matches('0');
    if rest.len() > decimals {
        return None;
    }
    let millionths: u32 = format!("{whole}{rest:0<decimals$}").parse().ok()?;
    Probability::from_millionths(millionths)
}

/// `500us`, `5ms` or `2s`, an hour at most.
fn time(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(unit)?;
    let number: u64 = number.parse().ok()?;
    let time = match unit {
        "us" => Duration::from_micros(number),
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        _ => return None,
    };
    (time <= TIME_LIMIT).then_some(time)
}

#[cfg(test)]
mod tests;
