//! Find, insert, update, delete, aggregate: the layers below put together.
