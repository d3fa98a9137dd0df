//! What types a table that came from outside has, and how to name them in errors.

use std::ffi::CStr;

use super::abi::ArrowSchema;

/// The unit of a time or a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Second,
    Milli,
    Micro,
    Nano,
}

/// How integers lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Int {
    pub(super) bytes: u8,
    pub(super) signed: bool,
}

/// An Arrow type that we read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Null,
    Bool,
    Int(Int),
    Half,
    Float,
    Double,
    /// Text, or bytes, with offsets of 32 or 64 bits.
    Bytes {
        text: bool,
        wide: bool,
    },
    /// Text, or bytes, of 16-byte views.
    Views {
        text: bool,
    },
    Fixed(usize),
    Decimal {
        bits: usize,
        scale: i32,
    },
    Date32,
    Date64,
    Time(Unit),
    Timestamp {
        unit: Unit,
        zoned: bool,
    },
    Duration(Unit),
    Months,
    DayTime,
    MonthDayNano,
    List {
        wide: bool,
    },
    FixedList(usize),
    /// Indices into the values of a dictionary.
    Dictionary(Int),
}

/// A field of a schema, read and checked.
#[derive(Clone, Debug)]
pub(super) struct SourceField {
    pub(super) name: String,
    pub(super) kind: Type,
    /// Marked as `arrow.uuid`.
    pub(super) is_uuid: bool,
    /// The elements of a list, or the values of a dictionary.
    pub(super) inner: Option<Box<SourceField>>,
}

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 8;
/// The most fields: a COPY row has 32,767 at most.
const MAX_FIELDS: usize = 32_767;
/// The widest fixed-size value in bytes, and the longest fixed-size list: what a column's value can be.
const MAX_WIDTH: usize = 1 << 30;
/// The most pairs of metadata that are looked through, and the longest name or value.
const MAX_METADATA: usize = 1 << 20;

/// The columns of a table: the children of a struct.
///
/// # Errors
/// Says what was found: something else than a struct, or a column of a type that no column of a
/// server's table has.
///
/// # Safety
/// The schema was filled in by its producer and not released.
pub(super) unsafe fn columns(schema: &ArrowSchema) -> Result<Vec<SourceField>, String> {
    // SAFETY: the caller's promise.
    unsafe {
        let format = text(schema.format, "a format")?;
        if format != "+s" {
            return Err(format!(
                "expected a table or record batches (a struct, \"+s\"), found Arrow's type \"{format}\""
            ));
        }
        if !schema.name.is_null() {
            text(schema.name, "a name")?;
        }
        if !schema.dictionary.is_null() {
            return Err("expected a table, found one with a dictionary".to_owned());
        }
        children(schema)?.iter().map(|child| field(child, 0)).collect()
    }
}

/// # Safety
/// As [`columns`].
unsafe fn children(schema: &ArrowSchema) -> Result<Vec<&ArrowSchema>, String> {
    let count = usize::try_from(schema.n_children)
        .map_err(|_| "expected a count of fields, found a number below zero".to_owned())?;
    if count > MAX_FIELDS {
        return Err(format!("expected at most {MAX_FIELDS} fields, found {count}"));
    }
    if count > 0 && schema.children.is_null() {
        return Err(format!("expected {count} fields, found a null pointer to them"));
    }
    let mut found = Vec::new();
    for index in 0..count {
        // SAFETY: the interface promises `n_children` pointers to schemas.
        let child = unsafe { (*schema.children.add(index)).as_ref() };
        let child = child.ok_or("expected a field, found a null pointer")?;
        if child.release.is_none() {
            return Err("expected a field, found one that was released".to_owned());
        }
        found.push(child);
    }
    Ok(found)
}

/// # Safety
/// The pointer is null or that of a NUL-terminated text.
unsafe fn text(pointer: *const std::ffi::c_char, what: &str) -> Result<String, String> {
    if pointer.is_null() {
        return Err(format!("expected {what} in the Arrow schema, found a null pointer"));
    }
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str().map(ToOwned::to_owned).map_err(|_| {
        format!("expected {what} in UTF-8 in the Arrow schema, found {:?}", text.to_string_lossy())
    })
}

/// # Safety
/// As [`columns`].
unsafe fn field(schema: &ArrowSchema, depth: usize) -> Result<SourceField, String> {
    // SAFETY: the caller's promise.
    let (name, format) = unsafe {
        // A name may be left out: that of a list's elements, or of a dictionary.
        let name =
            if schema.name.is_null() { Ok(String::new()) } else { text(schema.name, "a name") };
        (name?, text(schema.format, "a format")?)
    };
    let refused = || {
        format!(
            "column \"{name}\": expected a type that a column of a table can take (a boolean, number, \
             text, bytes, date, time, timestamp, interval, or a list of these), found Arrow's type \
             \"{format}\""
        )
    };
    let mut kind = parse(&format).ok_or_else(refused)?;
    if depth >= MAX_DEPTH {
        return Err(refused());
    }
    // SAFETY: the caller's promise, which holds for what hangs on the schema as well.
    let inner = unsafe {
        match (schema.dictionary.as_ref(), &kind) {
            (Some(values), _) if values.release.is_none() => {
                return Err("expected a dictionary, found one that was released".to_owned());
            }
            (Some(values), Type::Int(index)) => {
                kind = Type::Dictionary(*index);
                Some(field(values, depth + 1)?)
            }
            (Some(_), _) => return Err(refused()),
            (None, Type::List { .. } | Type::FixedList(_)) => match children(schema)?.as_slice() {
                [element] => Some(field(element, depth + 1)?),
                _ => return Err(refused()),
            },
            (None, _) => None,
        }
    };
    let has_elements = matches!(kind, Type::List { .. } | Type::FixedList(_));
    if !has_elements && schema.n_children != 0 {
        return Err(format!(
            "column \"{name}\": expected no fields below Arrow's type \"{format}\", found {}",
            schema.n_children
        ));
    }
    // SAFETY: the caller's promise.
    let is_uuid = unsafe { extension(schema.metadata) }.as_deref() == Some(b"arrow.uuid");
    Ok(SourceField { name, kind, is_uuid, inner: inner.map(Box::new) })
}

