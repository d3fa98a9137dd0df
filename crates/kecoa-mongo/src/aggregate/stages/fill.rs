//! `$fill`: windows that carry values on, and fields that are added where there is none.

use ::bson::raw::{CString, RawArrayBuf, cstr};
use ::bson::{RawBsonRef, RawDocument, RawDocumentBuf};

use super::{shape, window};
use crate::aggregate::context::Context;
use crate::aggregate::specification::{
    fields, items, missing_field, single, type_name, unknown_field, wrong_type,
};
use crate::aggregate::stage::Stages;
use crate::error::{Code, Error};

pub(in crate::aggregate) fn parse(
    name: &str,
    argument: RawBsonRef<'_>,
    context: &Context<'_>,
) -> Result<Stages, Error> {
    let RawBsonRef::Document(document) = argument else {
        return Err(Error::new(
            Code::FAILED_TO_PARSE,
            format!(
                "The $fill stage specification must be an object, found {}",
                type_name(argument)
            ),
        ));
    };
    let (mut sort, mut partition, mut by_fields, mut output) = (None, None, None, None);
    for field in fields(document) {
        match field? {
            ("sortBy", RawBsonRef::Document(value)) => sort = Some(value),
            ("sortBy", value) => return Err(wrong_type(name, "sortBy", value, "object")),
            ("partitionBy", value @ (RawBsonRef::String(_) | RawBsonRef::Document(_))) => {
                partition = Some(value);
            }
            ("partitionBy", value) => {
                return Err(wrong_type(name, "partitionBy", value, "[string, object]"));
            }
            ("partitionByFields", RawBsonRef::Array(names)) => {
                let of_field = |item| match item? {
                    RawBsonRef::String(text) => Ok(text),
                    other => Err(wrong_type(name, "partitionByFields", other, "string")),
                };
                by_fields = Some(items(names).map(of_field).collect::<Result<Vec<_>, _>>()?);
            }
            ("partitionByFields", value) => {
                return Err(wrong_type(name, "partitionByFields", value, "array"));
            }
            ("output", RawBsonRef::Document(value)) => output = Some(value),
            ("output", value) => return Err(wrong_type(name, "output", value, "object")),
            (other, _) => return Err(unknown_field(name, other)),
        }
    }
    let output = output.ok_or_else(|| missing_field(name, "output"))?;
    let (carried, added) = outputs(name, output)?;
    if partition.is_some() && by_fields.is_some() {
        return Err(Error::location(
            6_050_204,
            "Maximum one of 'partitionBy' and 'partitionByFields can be specified in '$fill'",
        ));
    }
    let mut stages = Stages::new();
    if !carried.is_empty() {
        let mut windows = single(cstr!("output"), carried);
        if let Some(sort) = sort {
            windows.append(cstr!("sortBy"), sort);
        }
        if let Some(partition) = partition {
            windows.append(cstr!("partitionBy"), partition);
        }
        if let Some(by_fields) = by_fields {
            let mut partition = RawDocumentBuf::new();
            for field in by_fields {
                partition.append(c_string(field)?, format!("${field}"));
            }
            windows.append(cstr!("partitionBy"), partition);
        }
        let windows = RawBsonRef::Document(&windows);
        stages.extend(window::parse("$setWindowFields", windows, context)?);
    }
    if !added.is_empty() {
        let added = RawBsonRef::Document(&added);
        stages.extend(shape::parse_added("$addFields", added, context)?);
    }
    Ok(stages)
}

/// The fields of windows, and those that are added.
fn outputs(name: &str, output: &RawDocument) -> Result<(RawDocumentBuf, RawDocumentBuf), Error> {
    if output.is_empty() {
        return Err(Error::location(
            6_050_203,
            "The output field in '$fill' must contain an object with at least one element",
        ));
    }
    let (mut carried, mut added) = (RawDocumentBuf::new(), RawDocumentBuf::new());
    for field in fields(output) {
        let (path, value) = field?;
        let RawBsonRef::Document(specification) = value else {
            return Err(Error::location(
                6_050_200,
                "Each fill output specification must be an object with exactly one field",
            ));
        };
        let (mut method, mut filled) = (None, None);
        for field in fields(specification) {
            match field? {
                ("method", RawBsonRef::String(text)) => method = Some(text),
                ("method", value) => return Err(wrong_type(name, "method", value, "string")),
                ("value", value) => filled = Some(value),
                (other, _) => return Err(unknown_field(name, other)),
            }
        }
        let (key, value) = (c_string(path)?, format!("${path}"));
        match (method, filled) {
            (Some(_), Some(_)) => {
                return Err(Error::location(
                    6_050_201,
                    "Each fill output specification must have exactly one of 'method' or 'value' fields, not both",
                ));
            }
            (Some("locf"), None) => carried.append(key, single(cstr!("$locf"), value)),
            (Some("linear"), None) => carried.append(key, single(cstr!("$linearFill"), value)),
            (Some(_), None) => {
                return Err(Error::location(6_050_202, "Method must be either locf or linear"));
            }
            (None, Some(filled)) => {
                let mut choice = RawArrayBuf::new();
                choice.push(value);
                choice.push(filled);
                added.append(key, single(cstr!("$ifNull"), choice));
            }
            (None, None) => {}
        }
    }
    Ok((carried, added))
}

fn c_string(name: &str) -> Result<CString, Error> {
    CString::try_from(name).map_err(|_| Error::new(Code::BAD_VALUE, "expected a name without NUL"))
}
