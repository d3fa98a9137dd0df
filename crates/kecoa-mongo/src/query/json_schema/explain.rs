//! Why a value is not as a schema says.

use std::collections::HashSet;

use ::bson::raw::{CStr, CString, cstr};
use ::bson::{RawArray, RawArrayBuf, RawBson, RawBsonRef, RawDocument, RawDocumentBuf};

use super::schema::{Dependency, Keyword, Limit, Others, Schema};
use super::unordered;
use super::validate::{accept_other, missing};
use crate::bson::type_class::type_name;
use crate::error::Error;
use crate::interrupt::Interrupt;

impl Schema {
    /// The rules that a document does not satisfy, as `errInfo` has them: `{operatorName: "$jsonSchema",
    /// schemaRulesNotSatisfied: [...]}`.
    ///
    /// # Errors
    ///
    /// Those of [`accepts`](Self::accepts).
    pub fn explain_failure(
        &self,
        document: &RawDocument,
        interrupt: &Interrupt,
    ) -> Result<RawDocumentBuf, Error> {
        let mut report = RawDocumentBuf::new();
        report.append(cstr!("operatorName"), "$jsonSchema");
        self.describe(&mut report);
        let rules = self.failures(RawBsonRef::Document(document), interrupt)?;
        report.append(cstr!("schemaRulesNotSatisfied"), rules);
        Ok(report)
    }

    fn describe(&self, report: &mut RawDocumentBuf) {
        if let Some(title) = &self.title {
            report.append(cstr!("title"), &**title);
        }
        if let Some(description) = &self.description {
            report.append(cstr!("description"), &**description);
        }
    }

    /// One entry a rule.
    fn failures(&self, value: RawBsonRef<'_>, interrupt: &Interrupt) -> Result<RawArrayBuf, Error> {
        let mut rules = RawArrayBuf::new();
        for keyword in &self.keywords {
            if !keyword.accepts(value, interrupt)? {
                rules.push(keyword.failure(value, interrupt)?);
            }
        }
        match value {
            RawBsonRef::Document(document) => {
                self.field_failures(document, &mut rules, interrupt)?
            }
            RawBsonRef::Array(array) => self.item_failure(array, &mut rules, interrupt)?,
            _ => {}
        }
        Ok(rules)
    }

    fn field_failures(
        &self,
        document: &RawDocument,
        rules: &mut RawArrayBuf,
        interrupt: &Interrupt,
    ) -> Result<(), Error> {
        let (mut named, mut by_pattern, mut others) =
            (RawArrayBuf::new(), RawArrayBuf::new(), RawArrayBuf::new());
        for (name, value) in document.iter().map_while(Result::ok) {
            let name = name.as_str();
            let place = self.fields.places.get(name);
            if let Some((_, schema)) = place.and_then(|at| self.fields.named.get(*at))
                && !schema.accepts(value, interrupt)?
            {
                let mut entry = RawDocumentBuf::new();
                entry.append(cstr!("propertyName"), name);
                schema.describe(&mut entry);
                entry.append(cstr!("details"), schema.failures(value, interrupt)?);
                named.push(entry);
            }
            for (pattern, schema) in &self.fields.patterns {
                if pattern.is_match(name, interrupt)? && !schema.accepts(value, interrupt)? {
                    let mut entry = RawDocumentBuf::new();
                    entry.append(cstr!("propertyName"), name);
                    schema.describe(&mut entry);
                    entry.append(cstr!("regexMatched"), pattern.text());
                    entry.append(cstr!("details"), schema.failures(value, interrupt)?);
                    by_pattern.push(entry);
                }
            }
            if !self.fields.names(name, interrupt)?
                && !accept_other(self.fields.others.as_ref(), value, interrupt)?
            {
                others.push(name);
            }
        }
        for (operator, list, entries) in [
            ("properties", cstr!("propertiesNotSatisfied"), named),
            ("patternProperties", cstr!("details"), by_pattern),
        ] {
            if !entries.is_empty() {
                let mut rule = named_rule(operator);
                rule.append(list, entries);
                rules.push(rule);
            }
        }
        if !others.is_empty() {
            let mut rule = named_rule("additionalProperties");
            if matches!(self.fields.others, Some(Others::Refused)) {
                rule.append(cstr!("specifiedAs"), single("additionalProperties", false));
            }
            rule.append(cstr!("additionalProperties"), others);
            rules.push(rule);
        }
        Ok(())
    }

