//! Names of databases and collections, checked.

use crate::error::{Code, Error};

/// Checks the name of a database.
///
/// # Errors
/// 73.
pub fn check_database(name: &str) -> Result<(), Error> {
    let is_valid = !name.is_empty()
        && name.len() < 64
        && !name.contains(['/', '\\', '.', ' ', '"', '$', '\0']);
    // The database of users that other servers know.
    if is_valid || name == "$external" {
        return Ok(());
    }
    Err(Error::new(Code::INVALID_NAMESPACE, format!("Invalid database name: '{name}'")))
}

/// Checks the name of a collection.
///
/// # Errors
/// 73.
pub fn check_collection(database: &str, name: &str) -> Result<(), Error> {
    let refuse = |message: String| Err(Error::new(Code::INVALID_NAMESPACE, message));
    if name.is_empty() {
        return refuse(format!("Invalid namespace specified '{database}.'"));
    }
    if name.contains('\0') {
        return refuse("namespaces cannot have embedded null characters".to_owned());
    }
    if name.starts_with('.') {
        return refuse(format!("Collection names cannot start with '.': {name}"));
    }
    if name.starts_with('$') && !name.starts_with("$cmd.") {
        return refuse(format!("Invalid collection name: {name}"));
    }
    if database.len() + 1 + name.len() > 255 {
        let length = database.len() + 1 + name.len();
        return refuse(format!(
            "Fully qualified namespace is too long. Namespace: {database}.{name} Max: 255, found: {length}"
        ));
    }
    Ok(())
}
