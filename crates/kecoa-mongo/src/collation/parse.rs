//! A client's `collation` document, checked.

use ::bson::{RawBsonRef, RawDocument};
use icu_collator::options::{AlternateHandling, CaseLevel, CollatorOptions, MaxVariable, Strength};
use icu_collator::preferences::{CollationCaseFirst, CollationNumericOrdering};
use icu_collator::{Collator as Rules, CollatorBorrowed};

use super::locale;
use super::options::{Options, VERSION};
use crate::bson::number::Number;
use crate::error::{Code, Error};

/// What a client gave.
#[derive(Default)]
struct Given<'a> {
    locale: Option<&'a str>,
    case_level: Option<bool>,
    case_first: Option<&'static str>,
    strength: Option<i32>,
    numeric_ordering: Option<bool>,
    alternate: Option<&'static str>,
    max_variable: Option<&'static str>,
    normalization: Option<bool>,
    backwards: Option<bool>,
    version: Option<&'a str>,
}

/// `None`: bytes are compared.
pub(super) fn parse(
    specification: &RawDocument,
) -> Result<Option<(Options, CollatorBorrowed<'static>)>, Error> {
    let given = read(specification)?;
    let Some(name) = given.locale else {
        return Err(Error::location(
            40414,
            "BSON field 'collation.locale' is missing but a required field",
        ));
    };
    if name == "simple" {
        return simple(&given, specification).map(|()| None);
    }
    if given.version.is_some_and(|version| version != VERSION) {
        let message = format!(
            "Requested collation version {} but the only available collator version was {VERSION}",
            given.version.unwrap_or_default()
        );
        return Err(Error::new(Code::location(161), message));
    }
    let (options, rules) = build(name, &given).ok_or_else(|| {
        let problem = if name.is_empty() {
            "Field 'locale' cannot be the empty string in"
        } else {
            "Field 'locale' is invalid in"
        };
        Error::new(Code::BAD_VALUE, format!("{problem}: {{ locale: \"{name}\" }}"))
    })?;
    if options.backwards && options.strength < 2 {
        return Err(Error::new(
            Code::BAD_VALUE,
            format!("'backwards' is invalid with 'strength' of {}", options.strength),
        ));
    }
    if options.case_first != "off" && !options.case_level && options.strength < 3 {
        return Err(Error::new(
            Code::BAD_VALUE,
            "'caseFirst' is invalid unless 'caseLevel' is on or 'strength' is greater than 2",
        ));
    }
    Ok(Some((options, rules)))
}

fn simple(given: &Given<'_>, specification: &RawDocument) -> Result<(), Error> {
    let others = specification.iter_elements().count() - 1;
    if others > usize::from(given.version.is_some()) {
        return Err(Error::new(
            Code::FAILED_TO_PARSE,
            "expected no other options beside the locale 'simple' of a collation",
        ));
    }
    Ok(())
}

fn read(specification: &RawDocument) -> Result<Given<'_>, Error> {
    let mut given = Given::default();
    let mut seen: Vec<&str> = Vec::new();
    for (name, value) in specification.iter().map_while(Result::ok) {
        let name = name.as_str();
        if seen.contains(&name) {
            return Err(Error::location(
                40413,
                format!("BSON field 'collation.{name}' is a duplicate field"),
            ));
        }
        match name {
            "locale" => given.locale = Some(text(name, value)?),
            "caseLevel" => given.case_level = Some(boolean(name, value)?),
            "caseFirst" => {
                given.case_first = Some(one_of(name, value, &["upper", "lower", "off"])?)
            }
            "strength" => given.strength = Some(strength(value)?),
            "numericOrdering" => given.numeric_ordering = Some(boolean(name, value)?),
            "alternate" => {
                given.alternate = Some(one_of(name, value, &["non-ignorable", "shifted"])?);
            }
            "maxVariable" => given.max_variable = Some(one_of(name, value, &["punct", "space"])?),
            "normalization" => given.normalization = Some(boolean(name, value)?),
            "backwards" => given.backwards = Some(boolean(name, value)?),
            "version" => given.version = Some(text(name, value)?),
            _ => {
                return Err(Error::location(
                    40415,
                    format!("BSON field 'collation.{name}' is an unknown field."),
                ));
            }
        }
        // Only known names come here, so that the list is short.
        seen.push(name);
    }
    Ok(given)
}

