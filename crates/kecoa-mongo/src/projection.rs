//! What a result shows of a document.
