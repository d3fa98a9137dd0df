"""Time zones: a fixed offset, and the platform's own zone, as in psycopg2.tz.

The driver's default `tzinfo_factory` is `datetime.timezone`; these classes are for programs that name them.
"""

from __future__ import annotations

import datetime
import time
from typing import Any, ClassVar

__all__ = ["DSTDIFF", "DSTOFFSET", "LOCAL", "STDOFFSET", "ZERO", "FixedOffsetTimezone", "LocalTimezone"]

ZERO = datetime.timedelta(0)


class FixedOffsetTimezone(datetime.tzinfo):
    """An offset east of UTC: a timedelta, or a number of minutes. Equal arguments give the same object."""

    _offset: datetime.timedelta = ZERO
    _name: str | None = None
    _cache: ClassVar[dict[tuple[Any, str | None], FixedOffsetTimezone]] = {}

    def __new__(
        cls, offset: datetime.timedelta | float | None = None, name: str | None = None
    ) -> FixedOffsetTimezone:
        """Return the object made for equal arguments before, or a new one."""
        found = cls._cache.get((offset, name))
        if found is None:
            found = cls._cache[offset, name] = super().__new__(cls)
        return found

    def __init__(self, offset: datetime.timedelta | float | None = None, name: str | None = None) -> None:
        if offset is not None:
            if not isinstance(offset, datetime.timedelta):
                offset = datetime.timedelta(minutes=offset)
            self._offset = offset
        if name is not None:
            self._name = name

    def __repr__(self) -> str:
        # psycopg2's own words: programs and tests compare them.
        return f"psycopg2.tz.FixedOffsetTimezone(offset={self._offset!r}, name={self._name!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FixedOffsetTimezone):
            return NotImplemented
        return self._offset == other._offset

    def __hash__(self) -> int:
        return hash(self._offset)

    def __getinitargs__(self) -> tuple[datetime.timedelta, str | None]:
        """Return what datetime.tzinfo's pickling passes to the constructor."""
        return self._offset, self._name

    def utcoffset(self, dt: datetime.datetime | None) -> datetime.timedelta:
        """Return the offset east of UTC."""
        return self._offset

    def tzname(self, dt: datetime.datetime | None) -> str:
        """Return the given name, else the offset as `+HH[:MM[:SS]]`."""
        if self._name is not None:
            return self._name
        # divmod, as in psycopg2: an offset of -00:30 is named "-01:30".
        minutes, seconds = divmod(self._offset.total_seconds(), 60)
        hours, minutes = divmod(minutes, 60)
        name = f"{hours:+03.0f}"
        if minutes or seconds:
            name += f":{minutes:02.0f}"
            if seconds:
                name += f":{int(seconds):02d}"
        return name

    def dst(self, dt: datetime.datetime | None) -> datetime.timedelta:
        """Return zero: a fixed offset knows no summer time."""
        return ZERO


STDOFFSET = datetime.timedelta(seconds=-time.timezone)
DSTOFFSET = datetime.timedelta(seconds=-time.altzone) if time.daylight else STDOFFSET
DSTDIFF = DSTOFFSET - STDOFFSET


class LocalTimezone(datetime.tzinfo):
    """The platform's idea of local time, summer time included."""

    def _isdst(self, dt: datetime.datetime | None) -> bool:
        if dt is None:
            return False
        fields = (dt.year, dt.month, dt.day, dt.hour, dt.minute, dt.second, dt.weekday(), 0, -1)
        return time.localtime(time.mktime(fields)).tm_isdst > 0

    def utcoffset(self, dt: datetime.datetime | None) -> datetime.timedelta:
        """Return the offset east of UTC that holds at `dt`."""
        return DSTOFFSET if self._isdst(dt) else STDOFFSET

    def dst(self, dt: datetime.datetime | None) -> datetime.timedelta:
        """Return how far summer time moves the clock at `dt`."""
        return DSTDIFF if self._isdst(dt) else ZERO

    def tzname(self, dt: datetime.datetime | None) -> str:
        """Return the platform's name of the zone at `dt`."""
        return time.tzname[self._isdst(dt)]


LOCAL = LocalTimezone()
