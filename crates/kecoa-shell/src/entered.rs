//! Whether what is typed can be run when Enter is pressed.

use crate::copy::{Direction, direction, ends_data, parse};
use crate::input::{Input, Piece};

/// Whether everything in the text can be run: statements with their semicolons, and commands. The data of a COPY
/// is none of it, whatever quotes it has.
pub(crate) fn is_complete(text: &str) -> bool {
    let mut input = Input::default();
    input.push(text);
    input.push("\n");
    let mut command_last = false;
    while let Some(piece) = input.next() {
        command_last = matches!(piece, Piece::Command(_));
        if has_data(&piece) {
            if !command_last {
                // The rest of the statement's own line.
                let _ = input.take_line();
            }
            while input.take_line().is_some_and(|line| !ends_data(&line)) {}
            command_last = false;
        }
    }
    // `SELECT 1 \g` is run by its command; what a command leaves is kept for the next line.
    !input.is_pending() || command_last
}

/// Whether the lines behind it are data.
fn has_data(piece: &Piece) -> bool {
    match piece {
        Piece::Statement(sql) => direction(sql) == Some(Direction::In),
        Piece::Command(line) => line
            .strip_prefix("copy")
            .filter(|arguments| arguments.starts_with(char::is_whitespace))
            .and_then(|arguments| parse(arguments).ok())
            .is_some_and(|copy| {
                copy.direction == Direction::In && copy.file.is_none() && !copy.of_program
            }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enter_ends_what_is_complete() {
        for text in ["", "SELECT 1;", "\\d", "a;\nb;", "SELECT 1 \\gx", "-- note", ";"] {
            assert!(is_complete(text), "{text}");
        }
        for text in ["SELECT 1", "SELECT ';", "DO $$ a; ", "/* a;", "(;", "a; b"] {
            assert!(!is_complete(text), "{text}");
        }
    }

    #[test]
    fn data_of_a_copy_that_is_pasted_is_no_sql() {
        for copy in ["COPY t FROM STDIN;", "\\copy t from stdin", "SELECT 1; copy t from stdin ;"] {
            for data in ["it's\n", "it's\n\\.", "(\n\\.\nSELECT 1;", "/*\n\\.\r\n\\d", ""] {
                assert!(is_complete(&format!("{copy}\n{data}")), "{copy} {data}");
            }
            assert!(!is_complete(&format!("{copy}\nit's\n\\.\nSELECT 1")), "{copy}");
        }
        assert!(!is_complete("COPY t TO STDOUT;\nSELECT 'a"));
    }
}
