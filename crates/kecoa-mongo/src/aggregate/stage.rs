//! What a stage is: as it was parsed, and as it runs. And what a pipeline is, which is stages.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::Arc;

use ::bson::{RawDocument, RawDocumentBuf};

use super::options::Options;
use super::request::{Namespace, Write};
use super::source::Source;
use crate::error::Error;
use crate::expression::Variables;

/// A pipeline, parsed. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pipeline {
    stages: Arc<[Arc<dyn Stage>]>,
}

/// A stage, parsed.
pub(super) trait Stage: Debug + Send + Sync {
    /// The stage as it runs.
    fn operator(&self, variables: &Variables, options: &Options) -> Box<dyn Operator>;

    /// What others must know of it.
    fn part(&self) -> Part<'_> {
        Part::Other
    }

    /// The stage where only the first so many of its documents are asked for, if that changes it.
    fn bounded(&self, count: usize) -> Option<Arc<dyn Stage>> {
        let _ = count;
        None
    }

    /// What becomes of a document, where the stage makes one document of each.
    fn change(
        &self,
        document: &RawDocument,
        variables: &Variables,
    ) -> Result<Option<RawDocumentBuf>, Error> {
        let _ = (document, variables);
        Ok(None)
    }

    /// The pipelines within.
    fn pipelines(&self) -> Vec<&Pipeline> {
        Vec::new()
    }

    /// The collection that it reads beside the one of the command.
    fn reads(&self) -> Option<&Namespace> {
        None
    }
}

/// What others must know of a stage.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part<'a> {
    Match(&'a RawDocument),
    Sort(&'a RawDocument),
    Skip(u64),
    Limit(u64),
    Source(&'a Source),
    Target(&'a Namespace),
    Other,
}

/// A stage that runs.
pub(super) trait Operator: Send {
    /// Take a document, and give what comes of it.
    fn push(&mut self, document: RawDocumentBuf, out: &mut Documents) -> Result<Flow, Error>;

    /// Whether more comes of the document that was taken last. It is asked for before the next document is given, once
    /// what came before has gone through the stages behind: a document of which many come does not fill the memory.
    fn has_rest(&self) -> bool {
        false
    }

    /// Give more of what comes of the document that was taken last.
    fn rest(&mut self, out: &mut Documents) -> Result<(), Error> {
        let _ = out;
        Ok(())
    }

    /// There are no further documents. It is called again after each answer to a request.
    fn end(&mut self, out: &mut Documents) -> Result<(), Error> {
        let _ = out;
        Ok(())
    }

    /// Whether its end gives further documents: it is called again when those were taken that it gave.
    fn has_more(&self) -> bool {
        false
    }

    /// What the stage must know before it goes on. Each request is given once.
    fn request(&mut self) -> Option<Request> {
        None
    }

    /// The answer to the request.
    fn answer(&mut self, documents: Vec<RawDocumentBuf>, out: &mut Documents) -> Result<(), Error> {
        let _ = (documents, out);
        Ok(())
    }
}

/// Documents on their way.
pub(super) type Documents = VecDeque<RawDocumentBuf>;

/// The stages that one of a pipeline became.
pub(super) type Stages = Vec<Arc<dyn Stage>>;

/// Whether a stage wants more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// It takes further documents.
    More,
    /// It has seen enough.
    Done,
}

/// What a stage asks the caller for.
#[derive(Clone, Debug)]
pub(super) enum Request {
    Read(Box<Read>),
    Write(Box<Write>),
}

/// Documents that a stage must see: those of a collection, filtered, through a pipeline.
#[derive(Clone, Debug)]
pub struct Read {
    /// The collection; none if the pipeline begins with `$documents`.
    pub namespace: Option<Namespace>,
    /// What its documents must meet first.
    pub filter: Option<RawDocumentBuf>,
    /// What they go through.
    pub pipeline: Pipeline,
    /// What the pipeline's variables stand for.
    pub variables: Variables,
}

impl Pipeline {
    /// A pipeline of these stages.
    pub(super) fn of(stages: Stages) -> Self {
        Self { stages: stages.into() }
    }

    /// The stages, in order.
    pub(super) fn stages(&self) -> &[Arc<dyn Stage>] {
        &self.stages
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// The first stage, if the caller must make its documents; not within pipelines in it.
    #[must_use]
    pub fn source(&self) -> Option<&Source> {
        match self.stages.first()?.part() {
            Part::Source(source) => Some(source),
            _ => None,
        }
    }

    /// The collection that it writes, with `$out` or `$merge`.
    #[must_use]
    pub fn target(&self) -> Option<&Namespace> {
        match self.stages.last()?.part() {
            Part::Target(namespace) => Some(namespace),
            _ => None,
        }
    }

    /// The collections that it reads beside the one of the command.
    #[must_use]
    pub fn reads(&self) -> Vec<&Namespace> {
        let mut found = Vec::new();
        for stage in &*self.stages {
            found.extend(stage.reads());
            for pipeline in stage.pipelines() {
                found.extend(pipeline.reads());
            }
        }
        found
    }
}
