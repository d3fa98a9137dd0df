"""A plugin of pytest: the dialect postgresql+kecoa goes by psycopg2's name where SQLAlchemy's tests look at it.

Nothing else is changed: it is the dialect's class that users get, and the module that it loads is kecoa.
"""

from kecoa.sqlalchemy.postgresql import PGDialect_kecoa

PGDialect_kecoa.driver = "psycopg2"
