//! A connection string or URL: refused, or the same again after it was written out; and no password
//! in what is shown of it.
#![no_main]

use kecoa::config::{Config, conninfo};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(config) = Config::parse(text) else { return };
    let written = conninfo::format(config.pairs());
    let again = Config::parse(&written).expect("what was written can be read");
    assert_eq!(config, again);
    for (name, value) in config.pairs() {
        // What stands elsewhere, too, stands where no password is expected.
        let once = config.pairs().filter(|(_, other)| other.contains(value)).count() == 1;
        if Config::is_secret(name) && value.len() > 40 && once {
            assert!(!config.to_string().contains(value));
            assert!(!format!("{config:?}").contains(value));
        }
    }
});
