//! How messages are compressed.

mod inflate;
mod zstd_header;

use std::io::Write as _;

use bytes::{BufMut as _, BytesMut};

use super::framing_error::FramingError;

/// A way to compress messages. Which are used is agreed upon in hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compressor {
    /// None: the bytes as they are.
    Noop,
    /// Snappy, without its framing.
    Snappy,
    /// Zlib.
    Zlib,
    /// Zstandard.
    Zstd,
}

impl Compressor {
    /// Those that may be agreed upon. The one that compresses nothing is understood, but not offered.
    pub const OFFERED: [Self; 3] = [Self::Snappy, Self::Zlib, Self::Zstd];

    /// The name in hello's `compression`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Noop => "noop",
            Self::Snappy => "snappy",
            Self::Zlib => "zlib",
            Self::Zstd => "zstd",
        }
    }

    /// The one of [`OFFERED`](Self::OFFERED) that has this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::OFFERED.into_iter().find(|compressor| compressor.name() == name)
    }

    pub(super) fn id(self) -> u8 {
        match self {
            Self::Noop => 0,
            Self::Snappy => 1,
            Self::Zlib => 2,
            Self::Zstd => 3,
        }
    }

    pub(super) fn with_id(id: u8) -> Option<Self> {
        [Self::Noop, Self::Snappy, Self::Zlib, Self::Zstd].into_iter().find(|one| one.id() == id)
    }

    /// Appends the compressed form of `plain`.
    pub(super) fn compress(self, plain: &[u8], output: &mut BytesMut) {
        match self {
            Self::Noop => output.extend_from_slice(plain),
            Self::Snappy => match snap::raw::Encoder::new().compress_vec(plain) {
                Ok(compressed) => output.extend_from_slice(&compressed),
                // It fails above 4 GiB, which no reply reaches.
                Err(_) => output.extend_from_slice(plain),
            },
            Self::Zlib => {
                let level = flate2::Compression::default();
                let mut encoder = flate2::write::ZlibEncoder::new(output.writer(), level);
                // Memory takes all that is written to it.
                let _ = encoder.write_all(plain).and_then(|()| encoder.try_finish());
            }
            Self::Zstd => {
                use ruzstd::encoding::{CompressionLevel, compress_to_vec};
                output.extend_from_slice(&compress_to_vec(plain, CompressionLevel::Fastest));
            }
        }
    }

    /// The plain form, which must have `length` bytes; no more memory is taken, whatever `compressed` says.
    ///
    /// # Errors
    ///
    /// [`FramingError::Compression`].
    pub(super) fn decompress(
        self,
        compressed: &[u8],
        length: usize,
    ) -> Result<Vec<u8>, FramingError> {
        let plain = match self {
            Self::Noop => inflate::noop(compressed, length),
            Self::Snappy => inflate::snappy(compressed, length),
            Self::Zlib => inflate::zlib(compressed, length),
            Self::Zstd => inflate::zstd(compressed, length),
        };
        plain
            .filter(|plain| plain.len() == length)
            .ok_or(FramingError::Compression { compressor: self.name(), length })
    }
}
