//! Which rules of a `$jsonSchema` a document breaks.

use crate::bson::type_class::type_name;
use ::bson::raw::cstr;
use ::bson::{RawArrayBuf, RawBson, RawBsonRef, RawDocument, RawDocumentBuf};

use super::parts::{MAX_DEPTH, field, holds, with};

/// The details of a schema as a whole.
pub(super) fn details(schema: &RawDocument, document: &RawDocument) -> RawDocumentBuf {
    let mut details = RawDocumentBuf::new();
    details.append(cstr!("operatorName"), "$jsonSchema");
    append_annotations(&mut details, schema);
    details.append(cstr!("schemaRulesNotSatisfied"), rules(schema, document, &[], 0));
    details
}

/// The rules of the schema of the property at `path` that the document breaks.
fn rules(schema: &RawDocument, document: &RawDocument, path: &[&str], depth: usize) -> RawArrayBuf {
    let mut broken = RawArrayBuf::new();
    for (keyword, value) in schema.iter().map_while(Result::ok) {
        let keyword = keyword.as_str();
        if matches!(keyword, "title" | "description" | "exclusiveMaximum" | "exclusiveMinimum") {
            continue;
        }
        let rule = rule_with_flags(schema, keyword, value);
        let at_root = path
            .iter()
            .rev()
            .fold(rule.clone(), |inner, name| with("properties", with(name, inner.into()).into()));
        if holds(&with("$jsonSchema", at_root.into()), document) {
            continue;
        }
        let considered = considered(document, path);
        broken.push(one(keyword, value, &rule, considered, document, path, depth));
    }
    broken
}

/// A keyword and its value as a schema, with the keyword that belongs to it.
fn rule_with_flags(schema: &RawDocument, keyword: &str, value: RawBsonRef<'_>) -> RawDocumentBuf {
    let mut rule = with(keyword, value.into());
    let flag = match keyword {
        "maximum" => cstr!("exclusiveMaximum"),
        "minimum" => cstr!("exclusiveMinimum"),
        _ => return rule,
    };
    if let Ok(Some(value)) = schema.get(flag) {
        rule.append(flag, value);
    }
    rule
}

fn one(
    keyword: &str,
    value: RawBsonRef<'_>,
    rule: &RawDocument,
    considered: Option<RawBsonRef<'_>>,
    document: &RawDocument,
    path: &[&str],
    depth: usize,
) -> RawDocumentBuf {
    let mut details = RawDocumentBuf::new();
    details.append(cstr!("operatorName"), keyword);
    match (keyword, value, considered) {
        ("properties", RawBsonRef::Document(properties), _) => {
            let broken = properties_not_satisfied(properties, document, path, depth);
            details.append(cstr!("propertiesNotSatisfied"), broken);
        }
        ("required", RawBsonRef::Array(names), Some(RawBsonRef::Document(object))) => {
            details.append(cstr!("specifiedAs"), rule);
            let mut missing = RawArrayBuf::new();
            for name in names.into_iter().map_while(Result::ok).filter_map(|name| name.as_str()) {
                if object.get(name).ok().flatten().is_none() {
                    missing.push(name);
                }
            }
            details.append(cstr!("missingProperties"), missing);
        }
        _ => {
            details.append(cstr!("specifiedAs"), rule);
            details.append(cstr!("reason"), reason(keyword));
            if let Some(considered) = considered {
                details.append(cstr!("consideredValue"), considered);
                if matches!(keyword, "bsonType" | "type") {
                    details.append(cstr!("consideredType"), type_name(considered));
                }
            }
        }
    }
    details
}

fn properties_not_satisfied(
    properties: &RawDocument,
    document: &RawDocument,
    path: &[&str],
    depth: usize,
) -> RawArrayBuf {
    let mut list = RawArrayBuf::new();
    if depth >= MAX_DEPTH {
        return list;
    }
    for (name, schema) in properties.iter().map_while(Result::ok) {
        let Some(schema) = schema.as_document() else { continue };
        let mut inner = path.to_vec();
        inner.push(name.as_str());
        let broken = rules(schema, document, &inner, depth + 1);
        if broken.is_empty() {
            continue;
        }
        let mut entry = RawDocumentBuf::new();
        entry.append(cstr!("propertyName"), name.as_str());
        append_annotations(&mut entry, schema);
        entry.append(cstr!("details"), broken);
        list.push(entry);
    }
    list
}

fn considered<'doc>(document: &'doc RawDocument, path: &[&str]) -> Option<RawBsonRef<'doc>> {
    let mut value = RawBsonRef::Document(document);
    for name in path {
        // A name may have a dot in it here.
        value = match value {
            RawBsonRef::Document(document) => document.get(name).ok().flatten()?,
            _ => return field(document, name),
        };
    }
    Some(value)
}

fn append_annotations(details: &mut RawDocumentBuf, schema: &RawDocument) {
    for name in [cstr!("title"), cstr!("description")] {
        if let Ok(Some(text)) = schema.get(name) {
            details.append(name, RawBson::from(text));
        }
    }
}

fn reason(keyword: &str) -> &'static str {
    match keyword {
        "bsonType" | "type" => "type did not match",
        "minimum" | "maximum" => "comparison failed",
        "minLength" | "maxLength" => "specified string length was not satisfied",
        "minItems" | "maxItems" => "array did not match specified length",
        "minProperties" | "maxProperties" => "specified number of properties was not satisfied",
        "uniqueItems" => "found a duplicate item",
        "pattern" => "regular expression did not match",
        "enum" => "value was not found in enum",
        "multipleOf" => "considered value is not a multiple of the specified value",
        "additionalProperties" => "additional properties were found",
        _ => "the rule was not satisfied",
    }
}
