//! `$regexMatch`, `$regexFind`, `$regexFindAll`.

use std::ops::Range;

use ::bson::raw::cstr;
use ::bson::{RawArrayBuf, RawBson, RawBsonRef, RawDocumentBuf};
use fancy_regex::{Captures, Regex, RegexBuilder};

use super::arguments::Named;
use super::context::{Context, Outcome};
use super::describe;
use super::node::{Evaluate, Node};
use super::outcome::{fail, is_nullish, null, present, text, view};
use super::parser::{Definition, Operator, Parser};
use super::size::check_size;
use crate::error::Error;
use crate::regexes::{Compiled, Failure, LARGEST, Watched, is_hard, largest_for, most_steps};
use crate::value::Value;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$regexFind", definition: Definition::Own(parse) },
    Operator { name: "$regexFindAll", definition: Definition::Own(parse) },
    Operator { name: "$regexMatch", definition: Definition::Own(parse) },
];

#[derive(Debug)]
struct Search {
    name: &'static str,
    input: Node,
    regex: Node,
    options: Option<Node>,
    /// The pattern, where it is the same for all documents: none if it is `null`.
    compiled: Option<Option<Compiled>>,
}

/// A pattern, and options where they are given beside it.
type Given<'v> = (Option<Value<'v>>, Option<Option<Value<'v>>>);

impl Evaluate for Search {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let input = self.input.evaluate(context)?;
        let given = match &self.compiled {
            Some(_) => None,
            None => Some(self.pattern(context)?),
        };
        if !is_nullish(input.as_ref()) && text(&input).is_none() {
            let text = format!("{} needs 'input' to be of type string", self.name);
            return fail(51104, text);
        }
        let length = text(&input).map_or(0, str::len);
        let made;
        let regex = match (&self.compiled, &given) {
            (Some(Some(regex)), _) if largest_for(length) < LARGEST => {
                let (pattern, options) = self.pattern(context)?;
                let compiled =
                    |size| compile(self.name, &pattern, options.as_ref(), (length, size));
                if is_hard(regex.as_str(), length)
                    || !regex.suits(length, |size| compiled(size).is_ok())
                {
                    made = compiled(largest_for(length)).map_err(|_| self.too_large())?;
                    made.as_ref()
                } else {
                    Some(&**regex)
                }
            }
            (Some(regex), _) => regex.as_deref(),
            (None, Some((regex, options))) => {
                made = compile(self.name, regex, options.as_ref(), (length, LARGEST))?;
                if largest_for(length) < LARGEST {
                    compile(self.name, regex, options.as_ref(), (length, largest_for(length)))
                        .map_err(|_| self.too_large())?;
                }
                made.as_ref()
            }
            (None, None) => None,
        };
        let (Some(whole), Some(regex)) = (text(&input), regex) else {
            return match self.name {
                "$regexMatch" => present(false),
                "$regexFind" => null(),
                _ => present(RawArrayBuf::new()),
            };
        };
        let watched = Watched::new(whole, context.variables.interrupt());
        match self.name {
            "$regexMatch" => {
                present(watched.is_match(regex).map_err(|failure| self.failed(failure))?)
            }
            "$regexFind" => {
                let captures =
                    watched.captures(regex, 0).map_err(|failure| self.failed(failure))?;
                match captures {
                    Some(captures) => present(found(&captures, whole, &mut Points::default())),
                    None => null(),
                }
            }
            _ => self.find_all(&watched, regex),
        }
    }
}

impl Search {
    /// The pattern and its options, as they are for a document.
    fn pattern<'v>(&'v self, context: &Context<'v>) -> Result<Given<'v>, Error> {
        let regex = self.regex.evaluate(context)?;
        let options = match &self.options {
            Some(options) => Some(options.evaluate(context)?),
            None => None,
        };
        Ok((regex, options))
    }

    fn find_all<'v>(&self, watched: &Watched<'_>, regex: &Regex) -> Outcome<'v> {
        let mut all = RawArrayBuf::new();
        let mut points = Points::default();
        let whole = watched.text();
        let mut from = 0;
        // At the end of a text nothing is looked for, but in an empty one.
        loop {
            let captures = watched.captures(regex, from).map_err(|failure| self.failed(failure))?;
            let Some(captures) = captures else { break };
            let Some(matched) = captures.get(0) else { break };
            from = if matched.end > matched.start {
                matched.end
            } else {
                let rest = whole.get(matched.end..).unwrap_or("");
                matched.end + rest.chars().next().map_or(1, char::len_utf8)
            };
            all.push(found(&captures, whole, &mut points));
            check_size(all.as_bytes().len())?;
            if from >= whole.len() {
                break;
            }
        }
        present(all)
    }

    fn failed(&self, failure: Failure) -> Error {
        match failure {
            Failure::Interrupted(error) => error,
            Failure::TooManySteps(error) => self.gave_up(&error.to_string()),
        }
    }

    fn too_large(&self) -> Error {
        self.gave_up("it is too large for a text of this length")
    }

    fn gave_up(&self, why: &str) -> Error {
        let name = self.name;
        let text =
            format!("Error occurred while executing the regular expression in {name}: {why}");
        Error::location(51156, text)
    }
}

/// Counts code points, ever further into a text.
#[derive(Default)]
struct Points {
    bytes: usize,
    points: usize,
}

