"""Tests of the bar that kecoa cannot pass yet, each with its reason. They are not run."""

SLOW_QUERY = "a slow query is made by $where, which is JavaScript"

LEFT_OUT: dict[str, str] = {
    "test/test_client.py::TestClient::test_interrupt_signal": SLOW_QUERY,
    "test/test_client.py::TestClient::test_socket_timeout": SLOW_QUERY,
    "test/test_pooling.py::TestPoolMaxSize::test_max_pool_size": SLOW_QUERY,
    "test/test_pooling.py::TestPoolMaxSize::test_max_pool_size_none": SLOW_QUERY,
}
