"""The MongoDB gateway, with the real PyMongo."""
