//! Sessions: numbers of transactions, what they have come to, cursors, clocks.
