//! `$trim`, `$ltrim`, `$rtrim`, `$replaceOne`, `$replaceAll`.

use ::bson::RawBsonRef;

use super::arguments::Named;
use super::context::{Context, Outcome};
use super::describe;
use super::node::{Evaluate, Node};
use super::outcome::{fail, is_nullish, null, present, shown, text, type_of};
use super::parser::{Definition, Operator, Parser};
use super::size::check_size;
use crate::error::Error;

pub(super) const OPERATORS: &[Operator] = &[
    Operator { name: "$ltrim", definition: Definition::Own(trim) },
    Operator { name: "$replaceAll", definition: Definition::Own(replace) },
    Operator { name: "$replaceOne", definition: Definition::Own(replace) },
    Operator { name: "$rtrim", definition: Definition::Own(trim) },
    Operator { name: "$trim", definition: Definition::Own(trim) },
];

#[derive(Debug)]
struct Trim {
    name: &'static str,
    input: Node,
    characters: Option<Node>,
}

/// What is trimmed without `chars`.
fn is_space(character: char) -> bool {
    matches!(
        character,
        '\0' | ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}'
    )
}

impl Evaluate for Trim {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let input = self.input.evaluate(context)?;
        if is_nullish(input.as_ref()) {
            return null();
        }
        let Some(whole) = text(&input) else {
            let text = format!(
                "{} requires its input to be a string, got {} (of type {}) instead.",
                self.name,
                shown(&input),
                type_of(&input)
            );
            return fail(50699, text);
        };
        let trimmed = match &self.characters {
            None => self.apply(whole, is_space),
            Some(characters) => {
                let characters = characters.evaluate(context)?;
                if is_nullish(characters.as_ref()) {
                    return null();
                }
                let Some(set) = text(&characters) else {
                    let text = format!(
                        "{} requires 'chars' to be a string, got {} (of type {}) instead.",
                        self.name,
                        shown(&characters),
                        type_of(&characters)
                    );
                    return fail(50700, text);
                };
                let set: std::collections::HashSet<char> = set.chars().collect();
                self.apply(whole, |character| set.contains(&character))
            }
        };
        present(trimmed)
    }
}

impl Trim {
    fn apply<'a>(&self, whole: &'a str, drop: impl Fn(char) -> bool) -> &'a str {
        let whole = if self.name == "$rtrim" { whole } else { whole.trim_start_matches(&drop) };
        if self.name == "$ltrim" { whole } else { whole.trim_end_matches(&drop) }
    }
}

fn trim(name: &'static str, argument: RawBsonRef<'_>, parser: &Parser<'_>) -> Result<Node, Error> {
    let RawBsonRef::Document(document) = argument else {
        let found = describe::type_name(Some(argument));
        return fail(
            50696,
            format!("{name} only supports an object as an argument, found {found}"),
        );
    };
    let unknown = |field: &str| (50694, format!("{name} found an unknown argument: {field}"));
    let named = Named::read(document, &["input", "chars"], unknown)?;
    let input =
        named.required("input", parser, || (50695, format!("{name} requires an 'input' field")))?;
    let characters = named.optional("chars", parser)?;
    Ok(Node::special(Trim { name, input, characters }))
}

#[derive(Debug)]
struct Replace {
    name: &'static str,
    input: Node,
    find: Node,
    replacement: Node,
}

impl Evaluate for Replace {
    fn evaluate<'v>(&'v self, context: &Context<'v>) -> Outcome<'v> {
        let name = self.name;
        let mut values = [None, None, None];
        let parts = [
            (&self.input, "input", 51746),
            (&self.find, "find", 51745),
            (&self.replacement, "replacement", 51744),
        ];
        for (value, (node, what, code)) in values.iter_mut().zip(parts) {
            *value = node.evaluate(context)?;
            if !is_nullish(value.as_ref()) && text(value).is_none() {
                let found = shown(value);
                return fail(
                    code,
                    format!("{name} requires that '{what}' be a string, found: {found}"),
                );
            }
        }
        let [input, find, replacement] = &values;
        let (Some(whole), Some(find), Some(replacement)) =
            (text(input), text(find), text(replacement))
        else {
            return null();
        };
        if name == "$replaceOne" {
            return present(whole.replacen(find, replacement, 1));
        }
        let count = whole.matches(find).count();
        check_size(whole.len().saturating_add(count.saturating_mul(replacement.len())))?;
        present(whole.replace(find, replacement))
    }
}

fn replace(
    name: &'static str,
    argument: RawBsonRef<'_>,
    parser: &Parser<'_>,
) -> Result<Node, Error> {
    let RawBsonRef::Document(document) = argument else {
        let found = describe::type_name(Some(argument));
        return fail(51751, format!("{name} requires an object as an argument, found: {found}"));
    };
    let unknown = |field: &str| (51750, format!("{name} found an unknown argument: {field}"));
    let named = Named::read(document, &["input", "find", "replacement"], unknown)?;
    let required = |field: &str, code| {
        named.required(field, parser, || {
            (code, format!("{name} requires '{field}' to be specified"))
        })
    };
    let (input, find) = (required("input", 51749)?, required("find", 51748)?);
    let replacement = required("replacement", 51747)?;
    Ok(Node::special(Replace { name, input, find, replacement }))
}
