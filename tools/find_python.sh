#!/bin/sh
# Print a Python of 3.10 or newer that can make virtual environments; 3.11 or newer where there is one.
set -eu
for least in 11 10; do
    for candidate in "${KECOA_BUILD_PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
        [ -n "$candidate" ] || continue
        # A name on PATH may be a shim that runs nothing: ask it.
        found=$("$candidate" -c "
import sys
import ensurepip, venv
print(sys.executable if sys.version_info >= (3, $least) else '')
" 2>/dev/null) || continue
        if [ -n "$found" ]; then
            printf '%s\n' "$found"
            exit 0
        fi
    done
done
echo "expected Python 3.10 or newer with pip and venv, found none; install one, or name it in KECOA_BUILD_PYTHON" >&2
exit 1
