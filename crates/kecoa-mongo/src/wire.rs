//! Messages as bytes: frames, sections, compression. No socket.
