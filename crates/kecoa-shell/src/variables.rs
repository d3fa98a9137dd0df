//! Variables of the shell: `\set name value`, and `:name`, `:'name'`, `:"name"` in statements.

use std::collections::BTreeMap;

use kecoa_sql::{TokenKind, lex};

/// Names and values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variables(BTreeMap<String, String>);

/// Whether the text can be the name of a variable.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c == '_' || c.is_alphanumeric())
}

/// A value as a literal of SQL, with escapes only where they are needed.
pub(crate) fn literal(value: &str) -> String {
    let quoted = value.replace('\'', "''");
    if quoted.contains('\\') {
        format!(" E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}

/// A name in double quotes.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Variables {
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn unset(&mut self, name: &str) -> bool {
        self.0.remove(name).is_some()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The statement with the values of the variables that there are. A colon within a string, a
    /// comment or a cast is none of ours.
    pub(crate) fn expand(&self, sql: &str) -> String {
        if self.0.is_empty() || !sql.contains(':') {
            return sql.to_owned();
        }
        let tokens = lex(sql.as_bytes(), false);
        let mut expanded = String::with_capacity(sql.len());
        let mut rest = tokens.as_slice();
        while let [token, behind @ ..] = rest {
            rest = behind;
            let text = sql.get(token.start..token.end).unwrap_or_default();
            if text == ":"
                && let Some(next) = behind.first()
                && let Some(value) =
                    self.value(next.kind, sql.get(next.start..next.end).unwrap_or_default())
            {
                expanded.push_str(&value);
                rest = behind.get(1..).unwrap_or_default();
                continue;
            }
            expanded.push_str(text);
        }
        expanded
    }

    /// What stands for the token behind a colon.
    fn value(&self, kind: TokenKind, text: &str) -> Option<String> {
        match kind {
            TokenKind::Word => self.get(text).map(str::to_owned),
            TokenKind::String => {
                self.get(text.strip_prefix('\'')?.strip_suffix('\'')?).map(literal)
            }
            TokenKind::QuotedIdentifier => {
                self.get(text.strip_prefix('"')?.strip_suffix('"')?).map(identifier)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colons_are_variables_only_where_they_can_be() {
        let mut variables = Variables::default();
        variables.set("t", "accounts");
        variables.set("who", "O'Neil \\");
        for (sql, expanded) in [
            ("SELECT * FROM :t", "SELECT * FROM accounts"),
            ("SELECT :'who'", "SELECT  E'O''Neil \\\\'"),
            ("SELECT :'t', :\"t\"", "SELECT 'accounts', \"accounts\""),
            ("SELECT ':t', $$:t$$ -- :t", "SELECT ':t', $$:t$$ -- :t"),
            ("SELECT a::t, :missing, x[1:t]", "SELECT a::t, :missing, x[1accounts]"),
            ("SELECT :::t", "SELECT :::t"),
        ] {
            assert_eq!(variables.expand(sql), expanded);
        }
    }
}
