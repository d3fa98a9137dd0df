//! Hands schemas, arrays and streams of ours to somebody outside.

use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;

use super::abi::{ArrowArray, ArrowArrayStream, ArrowSchema, NULLABLE, Release};
use super::build::{Buffer, Column};
use super::kind::Kind;

/// `EINVAL`, the same on every system that Python runs on.
const EINVAL: c_int = 22;

/// What an exported schema keeps alive.
struct SchemaPart {
    format: CString,
    name: CString,
    metadata: Option<Vec<u8>>,
    children: Vec<*mut ArrowSchema>,
}

/// A C string without the NULs that it cannot hold.
fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "")).unwrap_or_default()
}

/// The metadata of an extension type: a count of pairs, each a length and its bytes, twice.
fn extension(name: &str) -> Vec<u8> {
    let pairs = [("ARROW:extension:name", name), ("ARROW:extension:metadata", "")];
    let number = |length: usize| i32::try_from(length).unwrap_or(0).to_ne_bytes();
    let mut out = number(pairs.len()).to_vec();
    for text in pairs.iter().flat_map(|(key, value)| [key, value]) {
        out.extend_from_slice(&number(text.len()));
        out.extend_from_slice(text.as_bytes());
    }
    out
}

fn schema_of(
    format: &str,
    name: &str,
    metadata: Option<Vec<u8>>,
    nullable: bool,
    children: Vec<ArrowSchema>,
) -> ArrowSchema {
    let children: Vec<_> =
        children.into_iter().map(|child| Box::into_raw(Box::new(child))).collect();
    let part =
        Box::new(SchemaPart { format: c_string(format), name: c_string(name), metadata, children });
    let n_children = i64::try_from(part.children.len()).unwrap_or(0);
    let part = Box::into_raw(part);
    // SAFETY: `part` was a box a moment ago, and nobody else has it yet. What it holds lives until
    // `release_schema` makes it a box again.
    let held = unsafe { &mut *part };
    ArrowSchema {
        format: held.format.as_ptr(),
        name: held.name.as_ptr(),
        metadata: held.metadata.as_ref().map_or(ptr::null(), |bytes| bytes.as_ptr().cast()),
        flags: if nullable { NULLABLE } else { 0 },
        n_children,
        children: held.children.as_mut_ptr(),
        dictionary: ptr::null_mut(),
        release: Some(release_schema),
        private_data: part.cast(),
    }
}

fn field_schema(name: &str, kind: &Kind) -> ArrowSchema {
    let children = match kind {
        Kind::List { element, .. } => vec![field_schema("item", element)],
        _ => Vec::new(),
    };
    schema_of(&kind.format(), name, kind.extension().map(extension), true, children)
}

/// The schema of a table: a struct of its columns.
pub(super) fn table_schema(columns: &[(String, Kind)]) -> ArrowSchema {
    let children = columns.iter().map(|(name, kind)| field_schema(name, kind)).collect();
    schema_of("+s", "", None, false, children)
}

/// # Safety
/// `schema` was made by [`schema_of`] and not released.
unsafe extern "C" fn release_schema(schema: *mut ArrowSchema) {
    // SAFETY: by the interface, the caller owns the structure and releases it once; the children
    // are boxes of ours, which their owner may have moved out and so emptied.
    unsafe {
        let part: Box<SchemaPart> = Box::from_raw((*schema).private_data.cast());
        for child in &part.children {
            Box::from_raw(*child).release();
        }
        (*schema).release = None;
    }
}

/// What an exported array keeps alive.
struct ArrayPart {
    pointers: Vec<*const c_void>,
    _buffers: Vec<Buffer>,
    children: Vec<*mut ArrowArray>,
}

fn array_of(
    length: usize,
    null_count: usize,
    validity: Option<Buffer>,
    buffers: Vec<Buffer>,
    children: Vec<ArrowArray>,
) -> ArrowArray {
    let pointer = |buffer: &Buffer| buffer.start.cast::<c_void>();
    let mut pointers = vec![validity.as_ref().map_or(ptr::null(), pointer)];
    pointers.extend(buffers.iter().map(pointer));
    let children = children.into_iter().map(|child| Box::into_raw(Box::new(child))).collect();
    let part = Box::new(ArrayPart {
        pointers,
        _buffers: validity.into_iter().chain(buffers).collect(),
        children,
    });
    let count = |length: usize| i64::try_from(length).unwrap_or(0);
    let (n_buffers, n_children) = (count(part.pointers.len()), count(part.children.len()));
    let part = Box::into_raw(part);
    // SAFETY: as in `schema_of`.
    let held = unsafe { &mut *part };
    ArrowArray {
        length: count(length),
        null_count: count(null_count),
        offset: 0,
        n_buffers,
        n_children,
        buffers: held.pointers.as_mut_ptr(),
        children: held.children.as_mut_ptr(),
        dictionary: ptr::null_mut(),
        release: Some(release_array),
        private_data: part.cast(),
    }
}

