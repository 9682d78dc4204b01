#!/usr/bin/env bash
# Installs what Turnout needs to build, run and test on Debian 12.
# Idempotent: asks apt for nothing when everything is there already.
#   install-packages.sh          what `make run` needs
#   install-packages.sh --test   also what `make test`, `make lint` and `make bench` need
set -euo pipefail

build=(g++ cmake ninja-build ccache make git pkg-config ca-certificates
       libboost1.81-dev libboost-json1.81-dev libssl-dev libyaml-cpp-dev
       libsqlite3-dev zlib1g-dev prometheus-cpp-dev libspdlog-dev libfmt-dev
       libcli11-dev libmimalloc-dev curl)
test=(catch2 clang clang-format clang-tidy libclang-rt-14-dev python3 python3-jsonschema strace faketime wrk
      nginx-light)
# For linting the API's description and for its page in a browser; Node may be
# here from elsewhere already, and its packages do not go together with Debian's.
command -v npm >/dev/null || test+=(npm)

wanted=("${build[@]}")
[ "${1:-}" = --test ] && wanted+=("${test[@]}")

missing=()
for package in "${wanted[@]}"; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "installing: ${missing[*]}"
if [ "$(id -u)" = 0 ]; then as_root=(); else as_root=(sudo); fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
# nginx is only a peer for the benchmark: it must not start by itself.
"${as_root[@]}" env RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