/// The name of the extension type in a field's metadata: a count of pairs, each a length and its
/// bytes, twice.
///
/// # Safety
/// The pointer is null or that of metadata as the interface lays it out.
unsafe fn extension(metadata: *const std::ffi::c_char) -> Option<Vec<u8>> {
    if metadata.is_null() {
        return None;
    }
    let mut at = 0;
    // SAFETY: the caller's promise; lengths below zero are not followed.
    let mut bytes = |length: usize| unsafe {
        let found = std::slice::from_raw_parts(metadata.cast::<u8>().add(at), length);
        at += length;
        found
    };
    let number = |bytes: &[u8]| {
        let bytes = bytes.first_chunk::<4>().copied().unwrap_or_default();
        usize::try_from(i32::from_ne_bytes(bytes)).ok()
    };
    // More than this is no metadata but something else, and reading on would be reading anywhere.
    let length = |found: usize| (found <= MAX_METADATA).then_some(found);
    for _ in 0..length(number(bytes(4))?)? {
        let key = length(number(bytes(4))?)?;
        let is_name = bytes(key) == b"ARROW:extension:name";
        let size = length(number(bytes(4))?)?;
        let value = bytes(size);
        if is_name {
            return Some(value.to_vec());
        }
    }
    None
}

fn unit(letter: &str) -> Option<Unit> {
    match letter {
        "s" => Some(Unit::Second),
        "m" => Some(Unit::Milli),
        "u" => Some(Unit::Micro),
        "n" => Some(Unit::Nano),
        _ => None,
    }
}

fn parse(format: &str) -> Option<Type> {
    let int = |bytes, signed| Some(Type::Int(Int { bytes, signed }));
    match format {
        "n" => Some(Type::Null),
        "b" => Some(Type::Bool),
        "c" => int(1, true),
        "C" => int(1, false),
        "s" => int(2, true),
        "S" => int(2, false),
        "i" => int(4, true),
        "I" => int(4, false),
        "l" => int(8, true),
        "L" => int(8, false),
        "e" => Some(Type::Half),
        "f" => Some(Type::Float),
        "g" => Some(Type::Double),
        "u" => Some(Type::Bytes { text: true, wide: false }),
        "U" => Some(Type::Bytes { text: true, wide: true }),
        "z" => Some(Type::Bytes { text: false, wide: false }),
        "Z" => Some(Type::Bytes { text: false, wide: true }),
        "vu" => Some(Type::Views { text: true }),
        "vz" => Some(Type::Views { text: false }),
        "tdD" => Some(Type::Date32),
        "tdm" => Some(Type::Date64),
        "tiM" => Some(Type::Months),
        "tiD" => Some(Type::DayTime),
        "tin" => Some(Type::MonthDayNano),
        "+l" => Some(Type::List { wide: false }),
        "+L" => Some(Type::List { wide: true }),
        _ => parse_with_argument(format),
    }
}

fn parse_with_argument(format: &str) -> Option<Type> {
    if let Some(zoned) = format.strip_prefix("ts") {
        let (letter, zone) = zoned.split_once(':')?;
        return Some(Type::Timestamp { unit: unit(letter)?, zoned: !zone.is_empty() });
    }
    if let Some(letter) = format.strip_prefix("tt") {
        return unit(letter).map(Type::Time);
    }
    if let Some(letter) = format.strip_prefix("tD") {
        return unit(letter).map(Type::Duration);
    }
    let (head, argument) = format.split_once(':')?;
    match head {
        "w" => argument.parse().ok().filter(|width| *width <= MAX_WIDTH).map(Type::Fixed),
        "+w" => argument.parse().ok().filter(|width| *width <= MAX_WIDTH).map(Type::FixedList),
        "d" => {
            let mut numbers = argument.split(',');
            let _precision: u8 = numbers.next()?.parse().ok()?;
            let scale: i32 = numbers.next()?.parse().ok()?;
            let bits: usize = numbers.next().unwrap_or("128").parse().ok()?;
            let known = matches!(bits, 32 | 64 | 128 | 256) && scale.abs() <= 1_000;
            known.then_some(Type::Decimal { bits, scale })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read() {
        assert_eq!(parse("tsu:"), Some(Type::Timestamp { unit: Unit::Micro, zoned: false }));
        assert_eq!(
            parse("tsn:Asia/Jakarta"),
            Some(Type::Timestamp { unit: Unit::Nano, zoned: true })
        );
        assert_eq!(parse("d:12,-2"), Some(Type::Decimal { bits: 128, scale: -2 }));
        assert_eq!(parse("d:60,2,256"), Some(Type::Decimal { bits: 256, scale: 2 }));
        assert_eq!(parse("w:16"), Some(Type::Fixed(16)));
        for wrong in [
            "w:-1",
            "+w:99999999999",
            "",
            "+s",
            "d:12",
            "d:1,1,7",
            "w:x",
            "tsq:",
            "ts",
            "+ud:1",
            "+m",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
