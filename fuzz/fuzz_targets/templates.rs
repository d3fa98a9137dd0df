//! Statements with placeholders, as Python's users write them: rewritten to numbered parameters
//! without loss, or left alone.
#![no_main]

// The extension module cannot be linked without Python; this part of it needs none.
#[path = "../../python/src/convert/parameters/template.rs"]
#[allow(dead_code, reason = "the target calls what reads the text")]
mod template;

use libfuzzer_sys::fuzz_target;
use template::{Template, is_plain, is_row_statement};

fuzz_target!(|sql: &[u8]| {
    is_plain(sql);
    let Some(template) = Template::new(sql) else { return };
    assert!(is_row_statement(sql));
    // What is no placeholder is copied; what could not be distinguished from a parameter is refused.
    assert!(template.sql.len() <= sql.len() * 4);
    let numbers = template.sql.iter().filter(|byte| **byte == b'$').count();
    let signs = sql.iter().filter(|byte| **byte == b'%').count();
    assert!(numbers <= signs);
});
