#!/bin/sh
# usage: quietly.sh MESSAGE LOG COMMAND [ARGUMENT ...]
# Say what is going on, keep the command's output in LOG, and show it only when the command fails.
set -eu
message=$1
log=$2
shift 2
mkdir -p "$(dirname "$log")"
case "${MAKEFLAGS-}" in
    # Below `make --jobs` others speak in between: two lines, each with the message.
    *jobserver*) printf '%s ...\n' "$message" >&2; again="$message: " ;;
    *) printf '%s ... ' "$message" >&2; again= ;;
esac
started=$(date +%s)
if "$@" >"$log" 2>&1; then
    printf '%sdone (%s s)\n' "$again" "$(($(date +%s) - started))" >&2
else
    status=$?
    printf '%sfailed\n\n' "$again" >&2
    cat "$log" >&2
    printf '\n%s failed; the output above is in %s\n' "$message" "$log" >&2
    exit "$status"
fi
