//! Filters and sorts: which documents, in which order.
