#!/usr/bin/env bash
# The benchmark, on a build directory: run.sh build/release
set -euo pipefail
exec python3 "$(dirname "$0")/bench.py" "$@"
