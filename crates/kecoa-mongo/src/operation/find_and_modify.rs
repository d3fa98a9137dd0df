//! `findAndModify`: one document is found, changed or removed, and shown.

use ::bson::raw::cstr;
use ::bson::{RawBson, RawDocument, RawDocumentBuf};

use crate::error::Error;
use crate::projection::{Mode, Projection};
use crate::store::Namespace;

use super::context::Context;
use super::delete::delete_one;
use super::statement_result::StatementResult;
use super::target::Selection;
use super::update::{Image, UpdateStatement, update_one};
use super::write_result::number;

/// What `findAndModify` does with the document.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// It is removed.
    Remove,
    /// It is updated; `after`: shown as it is then.
    Update {
        /// How.
        statement: UpdateStatement<'a>,
        /// Whether it is shown as it became.
        after: bool,
    },
}

/// Run it; gives the fields of the reply: `lastErrorObject`, `value`, `retriedStmtId`.
///
/// # Errors
///
/// What fails it.
pub async fn find_and_modify(
    context: &mut Context<'_>,
    namespace: &Namespace,
    selection: &Selection<'_>,
    change: &Change<'_>,
    fields: Option<&RawDocument>,
) -> Result<RawDocumentBuf, Error> {
    let fields = fields.filter(|fields| !fields.is_empty());
    let collator = Context::collator(selection.collation, None)?;
    let scope = context.scope_with(&collator);
    let projection = match fields {
        Some(fields) => Some(Projection::parse(fields, Mode::Find, &scope)?),
        None => None,
    };
    let (result, shown) = match change {
        Change::Remove => delete_one(context, namespace, selection, 0, true).await?,
        Change::Update { statement, after } => {
            let kept = if *after { Image::After } else { Image::Before };
            let updated = update_one(context, namespace, statement, 0, kept).await?;
            let shown = if *after { updated.after } else { updated.before };
            (updated.result, shown)
        }
    };
    let retried = context.retry.as_ref().and_then(|retry| retry.known(0).map(|_| retry.number(0)));
    let value = match (shown, &projection) {
        (Some(document), Some(projection)) => {
            let position = match projection.needs_position() {
                true => position_in(context, selection, &document)?,
                false => None,
            };
            RawBson::Document(projection.apply(&document, position, &context.variables)?)
        }
        (Some(document), None) => RawBson::Document(document),
        (None, _) => RawBson::Null,
    };
    let mut reply = RawDocumentBuf::new();
    reply.append(cstr!("lastErrorObject"), last_error(&result, matches!(change, Change::Remove)));
    reply.append(cstr!("value"), value);
    if let Some(statement) = retried {
        reply.append(cstr!("retriedStmtId"), statement);
    }
    Ok(reply)
}

/// The position in the array that the filter meets.
fn position_in(
    context: &Context<'_>,
    selection: &Selection<'_>,
    document: &RawDocument,
) -> Result<Option<usize>, Error> {
    let target = selection.parse(context, None)?;
    let found = target.filter.find_match(document, &context.variables)?;
    Ok(found.and_then(|found| found.position))
}

fn last_error(result: &StatementResult, removed: bool) -> RawDocumentBuf {
    let mut document = RawDocumentBuf::new();
    document.append(cstr!("n"), number(result.n));
    if !removed {
        document.append(cstr!("updatedExisting"), result.n > 0 && result.upserted.is_none());
        if let Some(id) = &result.upserted {
            document.append(cstr!("upserted"), id.as_raw_bson_ref());
        }
    }
    document
}