impl Points {
    fn at(&mut self, whole: &str, byte: usize) -> i32 {
        let passed = whole.get(self.bytes..byte).unwrap_or("");
        self.points += passed.chars().count();
        self.bytes = byte;
        i32::try_from(self.points).unwrap_or(i32::MAX)
    }
}

/// `{match, idx, captures}`.
fn found(captures: &Captures<'_, Watched<'_>>, whole: &str, points: &mut Points) -> RawDocumentBuf {
    let mut document = RawDocumentBuf::new();
    let Some(matched) = captures.get(0) else { return document };
    let text = |place: Range<usize>| whole.get(place).unwrap_or_default().to_owned();
    let start = matched.start;
    document.append(cstr!("match"), text(matched));
    document.append(cstr!("idx"), points.at(whole, start));
    let groups = captures
        .iter()
        .skip(1)
        .map(|group| group.map_or(RawBson::Null, |group| RawBson::String(text(group))));
    document.append(cstr!("captures"), groups.collect::<RawArrayBuf>());
    document
}

/// The pattern, for texts of so many bytes, as an automaton of at most so many; none if it is `null`.
fn compile(
    name: &str,
    regex: &Option<Value<'_>>,
    options: Option<&Option<Value<'_>>>,
    (bytes, size): (usize, usize),
) -> Result<Option<Regex>, Error> {
    let regex = view(regex);
    match regex {
        None
        | Some(
            RawBsonRef::Null
            | RawBsonRef::Undefined
            | RawBsonRef::String(_)
            | RawBsonRef::RegularExpression(_),
        ) => {}
        Some(_) => {
            let text = format!("{name} needs 'regex' to be of type string or regex");
            return fail(51105, text);
        }
    }
    let options = match options {
        Some(options) if !is_nullish(options.as_ref()) => match text(options) {
            Some(options) => Some(options),
            None => return fail(51106, format!("{name} needs 'options' to be of type string")),
        },
        _ => None,
    };
    let (pattern, flags) = match regex {
        Some(RawBsonRef::String(pattern)) => (Some(pattern), options.unwrap_or("")),
        Some(RawBsonRef::RegularExpression(regex)) => {
            let own = regex.options.as_str();
            if !own.is_empty() && options.is_some() {
                let text = format!(
                    "{name}: found regex option(s) specified in both 'regex' and 'option' fields"
                );
                return fail(51107, text);
            }
            (Some(regex.pattern.as_str()), options.unwrap_or(own))
        }
        _ => (None, options.unwrap_or("")),
    };
    if pattern.is_some_and(|pattern| pattern.contains('\0')) {
        let text = format!("{name}: regular expression cannot contain an embedded null byte");
        return fail(51109, text);
    }
    if flags.contains('\0') {
        let text =
            format!("{name}: regular expression options cannot contain an embedded null byte");
        return fail(51110, text);
    }
    let Some(pattern) = pattern else { return Ok(None) };
    if let Some(invalid) = flags.chars().find(|flag| !"imsxu".contains(*flag)) {
        return fail(51108, format!("{name} invalid flag in regex options: {invalid}"));
    }
    let has = |flag| flags.contains(flag);
    let built = RegexBuilder::new(pattern)
        .case_insensitive(has('i'))
        .multi_line(has('m'))
        .dot_matches_new_line(has('s'))
        .ignore_whitespace(has('x'))
        .backtrack_limit(most_steps(bytes))
        .delegate_size_limit(size)
        .build();
    match built {
        Ok(regex) => Ok(Some(regex)),
        Err(error) => fail(51111, format!("Invalid Regex in {name}: {error}")),
    }
}

/// The value of an argument that is the same on all documents.
fn known(node: &Node) -> Option<Option<Value<'_>>> {
    node.as_constant().map(|value| value.map(Value::Borrowed))
}

fn parse(name: &'static str, argument: RawBsonRef<'_>, parser: &Parser<'_>) -> Result<Node, Error> {
    let RawBsonRef::Document(document) = argument else {
        let found = describe::type_name(Some(argument));
        let text = format!("{name} expects an object of named arguments but found: {found}");
        return fail(51103, text);
    };
    let unknown = |field: &str| (31024, format!("{name} found an unknown argument: {field}"));
    let named = Named::read(document, &["input", "regex", "options"], unknown)?;
    let required = |field: &str, code| {
        named.required(field, parser, || (code, format!("{name} requires '{field}' parameter")))
    };
    let (input, regex) = (required("input", 31022)?, required("regex", 31023)?);
    let options = named.optional("options", parser)?;
    parser.scope.interrupt().check()?;
    let compiled = match (known(&regex), options.as_ref().map(known)) {
        (Some(regex), None) => Some(compile(name, &regex, None, (0, LARGEST))),
        (Some(regex), Some(Some(options))) => {
            Some(compile(name, &regex, Some(&options), (0, LARGEST)))
        }
        _ => None,
    };
    let compiled = match compiled.transpose() {
        Ok(Some(Some(regex))) => Compiled::new(regex).map(Some),
        Ok(Some(None)) => Some(None),
        Ok(None) => None,
        Err(error) => {
            parser.note_failure(error);
            None
        }
    };
    Ok(Node::special(Search { name, input, regex, options, compiled }))
}
