//! `$regex` and `$options`.

use ::bson::RawBsonRef;

use super::bad_value;
use crate::error::Error;
use crate::query::pattern::Pattern;

/// What was seen of a regular expression; its two operators come in any order.
#[derive(Default)]
pub(super) struct PatternParts<'a> {
    text: Option<&'a str>,
    /// Of a regular expression as a value.
    own_options: &'a str,
    options: Option<&'a str>,
}

impl<'a> PatternParts<'a> {
    pub(super) fn take_regex(&mut self, value: RawBsonRef<'a>) -> Result<(), Error> {
        match value {
            RawBsonRef::String(text) => {
                (self.text, self.own_options) = (Some(text), "");
            }
            RawBsonRef::RegularExpression(regex) => {
                self.text = Some(regex.pattern.as_str());
                self.own_options = regex.options.as_str();
                if !self.own_options.is_empty() && self.options.is_some_and(|it| !it.is_empty()) {
                    return Err(twice(51074));
                }
            }
            _ => return Err(bad_value("$regex has to be a string")),
        }
        Ok(())
    }

    pub(super) fn take_options(&mut self, value: RawBsonRef<'a>) -> Result<(), Error> {
        let RawBsonRef::String(options) = value else {
            return Err(bad_value("$options has to be a string"));
        };
        if !self.own_options.is_empty() || self.options.is_some_and(|it| !it.is_empty()) {
            return Err(twice(51075));
        }
        self.options = Some(options);
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Option<Pattern>, Error> {
        match (self.text, self.options) {
            (Some(text), options) => {
                let options = options.filter(|options| !options.is_empty());
                Pattern::new(text, options.unwrap_or(self.own_options)).map(Some)
            }
            (None, Some(_)) => Err(bad_value("$options needs a $regex")),
            (None, None) => Ok(None),
        }
    }
}

fn twice(number: i32) -> Error {
    Error::location(number, "options set in both $regex and $options")
}
