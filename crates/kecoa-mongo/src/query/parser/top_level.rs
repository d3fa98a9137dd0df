//! A filter's fields and the operators beside them.

use ::bson::{RawBsonRef, RawDocument};

use super::{Features, Parser, Place, bad_value, field, is_operators};
use crate::error::{Code, Error};
use crate::expression::Expression;
use crate::query::comparison::ComparisonOperator;
use crate::query::field_path::FieldPath;
use crate::query::integer;
use crate::query::json_schema::Schema;
use crate::query::node::{Node, Test};
use crate::query::pattern::Pattern;

impl Parser<'_> {
    /// One field of a filter; none for a comment.
    pub(super) fn top_level(
        self,
        name: &str,
        value: RawBsonRef<'_>,
    ) -> Result<Option<Node>, Error> {
        if !name.starts_with('$') {
            return self.field_condition(name, value).map(Some);
        }
        Ok(Some(match name {
            "$and" => Node::And(self.filters(name, value)?),
            "$or" => Node::Or(self.filters(name, value)?),
            "$nor" => Node::Nor(self.filters(name, value)?),
            "$comment" => return Ok(None),
            "$expr" => {
                self.only_in_documents(name)?;
                self.only_with_features(name, Code::QUERY_FEATURE_NOT_ALLOWED)?;
                Node::Expr(Box::new(Expression::parse(value, self.scope)?))
            }
            "$alwaysTrue" => constant(name, value, true)?,
            "$alwaysFalse" => constant(name, value, false)?,
            "$sampleRate" => {
                self.only_in_documents(name)?;
                sample(value)?
            }
            "$jsonSchema" => {
                self.only_with_features(name, Code::QUERY_FEATURE_NOT_ALLOWED)?;
                Node::JsonSchema(Box::new(Schema::parse(value)?))
            }
            // The parts of a DBRef are fields like others.
            "$ref" | "$id" | "$db" => {
                self.comparison(&FieldPath::parse(name)?, ComparisonOperator::Equal, value)?
            }
            "$where" => {
                self.only_with_features(name, Code::BAD_VALUE)?;
                self.only_in_documents(name)?;
                return Err(no_javascript(name));
            }
            "$text" => {
                self.only_in_documents(name)?;
                self.only_with_features(name, Code::BAD_VALUE)?;
                return Err(Error::new(
                    Code::INDEX_NOT_FOUND,
                    "text index required for $text query; text indexes are not built in",
                ));
            }
            _ => {
                return Err(bad_value(format!(
                    "unknown top level operator: {name}. If you have a field name that starts \
                     with a '$' symbol, consider using $getField or $setField."
                )));
            }
        }))
    }

    fn field_condition(self, name: &str, value: RawBsonRef<'_>) -> Result<Node, Error> {
        let path = FieldPath::parse(name)?;
        match value {
            RawBsonRef::Document(operators) if is_operators(operators, false) => {
                self.operators(&path, operators)
            }
            RawBsonRef::RegularExpression(regex) => {
                let pattern = Pattern::new(regex.pattern.as_str(), regex.options.as_str())?;
                Ok(field(&path, Test::Pattern(pattern)))
            }
            _ => self.comparison(&path, ComparisonOperator::Equal, value),
        }
    }

    fn filters(self, name: &str, value: RawBsonRef<'_>) -> Result<Vec<Node>, Error> {
        let RawBsonRef::Array(array) = value else {
            return Err(bad_value(format!("{name} must be an array")));
        };
        if array.is_empty() {
            return Err(bad_value(format!("{name} must be a nonempty array")));
        }
        array
            .into_iter()
            .map_while(Result::ok)
            .map(|entry| match entry {
                RawBsonRef::Document(filter) => self.filter(filter).map(single),
                _ => Err(bad_value("$or/$and/$nor entries need to be full objects")),
            })
            .collect()
    }

    fn only_in_documents(self, name: &str) -> Result<(), Error> {
        if self.place == Place::Document {
            return Ok(());
        }
        Err(bad_value(format!("{name} can only be applied to the top-level document")))
    }

    fn only_with_features(self, name: &str, code: Code) -> Result<(), Error> {
        match self.features {
            Features::All => Ok(()),
            Features::Plain => {
                Err(Error::new(code, format!("{name} is not allowed in this context")))
            }
        }
    }
}

/// One condition needs no conjunction around.
fn single(node: Node) -> Node {
    match node {
        Node::And(mut nodes) if nodes.len() == 1 => nodes.pop().unwrap_or(Node::And(nodes)),
        node => node,
    }
}

fn constant(name: &str, value: RawBsonRef<'_>, result: bool) -> Result<Node, Error> {
    if integer::exact(value) == Ok(1) {
        return Ok(Node::Constant(result));
    }
    Err(Error::new(Code::FAILED_TO_PARSE, format!("{name} must be an integer value of 1")))
}

fn sample(value: RawBsonRef<'_>) -> Result<Node, Error> {
    let rate = match value {
        RawBsonRef::Int32(value) => Some(f64::from(value)),
        RawBsonRef::Double(value) => Some(value),
        RawBsonRef::Decimal128(value) => value.to_string().parse().ok(),
        RawBsonRef::Int64(value @ 0..=1) => Some(if value == 0 { 0.0 } else { 1.0 }),
        RawBsonRef::Int64(_) => Some(f64::INFINITY),
        _ => None,
    };
    match rate {
        None => Err(bad_value("argument to $sampleRate must be a numeric type")),
        Some(rate) if (0.0..=1.0).contains(&rate) => Ok(Node::Sample(rate)),
        Some(_) => Err(bad_value("numeric argument to $sampleRate must be in [0, 1]")),
    }
}

pub(super) fn no_javascript(name: &str) -> Error {
    Error::new(
        Code::JS_INTERPRETER_FAILURE,
        format!("{name} needs JavaScript, which is not built in"),
    )
}

/// Only documents can be filters.
pub(super) fn document<'a>(value: RawBsonRef<'a>, message: &str) -> Result<&'a RawDocument, Error> {
    value.as_document().ok_or_else(|| bad_value(message))
}
