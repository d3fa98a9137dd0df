#!/bin/sh
# usage: run_bench.sh PYTHON [argument of bench/drivers.py ...]
# Run the benchmarks on the server of tools/testserver.py, with its psql: drivers, those for asyncio, rows one by
# one, Arrow's tables, one row on many threads, what the local endpoint adds, SQLAlchemy on several, documents with
# PyMongo, and the Rust clients beside others, on one thread and on two.
set -eu
python=$1
shift
PATH="$(dirname "$KECOA_TEST_PSQL"):$PATH"
export PATH
"$python" bench/drivers.py --dsn "$KECOA_TEST_DSN" "$@"
# Arguments name drivers and workloads of the first; the others then have their own turn by hand.
if [ $# -eq 0 ]; then
    "$python" bench/asyncio_drivers.py --dsn "$KECOA_TEST_DSN"
    "$python" bench/rows.py --dsn "$KECOA_TEST_DSN"
    "$python" bench/arrow.py --dsn "$KECOA_TEST_DSN"
    "$python" bench/threads.py --dsn "$KECOA_TEST_DSN"
    "$python" bench/endpoint.py
    "$python" bench/sqlalchemy_drivers.py --dsn "$KECOA_TEST_DSN"
    "$python" bench/mongo/pymongo_drivers.py --dsn "$KECOA_TEST_DSN"
    cargo run --quiet --release --manifest-path bench/rust/Cargo.toml
    cargo run --quiet --release --manifest-path bench/rust/Cargo.toml -- --only point --threads 2
fi
