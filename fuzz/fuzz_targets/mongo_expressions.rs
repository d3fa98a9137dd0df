//! MongoDB's expressions, made of any bytes and run on a document: no panic, and what comes of it is BSON.
#![no_main]

use kecoa_fuzz::documents::expressions;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| expressions(data));
