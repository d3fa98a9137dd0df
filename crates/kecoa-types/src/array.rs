//! Arrays of any built-in type, in both forms.

pub mod binary;
pub mod text;

use crate::DecodeError;

/// The most dimensions an array has (PostgreSQL's `MAXDIM`).
pub const MAX_DIMENSIONS: usize = 6;

/// The extent of an array in one dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dimension {
    /// How many elements, or sub-arrays; never 0.
    pub length: usize,
    /// The subscript of the first; 1 unless said otherwise.
    pub lower_bound: i32,
}

/// An array: its dimensions, and its elements with the last subscript varying fastest.
///
/// An empty array has no dimensions. Elements may be NULL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Array<T> {
    dimensions: Vec<Dimension>,
    elements: Vec<Option<T>>,
}

impl<T> Array<T> {
    /// An array of one dimension that begins at subscript 1, or the empty array.
    #[must_use]
    pub fn from_elements(elements: Vec<Option<T>>) -> Self {
        let dimensions = match elements.len() {
            0 => Vec::new(),
            length => vec![Dimension { length, lower_bound: 1 }],
        };
        Self { dimensions, elements }
    }

    /// An array of any dimensions.
    ///
    /// # Errors
    /// There are more than six dimensions, one of them is empty, its subscripts overflow, or they
    /// do not make as many elements as there are.
    pub fn new(dimensions: Vec<Dimension>, elements: Vec<Option<T>>) -> Result<Self, DecodeError> {
        if check_dimensions(&dimensions)? == elements.len() {
            Ok(Self { dimensions, elements })
        } else {
            Err(DecodeError::new(
                "as many array elements as the dimensions make",
                format!("{} elements", elements.len()),
            ))
        }
    }

    /// The extents, outermost first; none for the empty array.
    #[must_use]
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// The elements, the last subscript varying fastest.
    #[must_use]
    pub fn elements(&self) -> &[Option<T>] {
        &self.elements
    }

    /// The elements, owned.
    #[must_use]
    pub fn into_elements(self) -> Vec<Option<T>> {
        self.elements
    }
}

impl<T> Default for Array<T> {
    fn default() -> Self {
        Self { dimensions: Vec::new(), elements: Vec::new() }
    }
}

/// The number of elements that dimensions make.
pub(crate) fn check_dimensions(dimensions: &[Dimension]) -> Result<usize, DecodeError> {
    if dimensions.is_empty() {
        return Ok(0);
    }
    if dimensions.len() > MAX_DIMENSIONS {
        return Err(DecodeError::new(
            "an array of at most 6 dimensions",
            format!("{} dimensions", dimensions.len()),
        ));
    }
    let mut count = 1usize;
    for dimension in dimensions {
        let fits = i32::try_from(dimension.length)
            .ok()
            .filter(|length| *length > 0)
            .and_then(|length| dimension.lower_bound.checked_add(length));
        count = fits.and_then(|_| count.checked_mul(dimension.length)).ok_or_else(|| {
            DecodeError::new(
                "an array dimension of 1 element or more, with 32-bit subscripts",
                format!("{} elements from {}", dimension.length, dimension.lower_bound),
            )
        })?;
    }
    Ok(count)
}
