//! What nests: arrays within arrays with bounds and NULLs, in text and binary form, element by
//! element as the Python loaders read them. Refused, or the same again; never out of stack, and
//! never more elements than bytes.
#![no_main]

use kecoa_types::array::{self, Array};
use kecoa_types::text;
use libfuzzer_sys::fuzz_target;

fn text_round(data: &[u8], delimiter: u8) {
    let element = |bytes: &[u8]| text::bytea::decode(bytes);
    let Ok(value) = array::text::decode(data, delimiter, element) else { return };
    assert!(value.elements().len() <= data.len());
    let write = |value: &Array<Vec<u8>>, out: &mut Vec<u8>| {
        array::text::encode(value, delimiter, out, |element, out| {
            text::bytea::encode(element, out);
        });
    };
    let mut first = Vec::new();
    write(&value, &mut first);
    let again = array::text::decode(&first, delimiter, element).expect("what was written is read");
    assert_eq!(value, again);
}

fn binary_round(data: &[u8]) {
    // Arrays as elements: what a range of arrays or a composite holds is no less nested.
    let inner = |_: u32, bytes: &[u8]| {
        array::binary::decode(bytes, |_, element| kecoa_types::binary::bytea::decode(element))
    };
    if let Ok(value) = array::binary::decode(data, inner) {
        assert!(value.elements().len() <= data.len());
    }
    if let Ok((header, mut rest)) = array::binary::header(data) {
        assert!(header.dimensions.len() <= 6);
        let mut left = rest.len();
        while let Ok(_element) = array::binary::element(&mut rest) {
            assert!(rest.len() < left);
            left = rest.len();
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, data)) = data.split_first() else { return };
    match choice % 4 {
        0 => text_round(data, b','),
        1 => text_round(data, b';'),
        2 => binary_round(data),
        _ => {
            let mut depth = 0_usize;
            let mut refused = false;
            for (steps, event) in array::text::Parser::new(data, b',').enumerate() {
                assert!(!refused && steps <= data.len());
                match event {
                    Ok(array::text::Event::Open) => depth += 1,
                    Ok(array::text::Event::Close) => depth -= 1,
                    Ok(_) => assert!(depth > 0),
                    Err(_) => refused = true,
                }
                assert!(depth <= 6);
            }
        }
    }
});