    fn item_failure(
        &self,
        array: &RawArray,
        rules: &mut RawArrayBuf,
        interrupt: &Interrupt,
    ) -> Result<(), Error> {
        let each = self.items.each.as_ref();
        for (index, value) in array.into_iter().map_while(Result::ok).enumerate() {
            if self.items.accept_at(index, value, interrupt)? {
                continue;
            }
            let schema = match (&self.items.every, each.and_then(|each| each.get(index))) {
                (Some(schema), _) => Some(&**schema),
                (None, schema) => schema,
            };
            let mut rule = RawDocumentBuf::new();
            if let Some(schema) = schema {
                rule.append(cstr!("operatorName"), "items");
                rule.append(cstr!("reason"), "At least one item did not match the sub-schema");
                rule.append(cstr!("itemIndex"), i32::try_from(index).unwrap_or(i32::MAX));
                rule.append(cstr!("details"), schema.failures(value, interrupt)?);
            } else {
                let mut values = RawArrayBuf::new();
                let from = each.map_or(0, Vec::len);
                for value in array.into_iter().map_while(Result::ok).skip(from) {
                    values.push(value);
                }
                rule.append(cstr!("operatorName"), "additionalItems");
                rule.append(cstr!("specifiedAs"), single("additionalItems", false));
                rule.append(cstr!("reason"), "found additional items");
                rule.append(cstr!("additionalItems"), values);
            }
            rules.push(rule);
            return Ok(());
        }
        Ok(())
    }
}

impl Keyword {
    fn failure(
        &self,
        value: RawBsonRef<'_>,
        interrupt: &Interrupt,
    ) -> Result<RawDocumentBuf, Error> {
        let length = "array did not match specified length";
        let properties = "specified number of properties was not satisfied";
        let text = "specified string length was not satisfied";
        Ok(match self {
            Self::Type { name, argument, .. } => {
                let mut rule = rule(name, argument.clone(), "type did not match", value);
                rule.append(cstr!("consideredType"), type_name(value));
                rule
            }
            Self::Required(names) => required(names, value),
            Self::Dependencies(dependencies) => failing(dependencies, value, interrupt)?,
            Self::Limit(limit) => limit_failure(limit, value),
            Self::MultipleOf(number) => rule(
                "multipleOf",
                number.to_bson(),
                "considered value is not a multiple of the specified value",
                value,
            ),
            Self::MinLength(least) => rule("minLength", count(*least), text, value),
            Self::MaxLength(most) => rule("maxLength", count(*most), text, value),
            Self::MinItems(least) => rule("minItems", count(*least), length, value),
            Self::MaxItems(most) => rule("maxItems", count(*most), length, value),
            Self::MinProperties(least) => counted("minProperties", *least, properties, value),
            Self::MaxProperties(most) => counted("maxProperties", *most, properties, value),
            Self::UniqueItems => duplicate(value),
            Self::Pattern(pattern) => {
                let argument = RawBson::String(pattern.text().to_owned());
                rule("pattern", argument, "regular expression did not match", value)
            }
            Self::Enum { values, .. } => {
                rule("enum", values.clone(), "value was not found in enum", value)
            }
            Self::AllOf(schemas) => not_satisfied("allOf", schemas, value, interrupt)?,
            Self::AnyOf(schemas) => not_satisfied("anyOf", schemas, value, interrupt)?,
            Self::OneOf(schemas) => one_of(schemas, value, interrupt)?,
            Self::Not(_) => {
                let mut rule = named_rule("not");
                rule.append(cstr!("reason"), "child expression matched");
                rule
            }
            Self::Encrypt => {
                let mut rule = named_rule("encrypt");
                rule.append(cstr!("reason"), "value was not encrypted");
                rule
            }
        })
    }
}

fn named_rule(name: &str) -> RawDocumentBuf {
    let mut rule = RawDocumentBuf::new();
    rule.append(cstr!("operatorName"), name);
    rule
}

fn rule(name: &str, argument: RawBson, reason: &str, value: RawBsonRef<'_>) -> RawDocumentBuf {
    let mut rule = named_rule(name);
    rule.append(cstr!("specifiedAs"), single(name, argument));
    rule.append(cstr!("reason"), reason);
    rule.append(cstr!("consideredValue"), value);
    rule
}

fn single(name: &str, value: impl Into<RawBson>) -> RawDocumentBuf {
    let mut document = RawDocumentBuf::new();
    append(&mut document, name, value.into());
    document
}

/// A field whose name is no literal; names come from documents and have no zeros.
fn append(document: &mut RawDocumentBuf, name: &str, value: RawBson) {
    if let Ok(name) = CString::try_from(name) {
        document.append(AsRef::<CStr>::as_ref(&name), value);
    }
}

fn count(number: u64) -> RawBson {
    i32::try_from(number)
        .map_or_else(|_| RawBson::Int64(i64::try_from(number).unwrap_or(i64::MAX)), RawBson::Int32)
}

