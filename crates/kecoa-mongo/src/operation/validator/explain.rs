//! `errInfo.details`: which parts of a rule a document breaks.
//!
//! Each part is run by itself as a filter, so that this says what the matcher says.

mod parts;
mod schema;

use crate::bson::type_class::type_name;
use ::bson::raw::cstr;
use ::bson::{RawArrayBuf, RawBsonRef, RawDocument, RawDocumentBuf};

use parts::{MAX_DEPTH, field, holds, with};

/// Which parts of `rule` the document breaks.
#[must_use]
pub(super) fn details(rule: &RawDocument, document: &RawDocument) -> RawDocumentBuf {
    whole(rule, document, 0)
}

fn whole(rule: &RawDocument, document: &RawDocument, depth: usize) -> RawDocumentBuf {
    let parts: Vec<RawDocumentBuf> = rule
        .iter()
        .map_while(Result::ok)
        .flat_map(|(name, value)| split(name.as_str(), value))
        .collect();
    match parts.as_slice() {
        [part] => one(part, document, depth),
        parts => clauses("$and", parts.iter().map(|part| &**part), document, depth),
    }
}

/// The operators of one field, each by itself.
fn split(name: &str, value: RawBsonRef<'_>) -> Vec<RawDocumentBuf> {
    if let RawBsonRef::Document(operators) = value
        && !name.starts_with('$')
        && first_name(operators).is_some_and(|first| first.starts_with('$'))
        && operators.get("$regex").ok().flatten().is_none()
    {
        return operators
            .iter()
            .map_while(Result::ok)
            .map(|(operator, operand)| {
                let mut inner = RawDocumentBuf::new();
                inner.append(operator, operand);
                with(name, inner.into())
            })
            .collect();
    }
    vec![with(name, value.into())]
}

fn one(part: &RawDocument, document: &RawDocument, depth: usize) -> RawDocumentBuf {
    let Some((name, value)) = part.iter().next().and_then(Result::ok) else {
        return RawDocumentBuf::new();
    };
    match (name.as_str(), value) {
        (operator @ ("$and" | "$or" | "$nor"), RawBsonRef::Array(list)) if depth < MAX_DEPTH => {
            let list = list.into_iter().map_while(Result::ok).filter_map(|part| part.as_document());
            clauses(operator, list, document, depth)
        }
        ("$jsonSchema", RawBsonRef::Document(schema)) => schema::details(schema, document),
        ("$expr", _) => {
            let mut details = RawDocumentBuf::new();
            details.append(cstr!("operatorName"), "$expr");
            details.append(cstr!("specifiedAs"), part);
            details.append(cstr!("reason"), "expression did not match");
            details.append(cstr!("expressionResult"), false);
            details
        }
        (path, value) => leaf(part, path, value, document),
    }
}

fn clauses<'part>(
    operator: &str,
    parts: impl Iterator<Item = &'part RawDocument>,
    document: &RawDocument,
    depth: usize,
) -> RawDocumentBuf {
    let mut details = RawDocumentBuf::new();
    details.append(cstr!("operatorName"), operator);
    let mut list = RawArrayBuf::new();
    for (index, part) in (0_i32..).zip(parts) {
        let satisfied = holds(part, document) != (operator == "$nor");
        if satisfied {
            continue;
        }
        let mut clause = RawDocumentBuf::new();
        clause.append(cstr!("index"), index);
        clause.append(cstr!("details"), whole(part, document, depth + 1));
        list.push(clause);
    }
    if operator == "$nor" {
        details.append(cstr!("clausesSatisfied"), list);
    } else {
        details.append(cstr!("clausesNotSatisfied"), list);
    }
    details
}

fn leaf(
    part: &RawDocument,
    path: &str,
    value: RawBsonRef<'_>,
    document: &RawDocument,
) -> RawDocumentBuf {
    let operator = match value {
        RawBsonRef::Document(operators) => {
            first_name(operators).filter(|name| name.starts_with('$')).unwrap_or("$eq")
        }
        RawBsonRef::RegularExpression(_) => "$regex",
        _ => "$eq",
    };
    let mut details = RawDocumentBuf::new();
    details.append(cstr!("operatorName"), operator);
    details.append(cstr!("specifiedAs"), part);
    let Some(considered) = field(document, path) else {
        details.append(
            cstr!("reason"),
            if operator == "$exists" { "path does not exist" } else { "field was missing" },
        );
        return details;
    };
    details.append(
        cstr!("reason"),
        match operator {
            "$exists" => "path does exist",
            "$type" => "type did not match",
            "$in" => "no matching value found in array",
            "$nin" => "matching value found in array",
            "$regex" => "regular expression did not match",
            "$mod" => "$mod did not evaluate to expected remainder",
            "$size" => "array length was not equal to given size",
            "$all" => "array did not contain all specified values",
            "$elemMatch" => "array did not satisfy the child predicate",
            "$not" => "child expression matched",
            _ => "comparison failed",
        },
    );
    if operator != "$exists" {
        details.append(cstr!("consideredValue"), considered);
    }
    if operator == "$type" {
        details.append(cstr!("consideredType"), type_name(considered));
    }
    details
}

fn first_name(document: &RawDocument) -> Option<&str> {
    document.iter_elements().next()?.ok().map(|element| element.key().as_str())
}
