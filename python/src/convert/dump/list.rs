//! Lists as arrays, tuples for IN.

use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use super::dumper::Dumper;
use super::protocol;

impl<'py> Dumper<'_, 'py> {
    /// `ARRAY[…]`; `'{}'` when empty, and `'{NULL,…}'` where all is NULL, because ARRAY[] would have
    /// no type.
    pub(crate) fn array(&mut self, value: &Bound<'py, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
        let list = value.cast::<PyList>()?;
        let begin = out.len();
        let mut all_null = true;
        let mut ends = Vec::with_capacity(list.len());
        out.extend_from_slice(b"ARRAY[");
        for item in list.iter() {
            let start = out.len();
            self.dump(&item, out)?;
            if item.cast::<PyList>().is_ok() {
                match out.get(start..) {
                    Some(b"'{}'") => {
                        // ARRAY['{}'] would be an array of text.
                        out.truncate(start);
                        out.extend_from_slice(b"ARRAY[]");
                        all_null = false;
                    }
                    Some([b'A', ..]) => all_null = false,
                    _ => {}
                }
            } else if !item.is_none() && out.get(start..) != Some(b"NULL") {
                // (numpy's NaT is NULL, too.)
                all_null = false;
            }
            ends.push((start, out.len()));
            out.push(b',');
        }
        // Seen by going through it: another thread may change its length.
        if ends.is_empty() {
            out.truncate(begin);
            out.extend_from_slice(b"'{}'");
            return Ok(());
        }
        out.pop();
        if !all_null {
            out.push(b']');
            return Ok(());
        }
        let quoted = out.split_off(begin);
        out.extend_from_slice(b"'{");
        for (start, end) in ends {
            let item = quoted.get(start - begin..end - begin).unwrap_or_default();
            let bare = item.strip_prefix(b"'").and_then(|item| item.strip_suffix(b"'"));
            out.extend_from_slice(bare.unwrap_or(item));
            out.push(b',');
        }
        out.pop();
        out.extend_from_slice(b"}'");
        Ok(())
    }

    /// `(…, …)`, for `IN %s`.
    pub(crate) fn tuple(&mut self, value: &Bound<'py, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
        out.push(b'(');
        let mut separator: &[u8] = b"";
        let mut push = |dumper: &mut Self, item: &Bound<'py, PyAny>| {
            out.extend_from_slice(separator);
            separator = b", ";
            if item.is_none() {
                // Unlike elsewhere, psycopg2 asks the adapter of None here.
                let adapted = protocol::adapt_to_quote(item)?;
                return dumper.dump_adapter(&adapted, out);
            }
            dumper.dump(item, out)
        };
        match value.cast::<PyTuple>() {
            Ok(tuple) => {
                for item in tuple.iter() {
                    push(self, &item)?;
                }
            }
            Err(_) => {
                for item in value.try_iter()? {
                    push(self, &item?)?;
                }
            }
        }
        out.push(b')');
        Ok(())
    }
}
