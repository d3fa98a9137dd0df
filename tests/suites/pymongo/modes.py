"""Which modules run without and with authentication, and which in one of these modes only.

The gateway checks who may run a command before the command begins, and can't tell PyMongo's synchronous half
from the asynchronous one. So modules that take long, and those that are about the client, run once a half instead
of twice: every test still runs in both modes, in one half each. Whatever looks at logging in or at permissions,
and the rest of the commands, runs in all four ways.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.suites import SuiteError

_FAIL_POINTS = (
    "fail points and waiting, a session at a time: set by commands, kept by the gateway, not by users"
)
_COMMANDS = "what commands give, which knows no user once the command has begun"
_CLIENT = "what the client does by itself or with single values; a module takes longer to start than to run"
_LOGIN = "its tests of logging in run in both halves with authentication"

# Without authentication the synchronous half, with it the asynchronous one.
EITHER: dict[str, str] = {
    **dict.fromkeys(
        [
            *(
                "test_csot.py",
                "test_client_bulk_write.py",
                "test_retryable_reads.py",
                "test_retryable_writes.py",
            ),
            *("test_client_backpressure.py", "test_transactions_unified.py", "test_transactions.py"),
        ],
        _FAIL_POINTS,
    ),
    **dict.fromkeys(
        [
            *("test_crud_unified.py", "test_grid_file.py", "test_gridfs.py", "test_gridfs_bucket.py"),
            *("test_gridfs_spec.py", "test_change_stream.py", "test_collection.py", "test_cursor.py"),
            *("test_read_write_concern_spec.py", "test_versioned_api_integration.py"),
        ],
        _COMMANDS,
    ),
    **dict.fromkeys(
        [
            *("test_load_balancer.py", "test_mongos_load_balancing.py", "test_max_staleness.py"),
            *("test_server_selection_in_window.py", "test_server_selection_logging.py", "test_monitor.py"),
            *("test_sdam_monitoring_spec.py", "test_heartbeat_monitoring.py", "test_streaming_protocol.py"),
            *("test_create_entities.py", "test_json_util_integration.py", "test_raw_bson.py"),
            *("test_custom_types.py", "test_read_preferences.py", "test_read_concern.py", "test_examples.py"),
            *("test_common.py", "test_collation.py", "test_comment.py", "test_causal_consistency.py"),
            "test_operation_id_retry.py",
        ],
        _CLIENT,
    ),
}

# Without authentication the synchronous half only.
SYNCHRONOUS_WITHOUT: dict[str, str] = dict.fromkeys(
    ["test_retryable_reads_unified.py", "test_retryable_writes_unified.py"], _LOGIN
)


def runs(module: str, *, authentication: bool) -> bool:
    """Whether a module, `test_x.py` or `asynchronous/test_x.py`, runs in this mode."""
    folder, _, name = module.rpartition("/")
    if name in EITHER:
        return bool(folder) == authentication
    if name in SYNCHRONOUS_WITHOUT:
        return authentication or not folder
    return True


def check(modules: Mapping[str, Mapping[str, object]]) -> None:
    """SuiteError where a table names a module that is not in both halves, or has tests of one mode only.

    `modules` has by module what of its tests runs when: "always", "with authentication".
    """
    for name in (*EITHER, *SYNCHRONOUS_WITHOUT):
        for module in (name, f"asynchronous/{name}"):
            if module not in modules:
                raise SuiteError(f"expected the module {module} of modes.py among those that run, found none")
            if name in EITHER and modules[module].keys() != {"always"}:
                raise SuiteError(f"expected no test of {module} to need a mode, found {[*modules[module]]}")
