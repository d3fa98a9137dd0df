//! SQL text cut into tokens and statements, by PostgreSQL's lexical rules with CockroachDB's additions.
//!
//! [`split`] cuts a batch into statements; a [`Statement`] answers questions about its tokens. [`lex`]
//! cuts text into tokens. Nothing here knows what a statement means, and nothing does I/O.
#![forbid(unsafe_code)]

mod lexer;
mod statement;

pub use lexer::{Token, TokenKind, lex};
pub use statement::{Statement, split};
