//! Arrays that came from outside, as views on their buffers.
//!
//! The lengths of buffers are not part of the interface: what a producer's lengths and offsets
//! imply is trusted to be there, as the interface demands.

use std::ffi::c_void;

use super::abi::ArrowArray;
use super::source::{SourceField, Type};
use super::view::{View, bit, count, impossible, width};

/// How many of a pointer's bits no memory needs.
const ADDRESS_BITS: u32 = usize::BITS / 4;
/// The most buffers behind views: more is no count but something else.
const MAX_BUFFERS: usize = 1 << 20;

/// # Safety
/// The array was filled in by its producer and not released.
unsafe fn buffer(array: &ArrowArray, index: usize, length: usize) -> Result<&[u8], String> {
    if length == 0 {
        return Ok(&[]);
    }
    if index >= count(array.n_buffers, "a count of buffers")? || array.buffers.is_null() {
        return Err(impossible("a buffer", "none"));
    }
    if isize::try_from(length).is_err() {
        return Err(impossible("a buffer within the address space", length));
    }
    // SAFETY: the interface promises `n_buffers` pointers, each NULL or to as many bytes as length
    // and offset of the array imply, which is what the callers ask for.
    unsafe {
        let start: *const c_void = *array.buffers.add(index);
        if start.is_null() {
            return Err(impossible("a buffer", "a null pointer"));
        }
        Ok(std::slice::from_raw_parts(start.cast(), length))
    }
}

/// The arrays of a record batch's columns, and how many rows there are.
///
/// # Errors
/// The array is not what the schema says.
///
/// # Safety
/// The array was filled in by its producer, of the type that `fields` were read from, and is not
/// released.
pub(super) unsafe fn batch<'a>(
    array: &'a ArrowArray,
    fields: &'a [SourceField],
) -> Result<(usize, Vec<View<'a>>), String> {
    let length = count(array.length, "a length")?;
    let offset = count(array.offset, "an offset")?;
    if count(array.n_children, "a count of columns")? != fields.len() {
        return Err(impossible(&format!("{} columns", fields.len()), array.n_children));
    }
    let end = ends(offset, length)?;
    if count(array.n_buffers, "a count of buffers")? != 1 || !array.dictionary.is_null() {
        return Err(impossible("one buffer and no dictionary of a struct", "others"));
    }
    if array.buffers.is_null() {
        return Err(impossible("buffers", "a null pointer to all of them"));
    }
    // SAFETY: as the caller promises.
    unsafe {
        // A struct may have NULLs of its own; a table's rows have none.
        if let Some(bits) = validity(array, end)?
            && (offset..end).any(|row| !bit(bits, row))
        {
            return Err(impossible("rows", "a row that is NULL as a whole"));
        }
        let mut views = Vec::with_capacity(fields.len());
        for (index, field) in fields.iter().enumerate() {
            let mut view = view(child(array, index)?, field)?;
            // The struct's own offset is on top of its children's.
            if view.length < end {
                return Err(impossible(&format!("{end} rows"), view.length));
            }
            view.offset += offset;
            view.length = length;
            views.push(view);
        }
        Ok((length, views))
    }
}

/// Checks what the type says about the parts of an array.
fn agrees(array: &ArrowArray, kind: &Type) -> Result<(), String> {
    let buffers = count(array.n_buffers, "a count of buffers")?;
    let fits = match kind {
        // Older libraries give one.
        Type::Null => buffers <= 1,
        Type::FixedList(_) => buffers == 1,
        Type::Bytes { .. } => buffers == 3,
        Type::Views { .. } => (3..=MAX_BUFFERS).contains(&buffers),
        _ => buffers == 2,
    };
    if !fits {
        return Err(impossible("as many buffers as the schema's type has", buffers));
    }
    if buffers > 0 && array.buffers.is_null() {
        return Err(impossible("buffers", "a null pointer to all of them"));
    }
    let children = count(array.n_children, "a count of arrays below an array")?;
    let expected = usize::from(matches!(kind, Type::List { .. } | Type::FixedList(_)));
    if children != expected {
        return Err(impossible(&format!("{expected} arrays below the array"), children));
    }
    if matches!(kind, Type::Dictionary(_)) == array.dictionary.is_null() {
        return Err(impossible(
            "a dictionary where the schema has one, and nowhere else",
            "the other",
        ));
    }
    Ok(())
}

/// The end of the values of an array: a place within the address space, as each has a bit at least.
fn ends(offset: usize, length: usize) -> Result<usize, String> {
    let end =
        offset.checked_add(length).filter(|end| *end < isize::MAX.unsigned_abs() >> ADDRESS_BITS);
    end.ok_or_else(|| impossible("an offset and a length within the address space", offset))
}

