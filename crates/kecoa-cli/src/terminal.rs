//! What a terminal shows: colours, or none, and lines as wide as it is.

#[cfg(feature = "local")]
use std::ffi::OsStr;
use std::io::{self, IsTerminal as _};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use clap::builder::Styles;
use terminal_size::{Width, terminal_size_of};
use textwrap::{Options, WordSeparator, WordSplitter};

/// Below this many columns, lines are left as they are.
const NARROW: usize = 20;

/// The colours of help, and of mistakes in the arguments.
pub(crate) const STYLES: Styles = Styles::styled()
    .header(Role::Good.style())
    .usage(Role::Good.style())
    .literal(Role::Literal.style())
    .placeholder(AnsiColor::Cyan.on_default())
    .error(Role::Bad.style())
    .valid(Role::Good.style())
    .invalid(Role::Warning.style());

/// When there are colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    // In a terminal, unless NO_COLOR, CLICOLOR_FORCE or TERM say otherwise. (Help has no room for it.)
    #[default]
    Auto,
    Always,
    Never,
}

impl When {
    /// The same, for clap.
    pub(crate) fn for_clap(self) -> clap::ColorChoice {
        match self {
            When::Auto => clap::ColorChoice::Auto,
            When::Always => clap::ColorChoice::Always,
            When::Never => clap::ColorChoice::Never,
        }
    }

    fn is_wanted(self, detected: ColorChoice) -> bool {
        match self {
            When::Auto => detected != ColorChoice::Never,
            When::Always => true,
            When::Never => false,
        }
    }
}

/// What a piece of text is; its colour says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// What is as it should be.
    Good,
    /// What should be changed.
    Warning,
    /// What does not work.
    Bad,
    /// A title.
    Heading,
    /// What can be typed as it stands: a command, a URL.
    Literal,
    /// What matters less.
    Dim,
}

impl Role {
    const fn style(self) -> Style {
        match self {
            Role::Good => AnsiColor::Green.on_default().bold(),
            Role::Warning => AnsiColor::Yellow.on_default().bold(),
            Role::Bad => AnsiColor::Red.on_default().bold(),
            Role::Heading => Style::new().bold(),
            Role::Literal => AnsiColor::Cyan.on_default().bold(),
            Role::Dim => Style::new().dimmed(),
        }
    }
}

/// Standard output or standard error, as far as text depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stream {
    colored: bool,
    /// A terminal that can move its cursor.
    #[cfg(feature = "local")]
    can_redraw: bool,
    /// Of a terminal that says how wide it is.
    columns: Option<usize>,
}

impl Stream {
    /// Standard output of this process.
    pub(crate) fn stdout(when: When) -> Stream {
        let out = io::stdout();
        let terminal = out.is_terminal();
        Stream {
            colored: when.is_wanted(AutoStream::choice(&out)),
            #[cfg(feature = "local")]
            can_redraw: terminal && moves_cursor(std::env::var_os("TERM").as_deref()),
            columns: columns(terminal, terminal_size_of(&out)),
        }
    }

    /// Standard error of this process.
    pub(crate) fn stderr(when: When) -> Stream {
        let err = io::stderr();
        let terminal = err.is_terminal();
        Stream {
            colored: when.is_wanted(AutoStream::choice(&err)),
            #[cfg(feature = "local")]
            can_redraw: terminal && moves_cursor(std::env::var_os("TERM").as_deref()),
            columns: columns(terminal, terminal_size_of(&err)),
        }
    }

    /// Whether what is there can be drawn over: a terminal that has a cursor to move.
    #[cfg(feature = "local")]
    pub(crate) fn can_redraw(self) -> bool {
        self.can_redraw
    }

    /// How wide it is, where that is known.
    #[cfg(feature = "local")]
    pub(crate) fn columns(self) -> Option<usize> {
        self.columns
    }

