"""Imports of Rust and Python, the circles among them, and the table of who may use whom."""
