//! Which ranges of which index a filter and a sort need.
