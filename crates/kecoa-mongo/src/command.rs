//! A file a command: arguments in, a reply out.
