//! The documents that a first stage makes of what the server knows.

use ::bson::raw::cstr;
use ::bson::{RawDocumentBuf, rawdoc};

use crate::aggregate::Source;
use crate::error::{Code, Error};
use crate::operation::context::Context;
use crate::operation::stats;
use crate::operation::views::Resolved;

/// The documents of a first stage.
pub(super) async fn documents(
    context: &mut Context<'_>,
    source: &Source,
    resolved: Option<&Resolved>,
) -> Result<Vec<RawDocumentBuf>, Error> {
    if let Some(documents) = source.documents(&context.variables)? {
        return Ok(documents);
    }
    let collection = resolved.and_then(|resolved| resolved.collection.clone());
    match source {
        Source::CollectionStatistics(asked) => {
            let Some(collection) = collection else {
                let namespace = resolved.map(|resolved| resolved.namespace.to_string());
                return Err(Error::new(
                    Code::NAMESPACE_NOT_FOUND,
                    format!("Collection [{}] not found.", namespace.unwrap_or_default()),
                ));
            };
            Ok(vec![stats::for_stage(context, &collection, asked).await?])
        }
        Source::IndexStatistics => {
            let Some(collection) = collection else { return Ok(Vec::new()) };
            Ok(collection
                .indexes()
                .iter()
                .map(|index| {
                    let mut document = RawDocumentBuf::new();
                    document.append(cstr!("name"), index.name());
                    document.append(cstr!("key"), index.key_pattern());
                    document.append(cstr!("host"), "kecoa");
                    document.append(
                        cstr!("accesses"),
                        rawdoc! { "ops": 0_i64, "since": ::bson::DateTime::now() },
                    );
                    document.append(cstr!("spec"), index.to_document());
                    document
                })
                .collect())
        }
        Source::CurrentOperations(_)
        | Source::Sessions(_)
        | Source::LocalSessions(_)
        | Source::PlanCacheStatistics
        | Source::Documents(_)
        | Source::Computed(_) => Ok(Vec::new()),
        Source::ChangeStream(_) => Err(Error::new(
            Code::ILLEGAL_OPERATION,
            "$changeStream cannot be part of another pipeline",
        )),
    }
}
