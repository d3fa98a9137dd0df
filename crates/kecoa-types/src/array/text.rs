//! The text form: `{1,NULL,"a \"quoted\" one"}`, `[0:1]={…}` where subscripts do not begin at 1.

use std::borrow::Cow;

use super::{Array, Dimension, MAX_DIMENSIONS, check_dimensions};
use crate::DecodeError;
use crate::text::integer;

const EXPECTED: &str = "an array as {element,…} with at most 6 dimensions";

/// A step through an array in text form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// `{`: an array or sub-array begins.
    Open,
    /// `}`: it ends.
    Close,
    /// An element that is NULL.
    Null,
    /// An element in its own text form; borrowed unless it had backslashes.
    Element(Cow<'a, [u8]>),
}

/// What may stand at the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The outermost `{`.
    Start,
    /// After `{`: an element, a sub-array, or `}`.
    Opened,
    /// After the delimiter: an element or a sub-array.
    Next,
    /// After an element or a sub-array: the delimiter or `}`.
    After,
    /// After the outermost `}`, or after an error.
    Done,
}

/// Reads an array in text form step by step, without building a tree.
///
/// Brackets are balanced and nested at most six deep in what it yields. That sub-arrays have equal
/// lengths is not checked; [`decode`] does. After an error it yields nothing more.
#[derive(Clone, Debug)]
pub struct Parser<'a> {
    whole: &'a [u8],
    rest: &'a [u8],
    delimiter: u8,
    depth: usize,
    state: State,
}

impl<'a> Parser<'a> {
    /// A reader of `bytes`, whose elements are separated by `delimiter`: `,` for all built-in types
    /// but `box`, which has `;` (see [`delimiter_of`](crate::oid::delimiter_of)).
    ///
    /// Subscript bounds in front are passed over.
    #[must_use]
    #[inline]
    pub fn new(bytes: &'a [u8], delimiter: u8) -> Self {
        let rest = match bytes {
            // Where the bounds are not bounds, `[` is not the start of an array, and is refused.
            [b'[', ..] => bounds(bytes).map_or(bytes, |(_, rest)| rest),
            _ => bytes,
        };
        Self { whole: bytes, rest, delimiter, depth: 0, state: State::Start }
    }

    fn fail(&mut self) -> Option<Result<Event<'a>, DecodeError>> {
        self.state = State::Done;
        Some(Err(DecodeError::text(EXPECTED, self.whole)))
    }

    #[inline]
    fn close(&mut self) -> Event<'a> {
        self.depth -= 1;
        self.state = if self.depth == 0 { State::Done } else { State::After };
        Event::Close
    }

    /// Moves over `len` bytes of an element, and returns them.
    #[inline]
    fn take(&mut self, len: usize) -> &'a [u8] {
        let (element, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, &[]));
        self.rest = rest;
        element
    }

    /// The element after an opening quote.
    fn quoted(&mut self) -> Option<Cow<'a, [u8]>> {
        let len = memchr::memchr2(b'"', b'\\', self.rest)?;
        let mut element = Cow::Borrowed(self.take(len));
        loop {
            match self.rest {
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    return Some(element);
                }
                [b'\\', escaped, rest @ ..] => {
                    element.to_mut().push(*escaped);
                    self.rest = rest;
                    let len = memchr::memchr2(b'"', b'\\', rest)?;
                    let plain = self.take(len);
                    element.to_mut().extend_from_slice(plain);
                }
                _ => return None,
            }
        }
    }

    /// The element without quotes; `None` inside is NULL.
    #[inline]
    fn unquoted(&mut self) -> Option<Option<Cow<'a, [u8]>>> {
        let delimiter = self.delimiter;
        // Digits and upper-case letters leave after three comparisons.
        let special = |byte: &u8| {
            *byte == delimiter
                || *byte == b'"'
                || (*byte >= b'\\' && matches!(byte, b'\\' | b'{' | b'}'))
        };
        let len = self.rest.iter().position(special)?;
        let element = self.take(len);
        match self.rest.first() {
            Some(b'\\') => return self.unquoted_with_backslash(element).map(Some),
            Some(b'{' | b'"') => return None,
            _ => {}
        }
        match element {
            [] => None,
            [b'N' | b'n', ..] if element.eq_ignore_ascii_case(b"NULL") => Some(None),
            _ => Some(Some(Cow::Borrowed(element))),
        }
    }

    /// Servers quote what has a backslash, but the input syntax takes it without quotes.
    #[cold]
    fn unquoted_with_backslash(&mut self, start: &[u8]) -> Option<Cow<'a, [u8]>> {
        let mut element = start.to_vec();
        loop {
            match self.rest {
                [b'\\', escaped, rest @ ..] => {
                    element.push(*escaped);
                    self.rest = rest;
                }
                [b'{' | b'"' | b'\\', ..] | [] => return None,
                [byte, ..] if *byte == self.delimiter || *byte == b'}' => {
                    return Some(Cow::Owned(element));
                }
                [byte, rest @ ..] => {
                    element.push(*byte);
                    self.rest = rest;
                }
            }
        }
    }
}

