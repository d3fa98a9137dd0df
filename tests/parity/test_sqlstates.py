"""The classes and names of SQLSTATEs, beside psycopg2's."""

from __future__ import annotations

import pytest

import kecoa
import kecoa.extensions
import kecoa.extras
import kecoa.sql


def test_every_sqlstate_has_psycopg2s_class():
    from psycopg2 import errorcodes as their_codes, errors as their_errors
    from psycopg2._psycopg import sqlstate_errors as theirs

    from kecoa import errorcodes, errors
    from kecoa._kecoa import sqlstate_errors as ours

    for code, their in theirs.items():
        own = ours[code]
        assert [c.__name__ for c in own.__mro__] == [c.__name__ for c in their.__mro__], code
        assert getattr(errors, their.__name__) is own
        assert errors.lookup(code) is own
        assert getattr(their_errors, their.__name__) is their
    for name, value in vars(their_codes).items():
        if name.isupper():
            assert getattr(errorcodes, name) == value
            assert errorcodes.lookup(value) == their_codes.lookup(value)
    with pytest.raises(KeyError):
        errors.lookup("nope")
    with pytest.raises(KeyError):
        errorcodes.lookup("nope")


def test_cockroachdbs_own_sqlstates():
    from kecoa import errorcodes, errors

    assert issubclass(errors.lookup("58C00"), kecoa.OperationalError)
    assert errors.TransactionCommittedWithSchemaChangeFailure is errors.lookup("XXA00")
    assert errorcodes.TRANSACTION_COMMITTED_WITH_SCHEMA_CHANGE_FAILURE == "XXA00"