fn column_array(column: Column) -> ArrowArray {
    let children = column.child.map(|child| column_array(*child)).into_iter().collect();
    array_of(column.length, column.null_count, column.validity, column.buffers, children)
}

/// A record batch: a struct array of its columns.
fn batch_array(batch: Batch) -> ArrowArray {
    let children = batch.columns.into_iter().map(column_array).collect();
    array_of(batch.length, 0, None, Vec::new(), children)
}

/// # Safety
/// `array` was made by [`array_of`] and not released.
unsafe extern "C" fn release_array(array: *mut ArrowArray) {
    // SAFETY: as in `release_schema`.
    unsafe {
        let part: Box<ArrayPart> = Box::from_raw((*array).private_data.cast());
        for child in &part.children {
            Box::from_raw(*child).release();
        }
        (*array).release = None;
    }
}

/// Columns of equal length.
#[derive(Clone)]
pub(super) struct Batch {
    pub(super) length: usize,
    pub(super) columns: Vec<Column>,
}

/// Where a stream's batches come from.
pub(super) trait Batches: Send {
    fn schema(&self) -> ArrowSchema;
    /// The next batch; `None` behind the last. An error ends the stream.
    fn next(&mut self) -> Result<Option<Batch>, String>;
}

struct StreamPart {
    batches: Box<dyn Batches>,
    error: Option<CString>,
}

/// A stream of batches. They are made as they are asked for.
pub(super) fn stream(batches: Box<dyn Batches>) -> ArrowArrayStream {
    let part = Box::new(StreamPart { batches, error: None });
    ArrowArrayStream {
        get_schema: Some(get_schema),
        get_next: Some(get_next),
        get_last_error: Some(get_last_error),
        release: Some(release_stream),
        private_data: Box::into_raw(part).cast(),
    }
}

/// # Safety
/// `stream` was made by [`stream`] and not released; `out` is space for a schema.
unsafe extern "C" fn get_schema(stream: *mut ArrowArrayStream, out: *mut ArrowSchema) -> c_int {
    // SAFETY: the caller uses the stream from one thread at a time; what `out` held is not looked at.
    unsafe {
        let part: &StreamPart = &*(*stream).private_data.cast();
        out.write(part.batches.schema());
    }
    0
}

/// # Safety
/// As [`get_schema`]; `out` is space for an array.
unsafe extern "C" fn get_next(stream: *mut ArrowArrayStream, out: *mut ArrowArray) -> c_int {
    // SAFETY: as in `get_schema`.
    let part: &mut StreamPart = unsafe { &mut *(*stream).private_data.cast() };
    let (array, code) = match part.batches.next() {
        Ok(Some(batch)) => (batch_array(batch), 0),
        // The end is an empty structure.
        Ok(None) => (ArrowArray::empty(), 0),
        Err(message) => {
            part.error = Some(c_string(&message));
            (ArrowArray::empty(), EINVAL)
        }
    };
    // SAFETY: as in `get_schema`.
    unsafe { out.write(array) };
    code
}

/// # Safety
/// As [`get_schema`].
unsafe extern "C" fn get_last_error(stream: *mut ArrowArrayStream) -> *const c_char {
    // SAFETY: as in `get_schema`; the text lives until the next error or the release.
    let part: &StreamPart = unsafe { &*(*stream).private_data.cast() };
    part.error.as_ref().map_or(ptr::null(), |error| error.as_ptr())
}

/// # Safety
/// As [`get_schema`].
unsafe extern "C" fn release_stream(stream: *mut ArrowArrayStream) {
    // SAFETY: as in `release_schema`.
    unsafe {
        drop(Box::<StreamPart>::from_raw((*stream).private_data.cast()));
        (*stream).release = None;
    }
}
