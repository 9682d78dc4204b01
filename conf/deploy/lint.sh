#!/usr/bin/env bash
# Formatting, clang-tidy and the rules of the house, over our own files.
#   lint.sh BUILD_DIR     a configured build directory, for compile_commands.json
set -uo pipefail
cd "$(dirname "$0")/../.."
build="${1:?usage: lint.sh BUILD_DIR}"
rooms=(payments settings policies routing connectors net proxy sandbox tests)
[ -d currency ] && rooms+=(currency)
failed=0

echo "clang-format"
find "${rooms[@]}" -name '*.[ch]pp' -print0 | xargs -0 clang-format --dry-run -Werror --ferror-limit=3 || failed=1

echo "clang-tidy"
# g++'s own warning options are unknown to clang, and harmless.
find "${rooms[@]}" -name '*.cpp' ! -path 'tests/*' -print0 |
  xargs -0 -n 1 -P "$(nproc)" clang-tidy --quiet -p "$build" --extra-arg=-Wno-unknown-warning-option || failed=1

echo "the rules of the house"
python3 tests/unit/house_test.py . || failed=1

echo "the API's description"
conf/deploy/lint-openapi.sh || { [ $? = 77 ] || failed=1; }

exit $failed
