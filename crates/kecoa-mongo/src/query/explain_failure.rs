//! Why a document does not pass a validator: what `errInfo.details` says beside error 121.

use std::ops::ControlFlow;

use ::bson::raw::{CStr, CString, cstr};
use ::bson::{RawArrayBuf, RawBson, RawBsonRef, RawDocument, RawDocumentBuf};

use super::context::Context;
use super::filter::Filter;
use super::node::{FieldTest, Node, Test};
use crate::bson::path::Found;
use crate::bson::type_class::type_name;
use crate::error::Error;
use crate::expression::Variables;

/// The values that a report shows of one field.
const MAX_VALUES: usize = 100;

impl Filter {
    /// What of the filter a document does not satisfy: `{operatorName, specifiedAs, reason, consideredValue}` and
    /// so on, nested as the filter is. `None` if it matches.
    ///
    /// # Errors
    ///
    /// Those of [`matches`](Self::matches).
    pub fn explain_failure(
        &self,
        document: &RawDocument,
        variables: &Variables,
    ) -> Result<Option<RawDocumentBuf>, Error> {
        if self.matches(document, variables)? {
            return Ok(None);
        }
        let explainer =
            Explainer { document, context: Context { variables, collator: self.collator() } };
        explainer.node(alone(self.root()), false).map(Some)
    }
}

struct Explainer<'a> {
    document: &'a RawDocument,
    context: Context<'a>,
}

impl<'a> Explainer<'a> {
    /// Why a condition does not hold; why it does, within a negation.
    fn node(&self, node: &Node, negated: bool) -> Result<RawDocumentBuf, Error> {
        match node {
            Node::And(nodes) => self.clauses("$and", nodes, negated),
            Node::Or(nodes) => self.clauses("$or", nodes, negated),
            Node::Nor(nodes) => self.clauses("$nor", nodes, negated),
            Node::Not(inner) => self.negation(inner, negated),
            Node::Field(field) => Ok(self.field(field, negated)),
            Node::Expr(expression) => {
                let value = expression.evaluate(self.document, self.context.variables)?;
                let mut report = named("$expr");
                let reason =
                    if negated { "expression did match" } else { "expression did not match" };
                report.append(cstr!("reason"), reason);
                if let Some(value) = value {
                    report.append(cstr!("expressionResult"), value.into_owned());
                }
                Ok(report)
            }
            Node::JsonSchema(schema) if !negated => {
                schema.explain_failure(self.document, self.context.variables.interrupt())
            }
            Node::JsonSchema(_) => {
                let mut report = named("$jsonSchema");
                report.append(cstr!("reason"), "schema matched");
                Ok(report)
            }
            Node::Constant(_) => {
                let mut report = named(if negated { "$alwaysTrue" } else { "$alwaysFalse" });
                let reason = if negated {
                    "expression always evaluates to true"
                } else {
                    "expression always evaluates to false"
                };
                report.append(cstr!("reason"), reason);
                Ok(report)
            }
            Node::Sample(_) => Ok(named("$sampleRate")),
        }
    }

    fn negation(&self, inner: &Node, negated: bool) -> Result<RawDocumentBuf, Error> {
        let inner = alone(inner);
        let Node::Field(field) = inner else {
            let mut report = named("$not");
            report.append(cstr!("details"), self.node(inner, !negated)?);
            return Ok(report);
        };
        // These have names of their own.
        let name = match &field.test {
            Test::Compare(comparison) if comparison.operator.name() == "$eq" => Some("$ne"),
            Test::In(_) => Some("$nin"),
            Test::Exists => Some("$exists"),
            _ => None,
        };
        let details = self.field(field, !negated);
        let Some(name) = name else {
            let mut report = named("$not");
            report.append(cstr!("details"), details);
            return Ok(report);
        };
        let mut report = named(name);
        let written = match &field.test {
            Test::Exists => RawBson::Boolean(false),
            test => argument(test).unwrap_or(RawBson::Null),
        };
        report.append(cstr!("specifiedAs"), single(field.path.as_str(), single(name, written)));
        let rest = details.iter().map_while(Result::ok);
        for (name, value) in
            rest.filter(|(name, _)| !["operatorName", "specifiedAs"].contains(&name.as_str()))
        {
            report.append(name, value);
        }
        Ok(report)
    }

    fn clauses(&self, name: &str, nodes: &[Node], negated: bool) -> Result<RawDocumentBuf, Error> {
        // Of $nor those count that hold.
        let wanted = negated != (name == "$nor");
        let mut entries = RawArrayBuf::new();
        for (index, node) in (0_i32..).zip(nodes) {
            if node.accepts_document(self.document, self.context, None)? == wanted {
                let mut entry = RawDocumentBuf::new();
                entry.append(cstr!("index"), index);
                entry.append(cstr!("details"), self.node(node, wanted)?);
                entries.push(entry);
            }
        }
        let mut report = named(name);
        let list = if wanted { cstr!("clausesSatisfied") } else { cstr!("clausesNotSatisfied") };
        report.append(list, entries);
        Ok(report)
    }

