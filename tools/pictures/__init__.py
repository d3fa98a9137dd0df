"""The pictures of the documentation: a small drawing library, and a function for each picture."""
