//! Reads the language of faults: `drop:0.01, delay:5ms@0.1, error:40001@commit:0.2`.
//!
//! A fault is a word and any number of parts, each behind `:` or `@`; what a part is shows in its
//! own form, so their order is free but for the one that belongs to the word (a duration, an
//! SQLSTATE).

use std::str::FromStr;
use std::time::Duration;

use kecoa_proto::SqlState;

use super::plan::{Direction, Fault, Kind, Plan, Probability, Spot};

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
    place: Option<Spot>,
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
        let spot = self.spot(&kind, &mut parts)?;
        let probability = parts.probability.unwrap_or(Probability::ALWAYS);
        let Parts { times, connection, .. } = parts;
        Ok(Fault { kind, spot, probability, times, connection })
    }

    fn part(&mut self, kind: &str, at_sign: bool, parts: &mut Parts) -> Result<(), PlanError> {
        let start = self.at;
        if self.eat('"') {
            let text = self.quoted()?;
            return self.once(&mut parts.place, Spot::Text(text), start);
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
            "startup" => return self.once(&mut parts.place, Spot::Startup, start),
            "statement" => return self.once(&mut parts.place, Spot::Statement, start),
            "commit" => return self.once(&mut parts.place, Spot::Commit, start),
            "after-commit" => return self.once(&mut parts.place, Spot::AfterCommit, start),
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

    fn spot(&self, kind: &Kind, parts: &mut Parts) -> Result<Spot, PlanError> {
        let Parts { direction, byte, message, .. } = *parts;
        let Some(place) = parts.place.take() else {
            if matches!(kind, Kind::Error(_)) {
                return Err(self.here(
                    "where the error comes: @startup, @statement, @\"text\", @commit or @after-commit",
                ));
            }
            return match (direction, byte, message) {
                (_, None, None) => Ok(Spot::Messages(direction)),
                (_, Some(_), Some(_)) => Err(self.here("either a byte or a message")),
                (None, ..) => Err(self.here("a direction with the position: client or server")),
                (Some(_), Some(_), None) if matches!(kind, Kind::Truncate | Kind::Split) => {
                    Err(self.here("a message (@#3): only drop, reset, delay and stall take a byte"))
                }
                (Some(direction), Some(byte), None) => Ok(Spot::Byte(direction, byte)),
                (Some(direction), None, Some(number)) => Ok(Spot::Message(direction, number)),
            };
        };
        if direction.is_some() || byte.is_some() || message.is_some() {
            return Err(self.here("either a place or a direction with its position"));
        }
        if let Kind::Error(code) = kind
            && place == Spot::AfterCommit
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
    let spelt = text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    (spelt && !matches!(code.class(), "00" | "01" | "02")).then_some(code)
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plan(text: &str) -> Plan {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn the_example_is_read_and_printed() {
        let text = "drop:0.01, delay:5ms@0.1,split , stall:client@1234, error:40001@commit:0.2, \
                    error:57P01@\"UPDATE \"\"a\"\" :,@\":5%, stall:forever@server, reset:1";
        let read = plan(text);
        assert_eq!(
            read.to_string(),
            "drop:0.01, delay:5ms:0.1, split, stall@client@1234, error:40001@commit:0.2, \
             error:57P01@\"UPDATE \"\"a\"\" :,@\":0.05, stall@server, reset"
        );
        assert_eq!(plan(&read.to_string()), read);
        assert_eq!(read.faults().len(), 8);
        assert_eq!(read.faults()[3].spot, Spot::Byte(Direction::Client, 1234));
        assert_eq!(read.faults()[0].probability.millionths(), 10_000);
    }

    #[test]
    fn errors_say_what_was_expected_and_found() {
        for (text, complaint) in [
            (
                "",
                "fault 1 at byte 0: expected drop, reset, truncate, split, delay, stall or error, found nothing",
            ),
            (
                "explode",
                "expected drop, reset, truncate, split, delay, stall or error, found \"explode\"",
            ),
            (
                "drop, ",
                "fault 2 at byte 6: expected drop, reset, truncate, split, delay, stall or error, found the end",
            ),
            ("drop drop", "fault 1 at byte 5: expected `,`, `:`, `@` or the end, found \"drop\""),
            ("delay", "expected a duration for the delay (delay:5ms), found the end"),
            ("delay:5h", "expected a duration up to an hour (500us, 5ms, 2s), a probability"),
            ("delay:3601s", "expected a duration up to an hour"),
            ("drop:5ms", "expected a probability (0.1, 10%), client"),
            ("drop:1.5", "expected a probability"),
            ("drop:0.0000001", "expected a probability"),
            ("drop:101%", "expected a probability"),
            ("drop:0.1:0.2", "fault 1 at byte 9: expected each kind of part once, found \"0.2\""),
            ("drop@12", "expected a direction with the position: client or server"),
            ("drop@client@12@#3", "expected either a byte or a message"),
            ("drop@client@#0", "expected a probability"),
            ("drop@commit@client", "expected either a place or a direction with its position"),
            (
                "truncate@client@12",
                "expected a message (@#3): only drop, reset, delay and stall take a byte",
            ),
            ("error", "expected an SQLSTATE (error:40001), found the end"),
            (
                "error:4000",
                "expected an SQLSTATE of five digits and capital letters, no success, found \"4000\"",
            ),
            ("error:00000", "expected an SQLSTATE"),
            ("error:40001", "expected where the error comes: @startup"),
            ("error:40001@server", "expected where the error comes"),
            (
                "error:40001@after-commit",
                "expected an error after COMMIT that leaves its outcome open",
            ),
            ("error:40001@\"COMMIT", "expected text and a closing `\"`, found \"COMMIT\""),
            ("error:40001@\" \"", "expected some text of a statement between the quotes"),
            ("drop:times=0", "expected a probability"),
        ] {
            let error = text.parse::<Plan>().unwrap_err().to_string();
            assert!(error.contains(complaint), "{text}: {error}");
        }
        assert!("drop,".repeat(65).parse::<Plan>().is_err());
        assert!(" ".repeat(TEXT_LIMIT + 1).parse::<Plan>().is_err());
    }

    #[test]
    fn the_plans_of_the_documents_are_read() {
        for text in [
            include_str!("../../../../docs/en/reference/fault-injection.md"),
            include_str!("../../../../docs/id/reference/fault-injection.md"),
        ] {
            let blocks = text.split("```text\n").skip(1);
            let plans: Vec<&str> = blocks
                .map(|block| block.split("```").next().unwrap())
                .filter(|block| !block.starts_with('#'))
                .flat_map(str::lines)
                .collect();
            assert!(plans.len() > 5);
            plans.into_iter().for_each(|text| drop(plan(text)));
        }
    }

    fn any_time() -> impl Strategy<Value = Duration> {
        (0_u64..3_600_000_000).prop_map(Duration::from_micros)
    }

    fn any_fault() -> impl Strategy<Value = Fault> {
        let direction = prop_oneof![Just(Direction::Client), Just(Direction::Server)];
        let kind = prop_oneof![
            Just(Kind::Drop),
            Just(Kind::Reset),
            Just(Kind::Truncate),
            Just(Kind::Split),
            any_time().prop_map(Kind::Delay),
            Just(Kind::Stall(None)),
            any_time().prop_map(|time| Kind::Stall(Some(time))),
            "[3-9A-Z][0-9A-Z]{4}".prop_map(|code| Kind::Error(code_of(&code))),
        ];
        let spot = prop_oneof![
            Just(Spot::Messages(None)),
            direction.clone().prop_map(|d| Spot::Messages(Some(d))),
            (direction.clone(), 1_u64..).prop_map(|(d, n)| Spot::Message(d, n)),
            (direction, any::<u64>()).prop_map(|(d, n)| Spot::Byte(d, n)),
            Just(Spot::Startup),
            Just(Spot::Statement),
            "[ -~é\"]*x[ -~é\"]*".prop_map(Spot::Text),
            Just(Spot::Commit),
            Just(Spot::AfterCommit),
        ];
        let probability = (0_u32..=1_000_000).prop_map(Probability);
        let times = proptest::option::of(1_u32..);
        let connection = proptest::option::of(1_u64..);
        (kind, spot, probability, times, connection).prop_filter_map(
            "not every kind has every place",
            |(kind, spot, probability, times, connection)| {
                let fits = match (&kind, &spot) {
                    (Kind::Error(_), Spot::Messages(_) | Spot::Message(..) | Spot::Byte(..)) => {
                        false
                    }
                    (Kind::Error(code), Spot::AfterCommit) => code.class() != "40",
                    (Kind::Truncate | Kind::Split, Spot::Byte(..)) => false,
                    _ => true,
                };
                fits.then_some(Fault { kind, spot, probability, times, connection })
            },
        )
    }

    fn code_of(text: &str) -> SqlState {
        SqlState::from_bytes(text.as_bytes()).unwrap()
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(faults in proptest::collection::vec(any_fault(), 1..8)) {
            let plan = Plan { faults };
            prop_assert_eq!(plan.to_string().parse::<Plan>(), Ok(plan));
        }

        #[test]
        fn no_text_trips_the_reader(text in "[a-z0-9:@,.%#\"= é-]{0,60}") {
            if let Ok(plan) = text.parse::<Plan>() {
                prop_assert_eq!(plan.to_string().parse::<Plan>(), Ok(plan));
            }
        }
    }
}
