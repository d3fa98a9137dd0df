//! Colours, or none.

/// Whether colours are wanted, and which they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) on: bool,
}

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Keyword,
    Literal,
    Number,
    Comment,
    Meta,
    Dim,
    Heading,
    Error,
    Warning,
    Prompt,
}

impl Role {
    fn code(self) -> &'static str {
        match self {
            Role::Keyword => "1;34",
            Role::Literal => "32",
            Role::Number => "36",
            Role::Comment | Role::Dim => "2",
            Role::Meta => "35",
            Role::Heading => "1",
            Role::Error => "1;31",
            Role::Warning => "1;33",
            Role::Prompt => "1;32",
        }
    }
}

impl Style {
    /// The text in the colour of its role.
    pub(crate) fn paint(self, role: Role, text: &str) -> String {
        if self.on && !text.is_empty() {
            format!("\x1b[{}m{text}\x1b[0m", role.code())
        } else {
            text.to_owned()
        }
    }
}