    /// Whether there are colours.
    #[cfg(any(feature = "sql", feature = "workload"))]
    pub(crate) fn is_colored(self) -> bool {
        self.colored
    }

    /// The text in the colour of its role, where there are colours.
    pub(crate) fn paint(self, role: Role, text: &str) -> String {
        if !self.colored || text.is_empty() {
            return text.to_owned();
        }
        let style = role.style();
        format!("{style}{text}{style:#}")
    }

    /// The lines of a text behind `first`, those after the first behind `rest`; in a terminal they are
    /// wrapped at words. A word that is too long, such as a URL, stays whole: it is copied from there.
    pub(crate) fn wrap(self, first: &str, rest: &str, text: &str) -> String {
        let mut wrapped = Vec::new();
        for (number, line) in text.split('\n').enumerate() {
            let first = if number == 0 { first } else { rest };
            match self.columns {
                Some(columns) if columns >= NARROW => {
                    let options = Options::new(columns)
                        .initial_indent(first)
                        .subsequent_indent(rest)
                        .break_words(false)
                        .word_separator(WordSeparator::AsciiSpace)
                        .word_splitter(WordSplitter::NoHyphenation);
                    wrapped.extend(
                        textwrap::wrap(line, options).into_iter().map(|line| line.into_owned()),
                    );
                }
                _ => wrapped.push(format!("{first}{line}")),
            }
        }
        wrapped.join("\n")
    }
}

/// Whether the terminal that the variable TERM names moves its cursor; one that nobody names may not.
#[cfg(feature = "local")]
fn moves_cursor(term: Option<&OsStr>) -> bool {
    term.is_some_and(|name| !name.is_empty() && name != "dumb")
}

fn columns(terminal: bool, size: Option<(Width, terminal_size::Height)>) -> Option<usize> {
    match size {
        _ if !terminal => None,
        Some((Width(columns), _)) => Some(usize::from(columns)),
        None => std::env::var("COLUMNS").ok()?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(columns: Option<usize>) -> Stream {
        Stream {
            colored: false,
            #[cfg(feature = "local")]
            can_redraw: false,
            columns,
        }
    }

    #[test]
    fn lines_are_wrapped_at_words_in_a_terminal_only() {
        let text = "one two three four five six\n  seven";
        assert_eq!(
            stream(None).wrap("a: ", "  ", text),
            "a: one two three four five six\n    seven"
        );
        let wrapped = stream(Some(20)).wrap("a: ", "  ", text);
        assert_eq!(wrapped, "a: one two three\n  four five six\n    seven");
        let long = "see postgresql://maya@db.example.org:26257/bank?sslmode=verify-full now";
        let wrapped = stream(Some(30)).wrap("", "", long);
        assert_eq!(
            wrapped,
            "see\npostgresql://maya@db.example.org:26257/bank?sslmode=verify-full\nnow"
        );
        assert_eq!(stream(Some(5)).wrap("", "", text), text);
    }

    #[test]
    #[cfg(feature = "local")]
    fn what_can_be_drawn_over_has_a_name() {
        for (term, moves) in
            [(None, false), (Some(""), false), (Some("dumb"), false), (Some("xterm"), true)]
        {
            assert_eq!(moves_cursor(term.map(OsStr::new)), moves, "{term:?}");
        }
    }

    #[test]
    fn colours_are_where_they_are_wanted() {
        let mut stream = stream(None);
        assert_eq!(stream.paint(Role::Bad, "x"), "x");
        stream.colored = true;
        assert_eq!(stream.paint(Role::Bad, "x"), "\x1b[1m\x1b[31mx\x1b[0m");
        assert_eq!(stream.paint(Role::Bad, ""), "");
        assert!(When::Always.is_wanted(ColorChoice::Never));
        assert!(!When::Never.is_wanted(ColorChoice::Always));
        assert!(When::Auto.is_wanted(ColorChoice::Always));
        assert!(!When::Auto.is_wanted(ColorChoice::Never));
    }
}
