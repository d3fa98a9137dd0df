//! Operators of a field.

use ::bson::{RawBsonRef, RawDocument};

use super::patterns::PatternParts;
use super::{Features, Parser, bad_value, compare, field, not};
use crate::error::{Code, Error};
use crate::query::bits::BitTestKind;
use crate::query::comparison::ComparisonOperator;
use crate::query::field_path::FieldPath;
use crate::query::integer;
use crate::query::node::{Node, Test};
use crate::query::pattern::Pattern;
use crate::query::type_set::TypeSet;

impl Parser<'_> {
    /// All operators of a field.
    pub(super) fn operators(
        self,
        path: &FieldPath,
        operators: &RawDocument,
    ) -> Result<Node, Error> {
        let parser = self.deeper()?;
        let mut nodes = Vec::new();
        let mut pattern = PatternParts::default();
        for (place, (name, value)) in operators.iter().map_while(Result::ok).enumerate() {
            match name.as_str() {
                "$regex" => pattern.take_regex(value)?,
                "$options" => pattern.take_options(value)?,
                name => match parser.operator(path, name, value, place == 0)? {
                    Node::And(inner) => nodes.extend(inner),
                    node => nodes.push(node),
                },
            }
        }
        if let Some(pattern) = pattern.finish()? {
            nodes.push(field(path, Test::Pattern(pattern)));
        }
        Ok(Node::And(nodes))
    }

    fn operator(
        self,
        path: &FieldPath,
        name: &str,
        value: RawBsonRef<'_>,
        is_first: bool,
    ) -> Result<Node, Error> {
        use ComparisonOperator as Operator;
        Ok(match name {
            "$eq" => self.comparison(path, Operator::Equal, value)?,
            "$gt" => self.comparison(path, Operator::Greater, value)?,
            "$gte" => self.comparison(path, Operator::GreaterOrEqual, value)?,
            "$lt" => self.comparison(path, Operator::Less, value)?,
            "$lte" => self.comparison(path, Operator::LessOrEqual, value)?,
            "$ne" => {
                if matches!(value, RawBsonRef::RegularExpression(_)) {
                    return Err(bad_value("Can't have regex as arg to $ne."));
                }
                not(self.comparison(path, Operator::Equal, value)?)
            }
            "$in" => self.in_list(path, name, value)?,
            "$nin" => not(self.in_list(path, name, value)?),
            "$not" => self.not(path, value)?,
            "$all" => self.all(path, value)?,
            "$elemMatch" => self.element_match(path, value)?,
            "$exists" if is_true(value) => field(path, Test::Exists),
            "$exists" => not(field(path, Test::Exists)),
            "$type" => field(path, Test::Type(TypeSet::parse(value)?)),
            "$size" => field(path, Test::Size(self.size(value)?)),
            "$mod" => field(path, Test::Modulo(self.modulo(value)?)),
            "$bitsAllSet" => self.bits(path, BitTestKind::AllSet, value)?,
            "$bitsAnySet" => self.bits(path, BitTestKind::AnySet, value)?,
            "$bitsAllClear" => self.bits(path, BitTestKind::AllClear, value)?,
            "$bitsAnyClear" => self.bits(path, BitTestKind::AnyClear, value)?,
            "$near" | "$nearSphere" | "$geoNear" if !is_first || !is_nested(value) => {
                return Err(bad_value(format!("expected {name} with a document in front of all")));
            }
            "$near" | "$nearSphere" | "$geoNear" if self.features == Features::Plain => {
                return Err(Error::location(
                    5_626_500,
                    "$geoNear, $near, and $nearSphere are not allowed in this context",
                ));
            }
            "$near" | "$nearSphere" | "$geoNear" => {
                return Err(Error::new(
                    Code::NO_QUERY_EXECUTION_PLANS,
                    format!("unable to find index for {name}: geospatial indexes are not built in"),
                ));
            }
            "$geoWithin" | "$within" | "$geoIntersects" => {
                return Err(Error::new(
                    Code::NOT_IMPLEMENTED,
                    format!("{name} needs geospatial queries, which are not built in"),
                ));
            }
            _ => return Err(bad_value(format!("unknown operator: {name}"))),
        })
    }

    /// A comparison with a value that a client gave.
    pub(super) fn comparison(
        self,
        path: &FieldPath,
        operator: ComparisonOperator,
        value: RawBsonRef<'_>,
    ) -> Result<Node, Error> {
        match value {
            RawBsonRef::Undefined => Err(bad_value("cannot compare to undefined")),
            RawBsonRef::RegularExpression(_) if operator != ComparisonOperator::Equal => {
                Err(bad_value(format!(
                    "Can't have RegEx as arg to predicate over field '{}'.",
                    path.as_str()
                )))
            }
            _ => Ok(compare(path, operator, value)),
        }
    }

    fn not(self, path: &FieldPath, value: RawBsonRef<'_>) -> Result<Node, Error> {
        match value {
            RawBsonRef::RegularExpression(regex) => {
                let pattern = Pattern::new(regex.pattern.as_str(), regex.options.as_str())?;
                Ok(not(field(path, Test::Pattern(pattern))))
            }
            RawBsonRef::Document(operators) if operators.is_empty() => {
                Err(bad_value("$not cannot be empty"))
            }
            RawBsonRef::Document(operators) => self.operators(path, operators).map(not),
            _ => Err(bad_value("$not needs a regex or a document")),
        }
    }
}

fn is_nested(value: RawBsonRef<'_>) -> bool {
    matches!(value, RawBsonRef::Document(_) | RawBsonRef::Array(_))
}

/// Whether a value means yes: a number that is not zero, `true`, and all that is no number, but for null.
pub(super) fn is_true(value: RawBsonRef<'_>) -> bool {
    match value {
        RawBsonRef::Boolean(value) => value,
        RawBsonRef::Null | RawBsonRef::Undefined => false,
        value => integer::exact(value) != Ok(0),
    }
}