impl<'a> Iterator for Parser<'a> {
    type Item = Result<Event<'a>, DecodeError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.state == State::Done {
            return None;
        }
        if self.state == State::After {
            match self.rest {
                [b'}', rest @ ..] => {
                    self.rest = rest;
                    return self.finish();
                }
                [byte, rest @ ..] if *byte == self.delimiter => {
                    self.rest = rest;
                    self.state = State::Next;
                }
                _ => return self.fail(),
            }
        }
        match (self.rest, self.state) {
            ([b'{', rest @ ..], _) => {
                if self.depth == MAX_DIMENSIONS {
                    return self.fail();
                }
                self.rest = rest;
                self.depth += 1;
                self.state = State::Opened;
                Some(Ok(Event::Open))
            }
            (_, State::Start) => self.fail(),
            ([b'}', rest @ ..], State::Opened) => {
                self.rest = rest;
                self.finish()
            }
            ([b'"', rest @ ..], _) => {
                self.rest = rest;
                self.state = State::After;
                match self.quoted() {
                    Some(element) => Some(Ok(Event::Element(element))),
                    None => self.fail(),
                }
            }
            _ => {
                self.state = State::After;
                match self.unquoted() {
                    Some(Some(element)) => Some(Ok(Event::Element(element))),
                    Some(None) => Some(Ok(Event::Null)),
                    None => self.fail(),
                }
            }
        }
    }
}

impl<'a> Parser<'a> {
    /// Ends a sub-array; nothing may follow the outermost one.
    #[inline]
    fn finish(&mut self) -> Option<Result<Event<'a>, DecodeError>> {
        let event = self.close();
        if self.state == State::Done && !self.rest.is_empty() {
            return self.fail();
        }
        Some(Ok(event))
    }
}

impl std::iter::FusedIterator for Parser<'_> {}

/// Lower bounds and lengths.
type Bounds = Vec<(i32, usize)>;

/// The `[lower:upper]…=` in front of an array, and what is left; empty where there are none.
fn bounds(bytes: &[u8]) -> Option<(Bounds, &[u8])> {
    let mut bounds = Vec::new();
    let mut rest = bytes;
    while let [b'[', after @ ..] = rest {
        if bounds.len() == MAX_DIMENSIONS {
            return None;
        }
        let end = memchr::memchr(b']', after)?;
        let pair = after.get(..end)?;
        rest = after.get(end + 1..)?;
        let (lower, upper) = match memchr::memchr(b':', pair) {
            Some(colon) => {
                (integer::parse(pair.get(..colon)?)?, integer::parse(pair.get(colon + 1..)?)?)
            }
            None => (1, integer::parse(pair)?),
        };
        let length = upper.checked_sub(lower)?.checked_add(1)?;
        bounds.push((i32::try_from(lower).ok()?, usize::try_from(length).ok()?));
    }
    match rest {
        [b'=', rest @ ..] if !bounds.is_empty() => Some((bounds, rest)),
        _ if bounds.is_empty() => Some((bounds, rest)),
        _ => None,
    }
}

/// Decodes an array whose elements `decode_element` decodes.
///
/// # Errors
/// It is not an array, its sub-arrays differ in length, its bounds do not fit it, or an element is
/// refused.
pub fn decode<T>(
    bytes: &[u8],
    delimiter: u8,
    mut decode_element: impl FnMut(&[u8]) -> Result<T, DecodeError>,
) -> Result<Array<T>, DecodeError> {
    let mut elements = Vec::new();
    let mut shape = Shape::default();
    for event in Parser::new(bytes, delimiter) {
        let accepted = match event? {
            Event::Open => shape.open(),
            Event::Close => shape.close(),
            Event::Null => {
                elements.push(None);
                shape.element()
            }
            Event::Element(element) => {
                elements.push(Some(decode_element(&element)?));
                shape.element()
            }
        };
        if !accepted {
            return Err(DecodeError::text("an array with sub-arrays of equal length", bytes));
        }
    }
    let refused = || DecodeError::text("array bounds as [lower:upper] that fit the array", bytes);
    let (bounds, _) = bounds(bytes).ok_or_else(refused)?;
    // `{{},{}}` has no elements, and is the empty array.
    let lengths = if elements.is_empty() { Vec::new() } else { shape.lengths };
    if !bounds.is_empty() && !bounds.iter().map(|(_, length)| length).eq(&lengths) {
        return Err(refused());
    }
    let mut lower = bounds.iter().map(|(lower, _)| *lower);
    let dimensions: Vec<Dimension> = lengths
        .iter()
        .map(|length| Dimension { length: *length, lower_bound: lower.next().unwrap_or(1) })
        .collect();
    check_dimensions(&dimensions)?;
    Array::new(dimensions, elements)
}

