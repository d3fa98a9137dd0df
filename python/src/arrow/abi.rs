//! The structures of Arrow's C data and C stream interfaces.
//!
//! Source: "The Arrow C data interface" and "The Arrow C stream interface" of the Arrow columnar
//! format; the layout is stable by promise. Whoever fills a structure in sets `release`; whoever
//! owns it calls `release` once; a structure without `release` is empty.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

/// `ARROW_FLAG_NULLABLE`.
pub(super) const NULLABLE: i64 = 2;

/// Names of the capsules (the Arrow PyCapsule interface).
pub(super) const SCHEMA_CAPSULE: &std::ffi::CStr = c"arrow_schema";
pub(super) const ARRAY_CAPSULE: &std::ffi::CStr = c"arrow_array";
pub(super) const STREAM_CAPSULE: &std::ffi::CStr = c"arrow_array_stream";

/// A type, or a field with its name.
#[repr(C)]
pub(super) struct ArrowSchema {
    pub(super) format: *const c_char,
    pub(super) name: *const c_char,
    pub(super) metadata: *const c_char,
    pub(super) flags: i64,
    pub(super) n_children: i64,
    pub(super) children: *mut *mut ArrowSchema,
    pub(super) dictionary: *mut ArrowSchema,
    pub(super) release: Option<unsafe extern "C" fn(*mut ArrowSchema)>,
    pub(super) private_data: *mut c_void,
}

/// Values of one type.
#[repr(C)]
pub(super) struct ArrowArray {
    pub(super) length: i64,
    pub(super) null_count: i64,
    pub(super) offset: i64,
    pub(super) n_buffers: i64,
    pub(super) n_children: i64,
    pub(super) buffers: *mut *const c_void,
    pub(super) children: *mut *mut ArrowArray,
    pub(super) dictionary: *mut ArrowArray,
    pub(super) release: Option<unsafe extern "C" fn(*mut ArrowArray)>,
    pub(super) private_data: *mut c_void,
}

type GetSchema = unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowSchema) -> c_int;
type GetNext = unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowArray) -> c_int;
type GetLastError = unsafe extern "C" fn(*mut ArrowArrayStream) -> *const c_char;

/// Arrays of one type, one after the other.
#[repr(C)]
pub(super) struct ArrowArrayStream {
    pub(super) get_schema: Option<GetSchema>,
    pub(super) get_next: Option<GetNext>,
    pub(super) get_last_error: Option<GetLastError>,
    pub(super) release: Option<unsafe extern "C" fn(*mut ArrowArrayStream)>,
    pub(super) private_data: *mut c_void,
}

/// A structure that its owner releases.
pub(super) trait Release {
    /// An empty one, for somebody to fill in.
    fn empty() -> Self;

    /// Releases what it holds, if it holds anything.
    ///
    /// # Safety
    /// The structure is empty or was filled in as the interface says.
    unsafe fn release(&mut self);
}

macro_rules! release {
    ($name:ident) => {
        impl Release for $name {
            fn empty() -> $name {
                $name::NOTHING
            }

            unsafe fn release(&mut self) {
                if let Some(release) = self.release {
                    // SAFETY: `release` is that of a structure in use, called once: it marks the
                    // structure as empty.
                    unsafe { release(self) };
                    self.release = None;
                }
            }
        }
    };
}

impl ArrowSchema {
    const NOTHING: ArrowSchema = ArrowSchema {
        format: ptr::null(),
        name: ptr::null(),
        metadata: ptr::null(),
        flags: 0,
        n_children: 0,
        children: ptr::null_mut(),
        dictionary: ptr::null_mut(),
        release: None,
        private_data: ptr::null_mut(),
    };
}

impl ArrowArray {
    const NOTHING: ArrowArray = ArrowArray {
        length: 0,
        null_count: 0,
        offset: 0,
        n_buffers: 0,
        n_children: 0,
        buffers: ptr::null_mut(),
        children: ptr::null_mut(),
        dictionary: ptr::null_mut(),
        release: None,
        private_data: ptr::null_mut(),
    };
}

impl ArrowArrayStream {
    const NOTHING: ArrowArrayStream = ArrowArrayStream {
        get_schema: None,
        get_next: None,
        get_last_error: None,
        release: None,
        private_data: ptr::null_mut(),
    };
}

release!(ArrowSchema);
release!(ArrowArray);
release!(ArrowArrayStream);
