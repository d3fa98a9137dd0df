//! The option `require_auth`: which ways to authenticate are allowed.
//!
//! Source: PostgreSQL's documentation, "Parameter Key Words" of libpq; the errors are libpq's.

use kecoa_proto::AuthenticationMethod;

use super::secrets::shown;
use super::suggestion::nearest_of;

const METHODS: [(&str, AuthenticationMethod); 6] = [
    ("password", AuthenticationMethod::Password),
    ("md5", AuthenticationMethod::Md5),
    ("gss", AuthenticationMethod::Gss),
    ("sspi", AuthenticationMethod::Sspi),
    ("scram-sha-256", AuthenticationMethod::ScramSha256),
    ("none", AuthenticationMethod::None),
];

/// Reads a list of methods, separated by commas: those that are allowed or, each behind a "!",
/// those that are not.
///
/// # Errors
///
/// What is wrong with the list: an unknown method, one that is there twice, allowed and forbidden
/// ones in one list.
pub(super) fn parse(text: &str) -> Result<Vec<AuthenticationMethod>, String> {
    let mut named: Vec<(&str, Option<AuthenticationMethod>)> = Vec::new();
    let mut negative = None;
    for item in text.split(',') {
        let word = item.trim();
        let (forbidden, word) = match word.strip_prefix('!') {
            Some(word) => (true, word),
            None => (false, word),
        };
        match negative {
            Some(true) if !forbidden => {
                return Err(format!(
                    "require_auth method \"{}\" cannot be mixed with negative methods",
                    shown(word)
                ));
            }
            Some(false) if forbidden => {
                return Err(format!(
                    "negative require_auth method \"!{}\" cannot be mixed with non-negative methods",
                    shown(word)
                ));
            }
            _ => negative = Some(forbidden),
        }
        let method = METHODS.iter().find(|(name, _)| *name == word).map(|(_, method)| *method);
        match (method, word, forbidden) {
            // What is never spoken is easily forbidden.
            (Some(_), ..) | (None, "oauth", true) => {}
            (None, "oauth", false) => {
                return Err("require_auth=oauth is refused: OAuth is not supported".to_owned());
            }
            _ => return Err(unknown(word)),
        }
        if named.iter().any(|(other, _)| *other == word) {
            return Err(format!("require_auth method \"{word}\" is specified more than once"));
        }
        named.push((word, method));
    }
    let is_named = |method| named.iter().any(|(_, named)| *named == Some(method));
    let all = METHODS.iter().map(|(_, method)| *method);
    Ok(all.filter(|method| is_named(*method) != (negative == Some(true))).collect())
}

fn unknown(word: &str) -> String {
    let names: Vec<&str> = METHODS.iter().map(|(name, _)| *name).collect();
    if let Some(nearest) = nearest_of(word, names.iter().copied()) {
        return format!(
            "invalid require_auth value: \"{word}\"\nHINT: did you mean \"{nearest}\"?"
        );
    }
    let shown = shown(word);
    format!(
        "invalid require_auth value: \"{shown}\"\n\
         HINT: it is a list of {}; or of those that are not allowed, each behind a \"!\"",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use AuthenticationMethod::{Gss, Md5, None, ScramSha256, Sspi};

    use super::*;

    #[test]
    fn reads_what_is_allowed_and_what_is_not() {
        assert_eq!(parse("scram-sha-256").unwrap(), [ScramSha256]);
        assert_eq!(parse("none, md5").unwrap(), [Md5, None]);
        assert_eq!(parse("!password,!md5").unwrap(), [Gss, Sspi, ScramSha256, None]);
        assert_eq!(parse("!oauth").unwrap().len(), 6);
    }

    #[test]
    fn refuses_in_libpqs_words() {
        let refused = |text| parse(text).unwrap_err();
        assert_eq!(
            refused("md5,!none"),
            "negative require_auth method \"!none\" cannot be mixed with non-negative methods"
        );
        assert_eq!(
            refused("!md5,none"),
            "require_auth method \"none\" cannot be mixed with negative methods"
        );
        assert_eq!(refused("md5,md5"), "require_auth method \"md5\" is specified more than once");
        assert!(refused("peer").starts_with("invalid require_auth value: \"peer\"\nHINT: it is"));
        assert!(refused("scram").ends_with("did you mean \"scram-sha-256\"?"));
        assert!(refused("md5,").starts_with("invalid require_auth value: \"\""));
        assert!(refused("oauth").contains("OAuth is not supported"));
    }
}
