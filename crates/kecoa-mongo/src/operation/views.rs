//! Views: a pipeline over another collection, which may be a view itself.

use ::bson::{RawArray, RawArrayBuf, RawBsonRef, RawDocument, RawDocumentBuf};

use crate::error::{Code, Error};
use crate::store::{Collection, CollectionKind, Namespace};

use super::context::Context;

/// How many views may lie one on the other.
pub const MAX_DEPTH: usize = 20;

/// A name, followed through views to what has documents.
#[derive(Debug)]
pub struct Resolved {
    /// The collection; none where there is none.
    pub collection: Option<Collection>,
    /// Its name.
    pub namespace: Namespace,
    /// The stages of the views, those of the innermost first; none where the name is no view's.
    pub view: Option<View>,
}

/// What views do with the documents.
#[derive(Debug)]
pub struct View {
    /// Their stages.
    pub stages: RawArrayBuf,
    /// How strings compare.
    pub collation: Option<RawDocumentBuf>,
}

/// Follow a name.
///
/// # Errors
///
/// 165 for views that lie too deep; those of the store.
pub async fn resolve(context: &mut Context<'_>, namespace: &Namespace) -> Result<Resolved, Error> {
    let mut namespace = namespace.clone();
    let mut pipelines: Vec<Collection> = Vec::new();
    loop {
        let collection = context.collection(&namespace).await?;
        match collection {
            Some(view) if view.kind() == CollectionKind::View => {
                if pipelines.len() >= MAX_DEPTH {
                    return Err(too_deep());
                }
                let on = view.options().get_str("viewOn").unwrap_or_default();
                namespace = Namespace::new(namespace.database(), on)?;
                pipelines.push(view);
            }
            collection => {
                let view = (!pipelines.is_empty()).then(|| View {
                    stages: stages(&pipelines),
                    collation: pipelines
                        .first()
                        .and_then(|view| view.options().get_document("collation").ok())
                        .map(ToOwned::to_owned),
                });
                return Ok(Resolved { collection, namespace, view });
            }
        }
    }
}

fn stages(views: &[Collection]) -> RawArrayBuf {
    let mut stages = RawArrayBuf::new();
    for view in views.iter().rev() {
        if let Ok(Some(RawBsonRef::Array(pipeline))) = view.options().get("pipeline") {
            append_stages(&mut stages, pipeline);
        }
    }
    stages
}

/// Append the elements of an array.
pub fn append_stages(stages: &mut RawArrayBuf, more: &RawArray) {
    for stage in more.into_iter().map_while(Result::ok) {
        stages.push(stage);
    }
}

/// Check that a command's collation is that of the view, where it has one.
///
/// # Errors
///
/// 167.
pub fn check_collation(view: &View, asked: Option<&RawDocument>) -> Result<(), Error> {
    let Some(asked) = asked.filter(|asked| !asked.is_empty()) else { return Ok(()) };
    let asked = crate::collation::Collator::parse(asked)?;
    let own = match &view.collation {
        Some(collation) => crate::collation::Collator::parse(collation)?,
        None => crate::collation::Collator::default(),
    };
    if asked == own {
        return Ok(());
    }
    Err(Error::new(
        Code::OPTION_NOT_SUPPORTED_ON_VIEW,
        "Cannot override a view's default collation",
    ))
}

/// The error of views that lie too deep.
#[must_use]
pub fn too_deep() -> Error {
    Error::new(
        Code::VIEW_DEPTH_LIMIT_EXCEEDED,
        format!("View depth too deep; it may be at most {MAX_DEPTH}"),
    )
}