fn limit_failure(limit: &Limit, value: RawBsonRef<'_>) -> RawDocumentBuf {
    let (name, exclusive) = if limit.is_minimum {
        ("minimum", "exclusiveMinimum")
    } else {
        ("maximum", "exclusiveMaximum")
    };
    let mut written = single(name, limit.number.clone());
    if limit.exclusive {
        append(&mut written, exclusive, RawBson::Boolean(true));
    }
    let mut rule = named_rule(name);
    rule.append(cstr!("specifiedAs"), written);
    rule.append(cstr!("reason"), "comparison failed");
    rule.append(cstr!("consideredValue"), value);
    rule
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> RawArrayBuf {
    let mut list = RawArrayBuf::new();
    for name in names {
        list.push(name);
    }
    list
}

fn required(names: &[Box<str>], value: RawBsonRef<'_>) -> RawDocumentBuf {
    let mut rule = named_rule("required");
    let written = list(names.iter().map(|name| &**name));
    rule.append(cstr!("specifiedAs"), single("required", RawBson::Array(written)));
    if let RawBsonRef::Document(document) = value {
        rule.append(cstr!("missingProperties"), list(missing(names, document)));
    }
    rule
}

fn failing(
    dependencies: &[(Box<str>, Dependency)],
    value: RawBsonRef<'_>,
    interrupt: &Interrupt,
) -> Result<RawDocumentBuf, Error> {
    let mut entries = RawArrayBuf::new();
    if let RawBsonRef::Document(document) = value {
        for (name, dependency) in dependencies {
            let present = document.get(&**name).is_ok_and(|found| found.is_some());
            if !present || dependency.accepts(document, interrupt)? {
                continue;
            }
            let mut entry = RawDocumentBuf::new();
            entry.append(cstr!("conditionalProperty"), &**name);
            match dependency {
                Dependency::Fields(names) => {
                    entry.append(cstr!("missingProperties"), list(missing(names, document)));
                }
                Dependency::Schema(schema) => {
                    entry.append(cstr!("details"), schema.failures(value, interrupt)?);
                }
            }
            entries.push(entry);
        }
    }
    let mut rule = named_rule("dependencies");
    rule.append(cstr!("failingDependencies"), entries);
    Ok(rule)
}

fn counted(name: &str, limit: u64, reason: &str, value: RawBsonRef<'_>) -> RawDocumentBuf {
    let mut report = named_rule(name);
    report.append(cstr!("specifiedAs"), single(name, count(limit)));
    report.append(cstr!("reason"), reason);
    if let RawBsonRef::Document(document) = value {
        let found = document.iter_elements().count();
        report.append(cstr!("numberOfProperties"), i32::try_from(found).unwrap_or(i32::MAX));
    }
    report
}

fn duplicate(value: RawBsonRef<'_>) -> RawDocumentBuf {
    let mut report = rule("uniqueItems", RawBson::Boolean(true), "found a duplicate item", value);
    if let RawBsonRef::Array(array) = value {
        let mut seen = HashSet::new();
        let mut elements = array.into_iter().map_while(Result::ok);
        if let Some(twice) = elements.find(|element| !seen.insert(unordered::key(*element))) {
            report.append(cstr!("duplicatedValue"), twice);
        }
    }
    report
}

fn not_satisfied(
    name: &str,
    schemas: &[Schema],
    value: RawBsonRef<'_>,
    interrupt: &Interrupt,
) -> Result<RawDocumentBuf, Error> {
    let mut entries = RawArrayBuf::new();
    for (index, schema) in (0_i32..).zip(schemas) {
        if !schema.accepts(value, interrupt)? {
            let mut entry = RawDocumentBuf::new();
            entry.append(cstr!("index"), index);
            schema.describe(&mut entry);
            entry.append(cstr!("details"), schema.failures(value, interrupt)?);
            entries.push(entry);
        }
    }
    let mut rule = named_rule(name);
    rule.append(cstr!("schemasNotSatisfied"), entries);
    Ok(rule)
}

fn one_of(
    schemas: &[Schema],
    value: RawBsonRef<'_>,
    interrupt: &Interrupt,
) -> Result<RawDocumentBuf, Error> {
    let mut passed = RawArrayBuf::new();
    for (index, schema) in (0_i32..).zip(schemas) {
        if schema.accepts(value, interrupt)? {
            passed.push(index);
        }
    }
    if passed.is_empty() {
        return not_satisfied("oneOf", schemas, value, interrupt);
    }
    let mut rule = named_rule("oneOf");
    rule.append(cstr!("reason"), "more than one subschema matched");
    rule.append(cstr!("matchingSchemaIndexes"), passed);
    Ok(rule)
}
