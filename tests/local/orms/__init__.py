"""Programs that tests/local/test_orms.py runs: each stops at the first thing that is not as on CockroachDB."""
