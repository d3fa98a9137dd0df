"""A plugin of pytest: the dialect postgresql+kecoa goes by psycopg2's name where SQLAlchemy's tests look at it.

It merges values into statements as psycopg2 does, which those tests look at: ?binding=client, by default. Nothing
else is changed: it is the dialect's class that users get, and the module that it loads is kecoa.
"""

from kecoa.sqlalchemy.postgresql import PGDialect_kecoa

PGDialect_kecoa.driver = "psycopg2"
PGDialect_kecoa.default_binding = "client"
