//! What `ops` holds.

use ::bson::{RawBsonRef, RawDocument};

use crate::command::arguments::read::{missing, unknown};
use crate::command::arguments::{Argument, Kind, Values, read_nested};
use crate::error::{Code, Error};
use crate::operation::Selection;
use crate::operation::delete::DeleteStatement;
use crate::operation::find::empty_document;
use crate::operation::update::UpdateStatement;

/// One operation, with the number of its collection in `nsInfo`.
pub(super) enum Operation<'a> {
    Insert { namespace: usize, document: &'a RawDocument },
    Update { namespace: usize, statement: UpdateStatement<'a> },
    Delete { namespace: usize, statement: DeleteStatement<'a> },
}

const INSERT: &[Argument] =
    &[Argument::count("insert").required(), Argument::document("document").required()];

const UPDATE: &[Argument] = &[
    Argument::count("update").required(),
    Argument::document("filter").required(),
    Argument::modification("updateMods").required(),
    Argument::boolean("multi"),
    Argument::boolean("upsert"),
    Argument::documents("arrayFilters"),
    Argument::hint("hint"),
    Argument::document("collation"),
    Argument::document("constants"),
    Argument::document("sort"),
    Argument::plain_boolean("upsertSupplied"),
    Argument::new("sampleId", Kind::Uuid),
];

const DELETE: &[Argument] = &[
    Argument::count("delete").required(),
    Argument::document("filter").required(),
    Argument::boolean("multi"),
    Argument::hint("hint"),
    Argument::document("collation"),
    Argument::new("sampleId", Kind::Uuid),
];

impl<'a> Operation<'a> {
    /// Read one. There are so many collections.
    pub(super) fn parse(
        operation: &'a RawDocument,
        namespaces: usize,
        bypass_validation: bool,
    ) -> Result<Self, Error> {
        let first = operation.iter_elements().next().and_then(Result::ok);
        let first = first.as_ref().map_or("", |field| field.key().as_str());
        let number = |values: &Values<'_>| {
            let number = values.integer(first).and_then(|number| usize::try_from(number).ok());
            number.filter(|number| *number < namespaces).ok_or_else(|| {
                Error::new(
                    Code::BAD_VALUE,
                    "BulkWrite ops entry has an invalid nsInfo index".to_owned(),
                )
            })
        };
        match first {
            "insert" => {
                let values = read_nested("bulkWrite.ops", operation, INSERT)?;
                Ok(Self::Insert {
                    namespace: number(&values)?,
                    document: values.document("document").unwrap_or(empty_document()),
                })
            }
            "update" => {
                let values = read_nested("bulkWrite.ops", operation, UPDATE)?;
                let multi = values.boolean("multi");
                let sort = values.document("sort").filter(|sort| !sort.is_empty());
                if multi && sort.is_some() {
                    return Err(Error::new(
                        Code::FAILED_TO_PARSE,
                        "Cannot specify sort with multi=true",
                    ));
                }
                let statement = UpdateStatement {
                    selection: selection(&values, sort),
                    update: values.value("updateMods").unwrap_or(RawBsonRef::Null),
                    constants: values.document("constants"),
                    array_filters: values.array("arrayFilters"),
                    multi,
                    upsert: values.boolean("upsert"),
                    bypass_validation,
                };
                Ok(Self::Update { namespace: number(&values)?, statement })
            }
            "delete" => {
                let values = read_nested("bulkWrite.ops", operation, DELETE)?;
                let statement = DeleteStatement {
                    selection: selection(&values, None),
                    multi: values.boolean("multi"),
                };
                Ok(Self::Delete { namespace: number(&values)?, statement })
            }
            "" => Err(missing("bulkWrite.ops", "insert")),
            other => Err(unknown("bulkWrite.ops", other)),
        }
    }

    pub(super) fn namespace(&self) -> usize {
        match self {
            Self::Insert { namespace, .. }
            | Self::Update { namespace, .. }
            | Self::Delete { namespace, .. } => *namespace,
        }
    }

    pub(super) fn is_multi(&self) -> bool {
        match self {
            Self::Insert { .. } => false,
            Self::Update { statement, .. } => statement.multi,
            Self::Delete { statement, .. } => statement.multi,
        }
    }
}

fn selection<'a>(values: &Values<'a>, sort: Option<&'a RawDocument>) -> Selection<'a> {
    let hint: Option<RawBsonRef<'a>> = values.value("hint");
    Selection {
        filter: values.document("filter").unwrap_or(empty_document()),
        sort,
        hint,
        collation: values.document("collation"),
    }
}
