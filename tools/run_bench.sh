#!/bin/sh
# usage: run_bench.sh PYTHON [argument of bench/drivers.py ...]
# Run the benchmark on the server of tools/testserver.py, with its psql.
set -eu
python=$1
shift
PATH="$(dirname "$KECOA_TEST_PSQL"):$PATH"
export PATH
exec "$python" bench/drivers.py --dsn "$KECOA_TEST_DSN" "$@"
