//! Whether a statement has a place for each parameter that it is given.

use crate::error::Error;

/// Refuses parameters that the statement has no placeholder for. PostgreSQL takes them in silence where
/// their types are declared; CockroachDB refuses them. Too few are left to the server, whose answer says
/// how many it wants.
///
/// What looks like a placeholder within a string or a comment counts as one.
pub(super) fn check(sql: &[u8], parameters: usize) -> Result<(), Error> {
    let highest = if parameters == 0 { 0 } else { highest(sql) };
    if parameters <= highest {
        return Ok(());
    }
    let plural = if highest == 1 { "" } else { "s" };
    Err(Error::usage(format!(
        "expected {highest} parameter{plural}, as the statement has placeholders, found {parameters}"
    )))
}

/// The highest number behind a dollar sign.
fn highest(sql: &[u8]) -> usize {
    let numbers = memchr::memchr_iter(b'$', sql).map(|at| {
        let digits = sql.get(at + 1..).unwrap_or_default().iter();
        digits.take_while(|byte| byte.is_ascii_digit()).fold(0_usize, |number, digit| {
            number.saturating_mul(10).saturating_add(usize::from(digit - b'0'))
        })
    });
    numbers.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_places() {
        for (sql, parameters) in [
            ("SELECT 1", 0),
            ("SELECT $1", 0),
            ("SELECT $1", 1),
            ("SELECT $2", 2),
            ("SELECT $1, $12, $3", 12),
            ("SELECT '$2', $1", 2),
            ("SELECT $99999999999999999999999", 3),
        ] {
            assert!(check(sql.as_bytes(), parameters).is_ok(), "{sql}");
        }
        for (sql, parameters, said) in [
            ("SELECT 1", 1, "expected 0 parameters, as the statement has placeholders, found 1"),
            (
                "DELETE FROM t WHERE a > $1",
                2,
                "expected 1 parameter, as the statement has placeholders, found 2",
            ),
            (
                "SELECT $1, $2",
                5,
                "expected 2 parameters, as the statement has placeholders, found 5",
            ),
            (
                "SELECT $$ $a$ $",
                1,
                "expected 0 parameters, as the statement has placeholders, found 1",
            ),
        ] {
            assert_eq!(check(sql.as_bytes(), parameters).unwrap_err().to_string(), said);
        }
    }
}
