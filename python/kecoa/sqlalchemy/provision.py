"""What SQLAlchemy's test plugin does to a database before and after tests: PostgreSQL's rules.

SQLAlchemy imports the module `provision` beside a dialect. Only tests use it.
"""

from __future__ import annotations

# The rules are registered by being imported.
import sqlalchemy.dialects.postgresql.provision  # noqa: F401
