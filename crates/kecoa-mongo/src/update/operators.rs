//! The operator form: a document of operators, each with the fields it writes to.

use std::collections::BTreeSet;

use ::bson::{RawArray, RawBsonRef, RawDocument};

use super::arithmetic::{Arithmetic, Bits};
use super::array_filters::ArrayFilters;
use super::modifier::Modifier;
use super::path::UpdatePath;
use super::pull::Removal;
use super::push::Push;
use super::set::Additions;
use super::tree::Branch;
use super::{rename, text};
use crate::error::{Code, Error};
use crate::expression::Scope;

/// An update in operator form.
#[derive(Clone, Debug)]
pub(super) struct Operators {
    pub(super) branch: Branch,
    pub(super) filters: ArrayFilters,
}

impl Operators {
    /// # Errors
    ///
    /// `FailedToParse`, `BadValue`, `TypeMismatch`, `EmptyFieldName`, `ConflictingUpdateOperators`: what MongoDB
    /// refuses before it sees a document.
    pub(super) fn parse(
        update: &RawDocument,
        array_filters: Option<&RawArray>,
        scope: &Scope,
    ) -> Result<Self, Error> {
        let filters = match array_filters {
            Some(filters) => ArrayFilters::parse(filters, scope)?,
            None => ArrayFilters::default(),
        };
        let mut branch = Branch::default();
        let mut used = BTreeSet::new();
        for (operator, fields) in update.iter().map_while(Result::ok) {
            let operator = operator.as_str();
            if !is_operator(operator) {
                return Err(failed(format!(
                    "Unknown modifier: {operator}. Expected a valid update modifier or \
                     pipeline-style update specified as an array"
                )));
            }
            let RawBsonRef::Document(fields) = fields else {
                return Err(failed(format!(
                    "Modifiers operate on fields but we found type {} instead. For example: {{$mod: \
                     {{<field>: ...}}}} not {{{}}}",
                    text::type_name(fields),
                    text::field(operator, fields)
                )));
            };
            for (field, argument) in fields.iter().map_while(Result::ok) {
                let field = field.as_str();
                if operator == "$rename" {
                    rename::insert(&mut branch, field, argument)?;
                    continue;
                }
                let path = UpdatePath::parse(field)?;
                filters.check_path(&path, &mut used)?;
                branch.insert(&path, modifier(operator, field, argument, scope)?)?;
            }
        }
        filters.check_used(&used, RawBsonRef::Document(update))?;
        Ok(Self { branch, filters })
    }
}

const OPERATORS: [&str; 15] = [
    "$set",
    "$unset",
    "$setOnInsert",
    "$inc",
    "$mul",
    "$min",
    "$max",
    "$rename",
    "$currentDate",
    "$bit",
    "$push",
    "$addToSet",
    "$pop",
    "$pull",
    "$pullAll",
];

fn is_operator(name: &str) -> bool {
    OPERATORS.contains(&name)
}

fn modifier(
    operator: &str,
    field: &str,
    argument: RawBsonRef<'_>,
    scope: &Scope,
) -> Result<Modifier, Error> {
    Ok(match operator {
        "$set" => Modifier::Set(argument.into()),
        "$setOnInsert" => Modifier::SetOnInsert(argument.into()),
        "$unset" => Modifier::Unset,
        "$inc" => Modifier::Arithmetic(Arithmetic::parse(false, field, argument)?),
        "$mul" => Modifier::Arithmetic(Arithmetic::parse(true, field, argument)?),
        "$min" => Modifier::Min(argument.into()),
        "$max" => Modifier::Max(argument.into()),
        "$currentDate" => Modifier::current_date(argument)?,
        "$bit" => Modifier::Bits(Bits::parse(field, argument)?),
        "$push" => Modifier::Push(Push::parse(argument)?),
        "$addToSet" => Modifier::AddToSet(Additions::parse(argument)?),
        "$pop" => Modifier::Remove(Removal::pop(field, argument)?),
        "$pull" => Modifier::Remove(Removal::pull(argument, scope)?),
        _ => Modifier::Remove(Removal::pull_all(argument)?),
    })
}

fn failed(message: String) -> Error {
    Error::new(Code::FAILED_TO_PARSE, message)
}
