"""The documentation's blocks are run, and what they print is what the pages show; docs/README.md has the rules."""
