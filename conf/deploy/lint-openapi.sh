#!/usr/bin/env bash
# Two linters over the API's description, with their recommended rules: not one
# warning. They come from npm, which keeps them. 77: npm or its registry is not here.
set -uo pipefail
cd "$(dirname "$0")/../.."
document=proxy/api/openapi.json
redocly=@redocly/cli@1.34.5
spectral=@stoplight/spectral-cli@6.15.0

run() {  # package, command, arguments
  local package="$1"
  shift
  REDOCLY_TELEMETRY=off npm exec --yes --prefer-offline --loglevel=error --package="$package" -- "$@"
}

command -v npm >/dev/null || { echo "skipped: npm is not installed"; exit 77; }
for each in "$redocly redocly" "$spectral spectral"; do
  # shellcheck disable=SC2086
  if ! run $each --version >/dev/null 2>&1; then
    echo "skipped: npm could not get ${each% *}"
    exit 77
  fi
done

# Redocly's exit code does not count warnings.
told="$(run "$redocly" redocly lint --extends=recommended --format=json "$document" 2>/dev/null)"
failed=$?
case "$told" in
  *'"errors": 0'*'"warnings": 0'* | *'"warnings": 0'*'"errors": 0'*) echo "redocly: no error, no warning" ;;
  *) run "$redocly" redocly lint --extends=recommended "$document"; failed=1 ;;
esac
run "$spectral" spectral lint --ruleset tests/openapi-ruleset.yaml --fail-severity=hint "$document" || failed=1
exit $failed
