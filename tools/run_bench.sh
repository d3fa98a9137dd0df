#!/bin/sh
# usage: run_bench.sh PYTHON [argument of bench/drivers.py ...]
# Run the benchmarks on the server of tools/testserver.py, with its psql: drivers, then those for asyncio.
set -eu
python=$1
shift
PATH="$(dirname "$KECOA_TEST_PSQL"):$PATH"
export PATH
"$python" bench/drivers.py --dsn "$KECOA_TEST_DSN" "$@"
# Arguments name drivers and workloads of the first; the second then has its own turn by hand.
if [ $# -eq 0 ]; then
    exec "$python" bench/asyncio_drivers.py --dsn "$KECOA_TEST_DSN"
fi
