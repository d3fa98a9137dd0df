//! Encoders that take borrowed parts: for owned messages and for requests alike.

use bytes::{BufMut, BytesMut};

use super::target::Target;
use crate::error::UsageError;
use crate::message::tags::frontend as tags;
use crate::message::write;

pub(crate) fn query(out: &mut BytesMut, sql: &[u8]) -> Result<(), UsageError> {
    out.reserve(sql.len().saturating_add(6));
    write::framed(out, Some(tags::QUERY), |out| write::string(out, sql, "a query"))
}

pub(crate) fn parse(
    out: &mut BytesMut,
    name: &[u8],
    sql: &[u8],
    types: &[u32],
) -> Result<(), UsageError> {
    write::framed(out, Some(tags::PARSE), |out| {
        write::string(out, name, "a statement's name")?;
        write::string(out, sql, "a statement")?;
        write::oids(out, types, "parameter types")
    })
}

pub(crate) fn execute(out: &mut BytesMut, portal: &[u8], max_rows: u32) -> Result<(), UsageError> {
    write::framed(out, Some(tags::EXECUTE), |out| {
        write::string(out, portal, "a portal's name")?;
        // The protocol's number has a sign, and nobody counts the difference.
        out.put_i32(i32::try_from(max_rows).unwrap_or(i32::MAX));
        Ok(())
    })
}

pub(crate) fn describe(out: &mut BytesMut, target: Target<&[u8]>) -> Result<(), UsageError> {
    write::framed(out, Some(tags::DESCRIBE), |out| target.write(out))
}

pub(crate) fn close(out: &mut BytesMut, target: Target<&[u8]>) -> Result<(), UsageError> {
    write::framed(out, Some(tags::CLOSE), |out| target.write(out))
}

pub(crate) fn copy_data(out: &mut BytesMut, data: &[u8]) -> Result<(), UsageError> {
    out.reserve(data.len().saturating_add(5));
    write::framed(out, Some(tags::COPY_DATA), |out| {
        out.put_slice(data);
        Ok(())
    })
}

pub(crate) fn copy_fail(out: &mut BytesMut, reason: &[u8]) -> Result<(), UsageError> {
    write::framed(out, Some(tags::COPY_FAIL), |out| write::string(out, reason, "a reason"))
}
