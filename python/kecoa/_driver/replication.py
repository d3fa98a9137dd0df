"""Replication connections and their cursors, as in psycopg2.extras; see `kecoa.extras`.

The stream itself is in the extension. Here is what writes a walsender's commands.
"""

from __future__ import annotations

from typing import Any

from kecoa._kecoa import (
    REPLICATION_LOGICAL,
    REPLICATION_PHYSICAL,
    ProgrammingError,
    ReplicationConnection as _ReplicationConnection,
    ReplicationCursor as _ReplicationCursor,
    adapt,
    quote_ident,
)


class LogicalReplicationConnection(_ReplicationConnection):
    """A connection for logical replication: what an output plugin makes of a database's log."""

    __module__ = "kecoa.extras"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "replication_type": REPLICATION_LOGICAL})


class PhysicalReplicationConnection(_ReplicationConnection):
    """A connection for physical replication: the server's write-ahead log as it is."""

    __module__ = "kecoa.extras"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "replication_type": REPLICATION_PHYSICAL})


class StopReplication(Exception):
    """To be raised by a consumer that has enough, out of `ReplicationCursor.consume_stream`.

    It is no error, and no `kecoa.Error`.
    """

    __module__ = "kecoa.extras"


def _lsn_text(lsn: int | str) -> str:
    """Return a position in the log as the server reads it: "16/B374D848", from that or its number."""
    if isinstance(lsn, str):
        high, _, low = lsn.partition("/")
        return f"{int(high, 16):X}/{int(low, 16):08X}"
    return f"{lsn >> 32 & 0xFFFFFFFF:X}/{lsn & 0xFFFFFFFF:08X}"


class ReplicationCursor(_ReplicationCursor):
    """The cursor of a replication connection."""

    __module__ = "kecoa.extras"

    def _type_of(self, slot_type: int | None) -> int:
        # Any: psycopg2 takes any connection here, too, and fails as late.
        conn: Any = self.connection
        chosen: int = conn.replication_type if slot_type is None else slot_type
        if chosen not in (REPLICATION_LOGICAL, REPLICATION_PHYSICAL):
            raise ProgrammingError(f"unrecognized replication type: {chosen!r}")
        return chosen

    def create_replication_slot(
        self, slot_name: str, slot_type: int | None = None, output_plugin: str | None = None
    ) -> None:
        """Create a slot, by which the server keeps the log until the slot's reader has confirmed it.

        A logical slot needs an output plugin, a physical one has none. The slot's type is the connection's
        unless `slot_type` says otherwise. One row describes the new slot.
        """
        command = f"CREATE_REPLICATION_SLOT {quote_ident(slot_name, self)} "
        if self._type_of(slot_type) == REPLICATION_LOGICAL:
            if output_plugin is None:
                raise ProgrammingError("output plugin name is required to create logical replication slot")
            command += f"LOGICAL {quote_ident(output_plugin, self)}"
        else:
            if output_plugin is not None:
                raise ProgrammingError(
                    "cannot specify output plugin name when creating physical replication slot"
                )
            command += "PHYSICAL"
        self.execute(command)

    def drop_replication_slot(self, slot_name: str) -> None:
        """Drop a slot that nobody reads."""
        self.execute(f"DROP_REPLICATION_SLOT {quote_ident(slot_name, self)}")

    def start_replication(
        self,
        slot_name: str | None = None,
        slot_type: int | None = None,
        start_lsn: int | str = 0,
        timeline: int = 0,
        options: dict[str, Any] | None = None,
        decode: bool = False,
        status_interval: float = 10,
    ) -> None:
        """Begin to stream, from `start_lsn` or, with 0, from where the slot's reader has confirmed.

        `options` are the output plugin's; `decode` makes payloads str by the connection's encoding. For
        `status_interval` see `start_replication_expert`.
        """
        logical = self._type_of(slot_type) == REPLICATION_LOGICAL
        if logical and not slot_name:
            raise ProgrammingError("slot name is required for logical replication")
        command = "START_REPLICATION "
        if slot_name:
            command += f"SLOT {quote_ident(slot_name, self)} "
        if logical:
            command += "LOGICAL "
        command += _lsn_text(start_lsn)
        if timeline:
            if logical:
                raise ProgrammingError("cannot specify timeline for logical replication")
            command += f" TIMELINE {timeline}"
        if options:
            if not logical:
                raise ProgrammingError("cannot specify output plugin options for physical replication")
            pairs = (f"{quote_ident(name, self)} {adapt(str(value))}" for name, value in options.items())
            command += f" ({', '.join(pairs)})"
        self.start_replication_expert(command, decode=decode, status_interval=status_interval)

    def fileno(self) -> int:
        """Return the connection's socket, so that a cursor can be given to `select`."""
        return self.connection.fileno()
