//! `arrayFilters`: which elements `$[name]` stands for.

use std::collections::{BTreeMap, BTreeSet};

use ::bson::raw::CString;
use ::bson::{RawArray, RawBsonRef, RawDocument, RawDocumentBuf};

use super::path::{Component, UpdatePath};
use super::text;
use crate::error::{Code, Error};
use crate::expression::{Scope, Variables};
use crate::query::Filter;

/// How deep `$and`, `$or` and `$nor` are looked into for the name.
const MAX_NESTING: usize = 100;

/// Filters by the names that paths call them by.
#[derive(Clone, Debug, Default)]
pub(super) struct ArrayFilters {
    filters: BTreeMap<String, ArrayFilter>,
}

#[derive(Clone, Debug)]
struct ArrayFilter {
    name: CString,
    filter: Filter,
}

impl ArrayFilters {
    /// # Errors
    ///
    /// `FailedToParse` unless each has one name, used once; `BadValue` for a name with other characters; what
    /// [`Filter::parse_plain`] refuses.
    pub(super) fn parse(filters: &RawArray, scope: &Scope) -> Result<Self, Error> {
        let mut parsed = Self::default();
        for filter in filters.into_iter().map_while(Result::ok) {
            let RawBsonRef::Document(document) = filter else {
                return Err(Error::new(
                    Code::TYPE_MISMATCH,
                    format!(
                        "expected an object as array filter, found a value of type {}",
                        text::type_name(filter)
                    ),
                ));
            };
            let filter = Filter::parse_plain(document, scope)
                .map_err(|error| error.within("Error parsing array filter"))?;
            let mut names = Vec::new();
            top_names(document, 0, &mut names)
                .map_err(|error| error.within("Error parsing array filter"))?;
            let Some(name) = names.first().map(|name| (*name).to_owned()) else {
                return Err(failed(
                    "Cannot use an expression without a top-level field name in arrayFilters",
                ));
            };
            check_name(&name).map_err(|error| error.within("Error parsing array filter"))?;
            let key = super::node::to_name(&name)?;
            let filter = ArrayFilter { name: key, filter };
            if parsed.filters.insert(name.clone(), filter).is_some() {
                return Err(failed(format!(
                    "Found multiple array filters with the same top-level field name {name}"
                )));
            }
        }
        Ok(parsed)
    }

    /// Every name that a path uses has a filter. Notes the names.
    pub(super) fn check_path(
        &self,
        path: &UpdatePath,
        used: &mut BTreeSet<String>,
    ) -> Result<(), Error> {
        for component in &path.components {
            let Component::Elements(name) = component else { continue };
            if name.is_empty() {
                continue;
            }
            if !self.filters.contains_key(name) {
                return Err(Error::new(
                    Code::BAD_VALUE,
                    format!(
                        "No array filter found for identifier '{name}' in path '{}'",
                        path.text
                    ),
                ));
            }
            used.insert(name.clone());
        }
        Ok(())
    }

    /// Every filter was used by a path.
    pub(super) fn check_used(
        &self,
        used: &BTreeSet<String>,
        update: RawBsonRef<'_>,
    ) -> Result<(), Error> {
        match self.filters.keys().find(|name| !used.contains(*name)) {
            None => Ok(()),
            Some(name) => Err(failed(format!(
                "The array filter for identifier '{name}' was not used in the update {}",
                text::value(update)
            ))),
        }
    }

    /// Whether the filter of this name lets an element through.
    pub(super) fn matches(
        &self,
        name: &str,
        element: RawBsonRef<'_>,
        variables: &Variables,
    ) -> Result<bool, Error> {
        let Some(filter) = self.filters.get(name) else { return Ok(false) };
        let mut document = RawDocumentBuf::new();
        document.append(&filter.name, element);
        filter.filter.matches(&document, variables)
    }
}

/// The first parts of all paths of a filter; two that differ are refused.
fn top_names<'f>(
    filter: &'f RawDocument,
    depth: usize,
    names: &mut Vec<&'f str>,
) -> Result<(), Error> {
    if depth > MAX_NESTING {
        return Err(failed("expected a filter of at most 100 levels, found more"));
    }
    for (key, value) in filter.iter().map_while(Result::ok) {
        let key = key.as_str();
        match (key, value) {
            ("$and" | "$or" | "$nor", RawBsonRef::Array(clauses)) => {
                for clause in clauses.into_iter().map_while(Result::ok) {
                    if let RawBsonRef::Document(clause) = clause {
                        top_names(clause, depth + 1, names)?;
                    }
                }
            }
            _ if key.starts_with('$') => {}
            _ => {
                let name = key.split('.').next().unwrap_or_default();
                match names.first() {
                    None => names.push(name),
                    Some(first) if *first == name => {}
                    Some(first) => {
                        return Err(failed(format!(
                            "Expected a single top-level field name, found '{first}' and '{name}'"
                        )));
                    }
                }
            }
        }
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), Error> {
    let lower = name.starts_with(|first: char| first.is_ascii_lowercase());
    if lower && name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err(Error::new(
        Code::BAD_VALUE,
        format!(
            "The top-level field name must be an alphanumeric string beginning with a lowercase \
             letter, found '{name}'"
        ),
    ))
}

fn failed(message: impl Into<String>) -> Error {
    Error::new(Code::FAILED_TO_PARSE, message)
}
