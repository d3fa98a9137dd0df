//! How strings compare: byte by byte, or by the rules of a language.
