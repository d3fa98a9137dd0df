//! Starts the gateway in the background, finds it, stops it.