    fn field(&self, field: &FieldTest, negated: bool) -> RawDocumentBuf {
        let name = operator(&field.test);
        let mut report = named(name);
        if let Some(argument) = argument(&field.test) {
            let written = if name == "$eq" {
                single(field.path.as_str(), argument)
            } else {
                single(field.path.as_str(), single(name, argument))
            };
            report.append(cstr!("specifiedAs"), written);
        }
        let values = self.values(field);
        let [first, ..] = values.as_slice() else {
            let missing = if matches!(field.test, Test::Exists) {
                "path does not exist"
            } else {
                "field was missing"
            };
            report.append(cstr!("reason"), missing);
            return report;
        };
        report.append(cstr!("reason"), reason(&field.test, negated));
        if matches!(field.test, Test::Exists) {
            return report;
        }
        if values.len() == 1 {
            report.append(cstr!("consideredValue"), *first);
            if matches!(field.test, Test::Type(_)) {
                report.append(cstr!("consideredType"), type_name(*first));
            }
            return report;
        }
        let (mut all, mut types) = (RawArrayBuf::new(), RawArrayBuf::new());
        for value in &values {
            all.push(*value);
            types.push(type_name(*value));
        }
        report.append(cstr!("consideredValues"), all);
        if matches!(field.test, Test::Type(_)) {
            report.append(cstr!("consideredTypes"), types);
        }
        report
    }

    /// What the path leads to.
    fn values(&self, field: &FieldTest) -> Vec<RawBsonRef<'a>> {
        let mut values = Vec::new();
        let mut visit = |found: Found<'a, '_>| {
            values.extend(found.value);
            if values.len() < MAX_VALUES {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        let path = field.path.path();
        let _: ControlFlow<()> = if field.test.is_of_whole_arrays() {
            path.visit_whole(self.document, &mut visit)
        } else {
            path.visit(self.document, &mut visit)
        };
        values
    }
}

/// One condition needs no conjunction around.
fn alone(mut node: &Node) -> &Node {
    while let Node::And(nodes) = node {
        let [inner] = nodes.as_slice() else { break };
        node = inner;
    }
    node
}

fn named(name: &str) -> RawDocumentBuf {
    let mut report = RawDocumentBuf::new();
    report.append(cstr!("operatorName"), name);
    report
}

/// A document of one field, whose name comes from a filter and so has no zeros.
fn single(name: &str, value: impl Into<RawBson>) -> RawDocumentBuf {
    let mut document = RawDocumentBuf::new();
    if let Ok(name) = CString::try_from(name) {
        document.append(AsRef::<CStr>::as_ref(&name), value.into());
    }
    document
}

fn operator(test: &Test) -> &'static str {
    match test {
        Test::Compare(comparison) => comparison.operator.name(),
        Test::In(_) => "$in",
        Test::Exists => "$exists",
        Test::Type(_) => "$type",
        Test::Size(_) => "$size",
        Test::Modulo(_) => "$mod",
        Test::Pattern(_) => "$regex",
        Test::Bits(bits) => bits.kind.name(),
        Test::ElementValue(_) | Test::ElementDocument(_) => "$elemMatch",
    }
}

/// The argument of an operator; none where it was not kept.
fn argument(test: &Test) -> Option<RawBson> {
    let number =
        |number: u64| i32::try_from(number).map_or(RawBson::Double(f64::INFINITY), RawBson::Int32);
    match test {
        Test::Compare(comparison) => Some(comparison.value.clone()),
        Test::In(list) => {
            let mut values = RawArrayBuf::new();
            for value in list.values().iter().take(MAX_VALUES) {
                values.push(value.as_raw_bson_ref());
            }
            Some(RawBson::Array(values))
        }
        Test::Exists => Some(RawBson::Boolean(true)),
        Test::Type(types) => {
            let mut names = types.names();
            if let (Some(name), None) = (names.next(), names.next()) {
                return Some(RawBson::String(name.to_owned()));
            }
            let mut list = RawArrayBuf::new();
            for name in types.names() {
                list.push(name);
            }
            Some(RawBson::Array(list))
        }
        Test::Size(size) => Some(number(*size)),
        Test::Modulo(modulo) => {
            let mut numbers = RawArrayBuf::new();
            numbers.push(modulo.divisor);
            numbers.push(modulo.remainder);
            Some(RawBson::Array(numbers))
        }
        Test::Pattern(pattern) => Some(RawBson::String(pattern.text().to_owned())),
        Test::Bits(bits) => {
            let mut positions = RawArrayBuf::new();
            for position in bits.positions.iter().take(MAX_VALUES) {
                positions.push(number((*position).into()));
            }
            Some(RawBson::Array(positions))
        }
        Test::ElementValue(_) | Test::ElementDocument(_) => None,
    }
}

fn reason(test: &Test, negated: bool) -> &'static str {
    match (test, negated) {
        (Test::Compare(_), false) => "comparison failed",
        (Test::Compare(_), true) => "comparison succeeded",
        (Test::In(_), false) => "no matching value found in array",
        (Test::In(_), true) => "matching value found in array",
        (Test::Exists, false) => "path does not exist",
        (Test::Exists, true) => "path does exist",
        (Test::Type(_), false) => "type did not match",
        (Test::Type(_), true) => "type did match",
        (Test::Size(_), false) => "array length was not equal to given size",
        (Test::Size(_), true) => "array length was equal to given size",
        (Test::Modulo(_), false) => "$mod did not evaluate to expected remainder",
        (Test::Modulo(_), true) => "$mod did evaluate to expected remainder",
        (Test::Pattern(_), false) => "regular expression did not match",
        (Test::Pattern(_), true) => "regular expression did match",
        (Test::Bits(_), false) => "bitwise operator failed to match",
        (Test::Bits(_), true) => "bitwise operator matched successfully",
        (Test::ElementValue(_) | Test::ElementDocument(_), false) => {
            "array did not satisfy the child predicate"
        }
        (Test::ElementValue(_) | Test::ElementDocument(_), true) => {
            "array did satisfy the child predicate"
        }
    }
}
