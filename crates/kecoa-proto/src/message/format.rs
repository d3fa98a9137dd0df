//! The two forms in which a value travels.

/// The form of a value: PostgreSQL's format codes 0 and 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// Format code 0: the type's text form.
    #[default]
    Text,
    /// Format code 1: the type's binary form.
    Binary,
}

impl Format {
    /// The format code, as it is sent.
    #[must_use]
    pub fn code(self) -> i16 {
        match self {
            Format::Text => 0,
            Format::Binary => 1,
        }
    }
}
