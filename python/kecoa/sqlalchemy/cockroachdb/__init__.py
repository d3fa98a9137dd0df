"""CockroachDB for SQLAlchemy: the dialect `cockroachdb+kecoa`, its types, and UPSERT.

from kecoa.sqlalchemy.cockroachdb import upsert

conn.execute(upsert(accounts).values(id=1, balance=100))
"""

from kecoa.sqlalchemy.cockroachdb.dml import Upsert, upsert
from kecoa.sqlalchemy.cockroachdb.plain import share_arguments
from kecoa.sqlalchemy.cockroachdb.types import INT2, INT4, INT8, STRING, VECTOR, NamedType

__all__ = ["INT2", "INT4", "INT8", "STRING", "VECTOR", "NamedType", "Upsert", "upsert"]

share_arguments()
