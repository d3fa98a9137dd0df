"""Tests of the bar that kecoa cannot pass yet, each with its reason."""

SLOW_QUERY = "a slow query is made by $where, which is JavaScript"
CHANGE_STREAM = "opens a change stream"

# Not run: one of them sends itself a signal that ends another test, when its own query fails at once.
LEFT_OUT: dict[str, str] = dict.fromkeys(
    [
        "test/test_client.py::TestClient::test_interrupt_signal",
        "test/test_client.py::TestClient::test_socket_timeout",
        "test/test_pooling.py::TestPoolMaxSize::test_max_pool_size",
        "test/test_pooling.py::TestPoolMaxSize::test_max_pool_size_none",
        "test/test_auth.py::TestSCRAM::test_scram_threaded",
        "test/asynchronous/test_client.py::TestClient::test_socket_timeout",
        "test/asynchronous/test_pooling.py::TestPoolMaxSize::test_max_pool_size",
        "test/asynchronous/test_pooling.py::TestPoolMaxSize::test_max_pool_size_none",
    ],
    SLOW_QUERY,
)

# Run, and printed when they fall short; by hand they count as short.
LATER: dict[str, str] = {
    f"test/{folder}{test}": CHANGE_STREAM
    for folder in ("", "asynchronous/")
    for test in (
        *(
            "test_client_backpressure.py::TestClientBackpressureBackpressureRetryLoop::"
            f"test_{of}_createChangeStream_retries_using_operation_loop"
            for of in ("client", "database", "collection")
        ),
        "test_csot.py::TestCSOT::test_change_stream_can_resume_after_timeouts",
    )
}