/// One of the arrays below an array.
///
/// # Safety
/// As [`batch`], and `index` is below `n_children`.
unsafe fn child(array: &ArrowArray, index: usize) -> Result<&ArrowArray, String> {
    if array.children.is_null() {
        return Err(impossible("an array below the array", "a null pointer to all of them"));
    }
    // SAFETY: the interface promises `n_children` pointers to arrays.
    let child = unsafe { (*array.children.add(index)).as_ref() };
    filled(child.ok_or_else(|| impossible("an array below the array", "a null pointer"))?)
}

/// An array that was not released.
fn filled(array: &ArrowArray) -> Result<&ArrowArray, String> {
    match array.release {
        Some(_) => Ok(array),
        None => Err(impossible("an array", "one that was released")),
    }
}

/// The bits that mark NULLs, where there may be any: a count of -1 is one that nobody made.
///
/// # Safety
/// As [`batch`].
unsafe fn validity(array: &ArrowArray, end: usize) -> Result<Option<&[u8]>, String> {
    if array.null_count < -1 || array.null_count > array.length {
        return Err(impossible(
            &format!("a count of NULLs from -1 to {}", array.length),
            array.null_count,
        ));
    }
    if array.null_count == 0 || array.length == 0 {
        return Ok(None);
    }
    if count(array.n_buffers, "a count of buffers")? == 0 {
        return Err(impossible("a buffer for NULLs", "none"));
    }
    if array.buffers.is_null() {
        return Err(impossible("buffers", "a null pointer"));
    }
    // SAFETY: as the caller promises; there is one buffer at least.
    unsafe {
        if (*array.buffers).is_null() {
            // Without bits nothing is NULL, whatever nobody counted.
            return match array.null_count {
                -1 => Ok(None),
                found => Err(impossible(&format!("bits for {found} NULLs"), "a null pointer")),
            };
        }
        buffer(array, 0, end.div_ceil(8)).map(Some)
    }
}

/// # Safety
/// As [`batch`].
unsafe fn view<'a>(array: &'a ArrowArray, field: &'a SourceField) -> Result<View<'a>, String> {
    let length = count(array.length, "a length")?;
    let offset = count(array.offset, "an offset")?;
    let end = ends(offset, length)?;
    let kind = &field.kind;
    agrees(array, kind)?;
    // SAFETY: as the caller promises; sizes are those that the interface gives for each type.
    unsafe {
        let validity = match kind {
            Type::Null => None,
            _ => validity(array, end)?,
        };
        let width = width(kind);
        let places = match kind {
            Type::Bytes { .. } | Type::List { .. } if length > 0 => end + 1,
            _ => end,
        };
        let fixed = match kind {
            _ if length == 0 || matches!(kind, Type::Null | Type::FixedList(_)) => &[][..],
            Type::Bool => buffer(array, 1, end.div_ceil(8))?,
            _ => {
                let bytes = places.checked_mul(width);
                buffer(array, 1, bytes.ok_or_else(|| impossible("an offset", offset))?)?
            }
        };
        let mut view =
            View { kind, length, offset, validity, fixed, data: Vec::new(), inner: None };
        match kind {
            Type::Bytes { .. } if length > 0 => {
                let last = view.end_of(end)?;
                view.data.push(buffer(array, 2, last)?);
            }
            Type::Views { .. } if length > 0 => view.data = variadic(array)?,
            _ => {}
        }
        let inside = match kind {
            Type::Dictionary(_) => array.dictionary.as_ref().map(filled).transpose()?,
            Type::List { .. } | Type::FixedList(_) => match array.n_children {
                1 => Some(child(array, 0)?),
                _ => None,
            },
            _ => return Ok(view),
        };
        match (inside, &field.inner) {
            (Some(inside), Some(field)) => {
                view.inner = Some(Box::new(self::view(inside, field)?));
                Ok(view)
            }
            _ => Err(impossible("elements or a dictionary", "none")),
        }
    }
}

/// The data buffers behind views: their lengths are in the last buffer.
///
/// # Safety
/// As [`batch`].
unsafe fn variadic(array: &ArrowArray) -> Result<Vec<&[u8]>, String> {
    let buffers = count(array.n_buffers, "a count of buffers")?;
    let data =
        buffers.checked_sub(3).ok_or_else(|| impossible("three buffers or more", buffers))?;
    let size = data.checked_mul(8).ok_or_else(|| impossible("a count of buffers", buffers))?;
    // SAFETY: as the caller promises.
    unsafe {
        let lengths = buffer(array, buffers - 1, size)?;
        let mut found = Vec::new();
        for (index, length) in lengths.chunks_exact(8).enumerate() {
            let length = length.first_chunk().map_or(0, |bytes| i64::from_ne_bytes(*bytes));
            found.push(buffer(array, index + 2, count(length, "a length")?)?);
        }
        Ok(found)
    }
}
