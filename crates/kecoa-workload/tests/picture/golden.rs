//! What is exactly so, in files.

use std::path::PathBuf;

/// Compares with a file of `tests/picture/golden`; writes it where `KECOA_ACCEPT` is set.
pub(crate) fn assert_golden(name: &str, found: &str) {
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "tests", "picture", "golden", name].iter().collect();
    if std::env::var_os("KECOA_ACCEPT").is_some() {
        std::fs::write(&path, found).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "not what {} has (KECOA_ACCEPT=1 writes it); found:\n{found}",
        path.display()
    );
}
