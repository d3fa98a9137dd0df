//! Text in UTF-8 to a str.
//!
//! CPython takes a few calls to find that text is ASCII, and reads anything else byte by byte. Text is checked
//! as a whole here, many bytes at a time, and then written into the str whose size and width are known.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use pyo3::ffi;
use pyo3::prelude::*;

/// Shorter text that is not ASCII, in bytes, is left to CPython.
const SHORTEST: usize = 64;
/// A first byte that is greater begins a character that Latin-1 does not have.
const LAST_OF_LATIN1: u8 = 0xc3;
/// The first byte that begins a character that does not fit into 16 bits.
const FIRST_OF_WIDE: u8 = 0xf0;
/// A byte of those is not ASCII.
const HIGH: u64 = 0x8080_8080_8080_8080;

/// A str; `UnicodeDecodeError` as Python raises it.
#[inline]
pub(super) fn decode<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let length = data.len().try_into().unwrap_or(ffi::Py_ssize_t::MAX);
    // A character by itself is an object that CPython has ready.
    if data.len() > 1 && data.is_ascii() {
        // SAFETY: a new str of `length` places of a byte each, which nobody else has, and as many bytes.
        return unsafe {
            let made = Bound::from_owned_ptr_or_err(py, ffi::PyUnicode_New(length, 0x7f))?;
            let start = ffi::PyUnicode_DATA(made.as_ptr()).cast::<u8>();
            std::ptr::copy_nonoverlapping(data.as_ptr(), start, data.len());
            Ok(made)
        };
    }
    if data.len() >= SHORTEST
        && let Ok(text) = simdutf8::basic::from_utf8(data)
    {
        return beyond_ascii(py, text);
    }
    // SAFETY: `data` is `length` readable bytes (a slice is never longer than isize::MAX), and the result
    // is a new reference or NULL with an error.
    unsafe {
        let text = ffi::PyUnicode_DecodeUTF8(data.as_ptr().cast(), length, std::ptr::null());
        Bound::from_owned_ptr_or_err(py, text)
    }
}

/// The same of text that is not all ASCII.
fn beyond_ascii<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    let Extent { characters, greatest } = Extent::of(text);
    let limit = if greatest <= LAST_OF_LATIN1 {
        0xff
    } else if greatest < FIRST_OF_WIDE {
        0xffff
    } else {
        0x0010_ffff
    };
    let length = characters.try_into().unwrap_or(ffi::Py_ssize_t::MAX);
    // SAFETY: a new str of `characters` places, which nobody else has, each as wide as `limit` says: the least
    // that these characters need. `fill` writes every one of them.
    unsafe {
        let made = Bound::from_owned_ptr_or_err(py, ffi::PyUnicode_New(length, limit))?;
        let start = ffi::PyUnicode_DATA(made.as_ptr());
        match limit {
            0xff => fill_latin1(text, places(start, characters)),
            0xffff => fill(text, places(start, characters), low_half),
            _ => fill(text, places(start, characters), |found: u32| found),
        }
        Ok(made)
    }
}

/// # Safety
/// `count` numbers fit behind `start`, and nobody else uses them while the slice lives.
unsafe fn places<'a, T>(start: *mut c_void, count: usize) -> &'a mut [MaybeUninit<T>] {
    // SAFETY: the caller says so; the memory may hold anything.
    unsafe { std::slice::from_raw_parts_mut(start.cast(), count) }
}

fn low_half(found: u32) -> u16 {
    let [low, high, ..] = found.to_le_bytes();
    u16::from_le_bytes([low, high])
}

/// How much room a text needs.
struct Extent {
    characters: usize,
    /// The greatest of its bytes.
    greatest: u8,
}

impl Extent {
    fn of(text: &str) -> Extent {
        let mut extent = Extent { characters: 0, greatest: 0 };
        // Few enough for a u8 to count them: compilers make wide instructions of this loop.
        for chunk in text.as_bytes().chunks(192) {
            let (mut begun, mut greatest) = (0_u8, 0_u8);
            for byte in chunk {
                begun += u8::from(byte & 0xc0 != 0x80);
                greatest = greatest.max(*byte);
            }
            extent.characters += usize::from(begun);
            extent.greatest = extent.greatest.max(greatest);
        }
        extent
    }
}

/// Writes every place, one for each character, of text that Latin-1 has: those of its characters that are not
/// ASCII begin with 0xc2 or 0xc3.
fn fill_latin1(text: &str, places: &mut [MaybeUninit<u8>]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("bmi2") && is_x86_feature_detected!("popcnt") {
        // SAFETY: the processor has both.
        unsafe { fill_latin1_bmi2(text, places) };
        return;
    }
    fill_latin1_by(text, places, drop_firsts);
}

/// The same with the instruction that picks bytes out of eight.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "bmi2,popcnt")]
fn fill_latin1_bmi2(text: &str, places: &mut [MaybeUninit<u8>]) {
    fill_latin1_by(text, places, |word, firsts, eight| {
        let others = !((firsts >> 7) * 0xff);
        *eight = std::arch::x86_64::_pext_u64(word, others).to_le_bytes().map(MaybeUninit::new);
        8 - firsts.count_ones() as usize
    });
}

/// Writes the bytes of a word but for the first ones of characters; those behind them are anything. How many
/// it wrote.
fn drop_firsts(word: u64, firsts: u64, eight: &mut [MaybeUninit<u8>; 8]) -> usize {
    let mut count = 0;
    for (byte, first) in word.to_le_bytes().into_iter().zip(firsts.to_le_bytes()) {
        if let Some(place) = eight.get_mut(count) {
            place.write(byte);
        }
        count += usize::from(first == 0);
    }
    count
}