/// `None`: there is no such locale.
fn build(name: &str, given: &Given<'_>) -> Option<(Options, CollatorBorrowed<'static>)> {
    let backwards = given.backwards.unwrap_or_else(|| locale::is_backwards(name));
    let mut preferences = locale::preferences(name)?;
    if backwards != locale::is_backwards(name) && locale::has_rules_of_root(name) {
        // Only the data of fr_CA compare accents from the end; it has no rules beside that. A locale with rules
        // of its own keeps those, and compares accents from the front.
        preferences = locale::preferences(if backwards { "fr_CA" } else { "fr" })?;
    }
    preferences.case_first = match given.case_first {
        Some("upper") => Some(CollationCaseFirst::Upper),
        Some("lower") => Some(CollationCaseFirst::Lower),
        Some(_) => Some(CollationCaseFirst::False),
        None => None,
    };
    preferences.numeric_ordering = match given.numeric_ordering {
        Some(true) => Some(CollationNumericOrdering::True),
        _ => Some(CollationNumericOrdering::False),
    };
    let mut options = CollatorOptions::default();
    options.strength = Some(match given.strength {
        Some(1) => Strength::Primary,
        Some(2) => Strength::Secondary,
        Some(4) => Strength::Quaternary,
        Some(5) => Strength::Identical,
        _ => Strength::Tertiary,
    });
    options.case_level =
        Some(if given.case_level == Some(true) { CaseLevel::On } else { CaseLevel::Off });
    options.alternate_handling = match given.alternate {
        Some("shifted") => Some(AlternateHandling::Shifted),
        Some(_) => Some(AlternateHandling::NonIgnorable),
        None => None,
    };
    options.max_variable = Some(match given.max_variable {
        Some("space") => MaxVariable::Space,
        _ => MaxVariable::Punctuation,
    });
    let rules = Rules::try_new(preferences, options).ok()?;
    let resolved = rules.resolved_options();
    let known = Options {
        locale: name.to_owned(),
        case_level: given.case_level.unwrap_or(false),
        case_first: match resolved.case_first {
            CollationCaseFirst::Upper => "upper",
            CollationCaseFirst::Lower => "lower",
            _ => "off",
        },
        strength: given.strength.unwrap_or(3),
        numeric_ordering: given.numeric_ordering.unwrap_or(false),
        alternate: match resolved.alternate_handling {
            AlternateHandling::Shifted => "shifted",
            _ => "non-ignorable",
        },
        max_variable: given.max_variable.unwrap_or("punct"),
        normalization: given.normalization.unwrap_or(false),
        backwards,
    };
    Some((known, rules))
}

fn text<'a>(name: &str, value: RawBsonRef<'a>) -> Result<&'a str, Error> {
    value.as_str().ok_or_else(|| wrong_type(name, value, "string"))
}

fn boolean(name: &str, value: RawBsonRef<'_>) -> Result<bool, Error> {
    value.as_bool().ok_or_else(|| wrong_type(name, value, "bool"))
}

fn one_of(
    name: &str,
    value: RawBsonRef<'_>,
    known: &[&'static str],
) -> Result<&'static str, Error> {
    let given = text(name, value)?;
    known.iter().copied().find(|known| *known == given).ok_or_else(|| {
        Error::new(
            Code::BAD_VALUE,
            format!(
                "Enumeration value '{given}' for field 'collation.{name}' is not a valid value."
            ),
        )
    })
}

fn strength(value: RawBsonRef<'_>) -> Result<i32, Error> {
    let number = Number::from_bson(value).ok_or_else(|| wrong_type("strength", value, "int"))?;
    // A fraction is dropped.
    let level = (-1..=6).rev().find(|level| Number::Int32(*level) <= number).unwrap_or(-1);
    match level {
        1..=5 => Ok(level),
        // Between -1 and 1.
        0 => Err(no_strength(Code::BAD_VALUE)),
        -1 if number > Number::Int32(-1) => Err(no_strength(Code::BAD_VALUE)),
        _ => Err(no_strength(Code::location(51024))),
    }
}

fn no_strength(code: Code) -> Error {
    Error::new(code, "expected 1 to 5 as value of the field 'collation.strength'")
}

fn wrong_type(name: &str, value: RawBsonRef<'_>, expected: &str) -> Error {
    let found = crate::bson::type_class::type_name(value);
    Error::new(
        Code::TYPE_MISMATCH,
        format!(
            "BSON field 'collation.{name}' is the wrong type '{found}', expected type '{expected}'"
        ),
    )
}