/// Finds out the lengths of an array's dimensions, and whether all sub-arrays have them.
#[derive(Default)]
struct Shape {
    /// Items so far in each array that is open.
    open: Vec<usize>,
    /// The length of each dimension, once the first sub-array of that depth is closed.
    lengths: Vec<usize>,
    /// At which depth elements are.
    leaf: Option<usize>,
    /// The deepest `{` so far.
    deepest: usize,
}

impl Shape {
    fn item(&mut self) {
        if let Some(count) = self.open.last_mut() {
            *count += 1;
        }
    }

    fn open(&mut self) -> bool {
        self.item();
        self.open.push(0);
        self.deepest = self.deepest.max(self.open.len());
        self.leaf.is_none_or(|leaf| self.open.len() <= leaf)
    }

    fn element(&mut self) -> bool {
        self.item();
        let depth = self.open.len();
        *self.leaf.get_or_insert(depth) == depth && self.deepest == depth
    }

    fn close(&mut self) -> bool {
        let depth = self.open.len();
        let Some(count) = self.open.pop() else { return false };
        if self.lengths.len() < self.deepest {
            self.lengths.resize(self.deepest, usize::MAX);
        }
        match self.lengths.get_mut(depth - 1) {
            Some(length) if *length == usize::MAX => {
                *length = count;
                true
            }
            Some(length) => *length == count,
            None => false,
        }
    }
}

/// Appends an array whose elements `encode_element` appends in their text form.
pub fn encode<T>(
    array: &Array<T>,
    delimiter: u8,
    out: &mut Vec<u8>,
    mut encode_element: impl FnMut(&T, &mut Vec<u8>),
) {
    let dimensions = array.dimensions();
    if dimensions.is_empty() {
        return out.extend_from_slice(b"{}");
    }
    if dimensions.iter().any(|dimension| dimension.lower_bound != 1) {
        for Dimension { length, lower_bound } in dimensions {
            let lower = i64::from(*lower_bound);
            let upper = i64::try_from(*length).map_or(lower, |length| lower + length - 1);
            out.push(b'[');
            integer::push(lower, out);
            out.push(b':');
            integer::push(upper, out);
            out.push(b']');
        }
        out.push(b'=');
    }
    // After how many elements a bracket of each depth closes: the products of the inner lengths.
    let mut sizes: Vec<usize> = Vec::with_capacity(dimensions.len());
    for dimension in dimensions.iter().rev() {
        sizes.push(sizes.last().unwrap_or(&1) * dimension.length);
    }
    let mut element_bytes = Vec::new();
    for (index, element) in array.elements().iter().enumerate() {
        if index > 0 {
            out.push(delimiter);
        }
        let opening = sizes.iter().filter(|size| index % **size == 0).count();
        out.extend(std::iter::repeat_n(b'{', opening));
        match element {
            None => out.extend_from_slice(b"NULL"),
            Some(value) => {
                element_bytes.clear();
                encode_element(value, &mut element_bytes);
                push_element(&element_bytes, delimiter, out);
            }
        }
        let closing = sizes.iter().filter(|size| (index + 1) % **size == 0).count();
        out.extend(std::iter::repeat_n(b'}', closing));
    }
}

/// Appends an element, in quotes where PostgreSQL prints them.
pub fn push_element(element: &[u8], delimiter: u8, out: &mut Vec<u8>) {
    let special = |byte: &u8| {
        *byte == delimiter || matches!(byte, b'"' | b'\\' | b'{' | b'}' | b' ' | b'\t'..=b'\r')
    };
    if !element.is_empty() && !element.iter().any(special) && !element.eq_ignore_ascii_case(b"NULL")
    {
        return out.extend_from_slice(element);
    }
    out.push(b'"');
    for byte in element {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}