/// Eight bytes at a time become characters in their places, where those that only say that one begins are left
/// out by `put`; there is no branch for a character, because nobody could foretell it.
#[inline(always)]
fn fill_latin1_by(
    text: &str,
    places: &mut [MaybeUninit<u8>],
    put: impl Fn(u64, u64, &mut [MaybeUninit<u8>; 8]) -> usize,
) {
    let bytes = text.as_bytes();
    let (mut from, mut to) = (0, 0);
    // The first byte of the character whose second comes next was 0xc3: its bit of 0x40, twice as high.
    let mut upper = 0;
    while let Some(word) = bytes.get(from..).and_then(<[u8]>::first_chunk::<8>)
        && let Some(eight) = places.get_mut(to..).and_then(<[_]>::first_chunk_mut::<8>)
    {
        let word = u64::from_le_bytes(*word);
        // A first byte has its two highest bits set, and 0xc3 the lowest, too.
        let firsts = word & (word << 1) & HIGH;
        let uppers = firsts & (word << 7);
        to += put(word | (uppers << 8 | upper) >> 1, firsts, eight);
        upper = uppers >> 56;
        from += 8;
    }
    let mut places = places.get_mut(to..).unwrap_or_default().iter_mut();
    let mut more = upper != 0;
    for byte in bytes.get(from..).unwrap_or_default() {
        if *byte >= 0xc0 {
            more = *byte == LAST_OF_LATIN1;
        } else if let Some(place) = places.next() {
            place.write(byte | u8::from(more) << 6);
            more = false;
        }
    }
    // There are none.
    places.for_each(|place| {
        place.write(0);
    });
}

/// Writes every place, one for each character. Eight bytes at a time are taken for ASCII; what was too many is
/// written over.
fn fill<T>(text: &str, places: &mut [MaybeUninit<T>], narrow: impl Fn(u32) -> T)
where
    T: Copy + From<u8>,
{
    let bytes = text.as_bytes();
    let (mut from, mut to) = (0, 0);
    while let Some(word) = bytes.get(from..).and_then(<[u8]>::first_chunk::<8>)
        && let Some(eight) = places.get_mut(to..).and_then(<[_]>::first_chunk_mut::<8>)
    {
        *eight = word.map(|byte| MaybeUninit::new(T::from(byte)));
        let high = u64::from_le_bytes(*word) & HIGH;
        let plain = if high == 0 { 8 } else { high.trailing_zeros() as usize / 8 };
        from += plain;
        to += plain;
        if high == 0 {
            continue;
        }
        while let Some((found, length)) = bytes.get(from..).and_then(beyond)
            && let Some(place) = places.get_mut(to)
        {
            place.write(narrow(found));
            from += length;
            to += 1;
        }
    }
    let mut rest = text.get(from..).unwrap_or_default().chars();
    for place in places.get_mut(to..).unwrap_or_default() {
        place.write(rest.next().map_or(T::from(0), |found| narrow(u32::from(found))));
    }
}

/// The character that text in UTF-8 begins with, and how many bytes it has; nothing where it is ASCII.
#[inline]
fn beyond(rest: &[u8]) -> Option<(u32, usize)> {
    let low = |byte: &u8| u32::from(byte & 0x3f);
    match rest {
        [first @ 0xc0..0xe0, a, ..] => Some((u32::from(first & 0x1f) << 6 | low(a), 2)),
        [first @ 0xe0..0xf0, a, b, ..] => {
            Some((u32::from(first & 0xf) << 12 | low(a) << 6 | low(b), 3))
        }
        [first @ 0xf0..=0xff, a, b, c, ..] => {
            Some((u32::from(first & 0x7) << 18 | low(a) << 12 | low(b) << 6 | low(c), 4))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is written into places that hold something else before.
    fn written<T: Copy + From<u8>>(text: &str, count: usize, narrow: impl Fn(u32) -> T) -> Vec<T> {
        let mut places = vec![MaybeUninit::new(T::from(0xaa)); count];
        fill(text, &mut places, narrow);
        // SAFETY: each was made of a value.
        places.into_iter().map(|place| unsafe { place.assume_init() }).collect()
    }

    fn filled(text: &str) -> Vec<u32> {
        let Extent { characters, greatest } = Extent::of(text);
        assert_eq!(characters, text.chars().count());
        assert_eq!(greatest, text.bytes().max().unwrap_or(0));
        let wide = written(text, characters, |found: u32| found);
        if greatest < FIRST_OF_WIDE {
            let half = written(text, characters, low_half);
            assert!(half.into_iter().map(u32::from).eq(wide.iter().copied()));
        }
        if greatest <= LAST_OF_LATIN1 {
            let by = |fill: &dyn Fn(&str, &mut [MaybeUninit<u8>])| {
                let mut places = vec![MaybeUninit::new(0xaa); characters];
                fill(text, &mut places);
                // SAFETY: each was made of a value.
                places.into_iter().map(|place| u32::from(unsafe { place.assume_init() })).collect()
            };
            let bytes: [Vec<u32>; 2] =
                [by(&fill_latin1), by(&|text, places| fill_latin1_by(text, places, drop_firsts))];
            assert!(bytes.iter().all(|bytes| *bytes == wide));
        }
        wide
    }

    #[test]
    fn every_character_has_its_place() {
        let pieces = [
            "",
            "a",
            "plain text ",
            "é",
            "ÿ",
            "Ā",
            "日本",
            "€uro",
            "𝄞",
            "\u{10ffff}",
            "\0",
            "\u{7f}\u{80}",
        ];
        for first in pieces {
            for second in pieces {
                for times in [1, 2, 7, 40] {
                    let text = format!("{first}{second}").repeat(times) + first;
                    assert!(filled(&text).into_iter().eq(text.chars().map(u32::from)), "{text:?}");
                }
            }
        }
    }
}
