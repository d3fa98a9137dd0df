//! MongoDB's updates, made of any bytes and run on a document: no panic, and what comes of it is BSON.
#![no_main]

use kecoa_fuzz::documents::updates;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| updates(data));
