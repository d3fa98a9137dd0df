//! What a view may be: for `create` and `collMod`.

use ::bson::RawDocument;

use crate::error::{Code, Error};
use crate::operation::{Context as Work, view_graph};
use crate::store::Namespace;

/// Check that a view's pipeline can be run, and does not lead back to the view.
///
/// # Errors
///
/// 167 for a stage that no view may have, and for another collation than that of views that it reads or that read it; 5
/// for a way back to the view; 165 for too many views one on the other; those of the pipeline.
pub(super) async fn check(
    work: &mut Work<'_>,
    namespace: &Namespace,
    options: &RawDocument,
) -> Result<(), Error> {
    let on = options.get_str("viewOn").unwrap_or_default();
    super::namespace::check_collection(namespace.database(), on)?;
    let pipeline = options
        .get_array("pipeline")
        .map_err(|error| Error::new(Code::FAILED_TO_PARSE, error.to_string()))?;
    for stage in pipeline.into_iter().map_while(Result::ok) {
        let Some(stage) = stage.as_document() else {
            return Err(Error::new(
                Code::TYPE_MISMATCH,
                "Each element of the 'pipeline' array must be an object",
            ));
        };
        let name = stage.iter_elements().next().and_then(Result::ok);
        let name = name.as_ref().map_or("", |stage| stage.key().as_str());
        if matches!(name, "$out" | "$merge" | "$changeStream") {
            return Err(Error::new(
                Code::OPTION_NOT_SUPPORTED_ON_VIEW,
                format!("The aggregation stage {name} cannot be used in a view definition"),
            ));
        }
    }
    view_graph::check(work, namespace, options).await
}
