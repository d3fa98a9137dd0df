//! What variables and fields may be called.

use crate::error::{Code, Error};

/// Check the name of a variable that a client binds: it begins with a lower-case letter, or is `CURRENT`.
pub(super) fn check_user_variable(name: &str) -> Result<(), Error> {
    if name == "CURRENT" {
        return Ok(());
    }
    let user = |first: u8| first.is_ascii_lowercase() || first >= 0x80;
    check_variable(name, user, "a user variable name")
}

/// Check the name of a variable that is read.
pub(super) fn check_variable_reference(name: &str) -> Result<(), Error> {
    let any = |first: u8| first.is_ascii_alphabetic() || first >= 0x80;
    check_variable(name, any, "a variable name")
}

fn check_variable(name: &str, may_begin: fn(u8) -> bool, kind: &str) -> Result<(), Error> {
    let mut bytes = name.bytes();
    let Some(first) = bytes.next() else {
        return Err(Error::new(Code::FAILED_TO_PARSE, "empty variable names are not allowed"));
    };
    if !may_begin(first) {
        let text = format!("'{name}' starts with an invalid character for {kind}");
        return Err(Error::new(Code::FAILED_TO_PARSE, text));
    }
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
    if let Some(invalid) = bytes.find(|byte| !valid(*byte)) {
        let text = format!(
            "'{name}' contains an invalid character for a variable name: '{}'",
            char::from(invalid)
        );
        return Err(Error::new(Code::FAILED_TO_PARSE, text));
    }
    Ok(())
}

/// Whether it is a field of a DBRef, the only names with a dollar that a path may have.
pub(crate) fn is_of_reference(name: &str) -> bool {
    matches!(name, "$id" | "$ref" | "$db")
}

/// Check the name of a field between two dots of a path, or in an object that an expression makes.
pub(super) fn check_field(name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(Error::location(15998, "FieldPath field names may not be empty strings."));
    }
    if name.starts_with('$') && !is_of_reference(name) {
        let text =
            "FieldPath field names may not start with '$'. Consider using $getField or $setField.";
        return Err(Error::location(16410, text));
    }
    if name.contains('\0') {
        let text = "FieldPath field names may not contain '\\0'.";
        return Err(Error::location(16411, text));
    }
    if name.contains('.') {
        let text =
            "FieldPath field names may not contain '.'. Consider using $getField or $setField.";
        return Err(Error::location(16412, text));
    }
    Ok(())
}
