//! What a command fails with, as MongoDB answers it.

mod code;

use std::fmt;

use ::bson::RawDocumentBuf;

pub use code::Code;

/// A failure that goes to the client: number, message, and what clients read beside them.
///
/// It is a pointer wide, so that results stay small.
#[derive(Clone)]
pub struct Error(Box<Content>);

#[derive(Clone)]
struct Content {
    code: Code,
    message: String,
    labels: Vec<Label>,
    details: Option<RawDocumentBuf>,
}

/// What an error says to drivers about trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// The whole transaction may be tried again.
    TransientTransactionError,
    /// The write may be sent once more, with the same number.
    RetryableWriteError,
    /// Nothing was written for certain.
    NoWritesPerformed,
    /// The change stream can be resumed.
    ResumableChangeStreamError,
    /// The change stream cannot be resumed.
    NonResumableChangeStreamError,
    /// The server has too much to do.
    SystemOverloadedError,
    /// Any command may be sent again, after a pause.
    RetryableError,
}

impl Error {
    /// An error with a number and a message.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Content { code, message: message.into(), labels: Vec::new(), details: None }))
    }

    /// An error with a number that has no name.
    #[must_use]
    pub fn location(number: i32, message: impl Into<String>) -> Self {
        Self::new(Code::location(number), message)
    }

    /// The same with a label more.
    #[must_use]
    pub fn with_label(mut self, label: Label) -> Self {
        if !self.0.labels.contains(&label) {
            self.0.labels.push(label);
        }
        self
    }

    /// The same with fields that stand beside number and message in the reply: `keyPattern` and `keyValue`,
    /// `errInfo`.
    #[must_use]
    pub fn with_details(mut self, details: RawDocumentBuf) -> Self {
        self.0.details = Some(details);
        self
    }

    /// The number.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What went wrong, for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What drivers are told.
    #[must_use]
    pub fn labels(&self) -> &[Label] {
        &self.0.labels
    }

    /// The fields beside number and message.
    #[must_use]
    pub fn details(&self) -> Option<&RawDocumentBuf> {
        self.0.details.as_ref()
    }

    /// The same number and details with text in front of the message: where the error was met.
    #[must_use]
    pub fn within(mut self, place: &str) -> Self {
        self.0.message = format!("{place} :: caused by :: {}", self.0.message);
        self
    }
}

impl Label {
    /// The label as drivers know it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TransientTransactionError => "TransientTransactionError",
            Self::RetryableWriteError => "RetryableWriteError",
            Self::NoWritesPerformed => "NoWritesPerformed",
            Self::ResumableChangeStreamError => "ResumableChangeStreamError",
            Self::NonResumableChangeStreamError => "NonResumableChangeStreamError",
            Self::SystemOverloadedError => "SystemOverloadedError",
            Self::RetryableError => "RetryableError",
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.0.code)
            .field("message", &self.0.message)
            .field("labels", &self.0.labels)
            .field("details", &self.0.details)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.0.code.name(), self.0.code.number(), self.0.message)
    }
}

impl std::error::Error for Error {}
