#!/usr/bin/env bash
# What `make run` starts: simulated gateways and the proxy in front of them,
# with a test key and commands to paste. Ctrl-C ends both.
#   PORT, ADMIN_PORT, SANDBOX_PORT choose the ports (8080, 8081, 9100).
set -euo pipefail
cd "$(dirname "$0")/../.."

PORT="${PORT:-8080}" ADMIN_PORT="${ADMIN_PORT:-8081}" SANDBOX_PORT="${SANDBOX_PORT:-9100}"
turnout="${TURNOUT:-build/release/turnout}"
log=var/demo.log
ledger=var/sandbox-ledger.jsonl
key_file=var/demo.key

export TURNOUT_PORT="$PORT" TURNOUT_ADMIN_PORT="$ADMIN_PORT"
export ALPHA_URL="http://127.0.0.1:$((SANDBOX_PORT + 1))"
export BETA_URL="http://127.0.0.1:$((SANDBOX_PORT + 2))"
export GAMMA_URL="http://127.0.0.1:$((SANDBOX_PORT + 3))"
export DELTA_URL="http://127.0.0.1:$((SANDBOX_PORT + 4))"

umask 077
mkdir -p var
: >"$log"
pipes="$(mktemp -d)"
proxy='' sandbox=''

# The proxy first, so that payments in flight still find their gateway.
stop() {
  trap '' INT TERM HUP
  local pid
  for pid in $proxy $sandbox; do
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$pipes"
}
trap stop EXIT
trap 'echo; echo "stopping …"; exit 0' INT TERM HUP

fail() {
  echo >&2
  cat "$log" >&2
  echo >&2
  echo "$1" >&2
  if grep -qi 'address already in use' "$log"; then
    echo "A port is taken. Choose others, for example:" >&2
    echo "  make run PORT=8090 ADMIN_PORT=8091 SANDBOX_PORT=9200" >&2
  fi
  exit 1
}

# With job control each child is in its own process group: Ctrl-C reaches this
# script only, and it ends them in the right order.
set -m
mkfifo "$pipes/sandbox" "$pipes/proxy"

"$turnout" sandbox --port "$SANDBOX_PORT" --ledger "$ledger" >"$pipes/sandbox" 2>>"$log" &
sandbox=$!
exec 3<"$pipes/sandbox"
# Its first line says that it listens; no line means that it has ended.
read -r _ <&3 || fail "The sandbox did not start (SANDBOX_PORT is $SANDBOX_PORT; it takes this port and the next four)."

# The key of the last run is used again as long as it is good.
if ! [ -s "$key_file" ] || ! "$turnout" keys list --conf conf | grep -v revoked | grep -q "^$(cut -d: -f1 "$key_file") "; then
  "$turnout" keys create --conf conf --merchant demo --mode test >"$key_file" 2>>"$log" || fail "The test key could not be made."
fi
key="$(cat "$key_file")"

"$turnout" serve --conf conf >"$pipes/proxy" 2>>"$log" &
proxy=$!
exec 4<"$pipes/proxy"
read -r _ <&4 || fail "The proxy did not start (PORT is $PORT, ADMIN_PORT is $ADMIN_PORT)."
curl -fsS --retry 20 --retry-connrefused --retry-delay 1 -o /dev/null "http://127.0.0.1:$ADMIN_PORT/health/ready" ||
  fail "The proxy is not ready."

pay() {  # card number, order
  printf "  curl -sw '\\\\n' -u '%s' http://127.0.0.1:%s/v1/payments --json '%s'\n" "$key" "$PORT" \
    "{\"amount\":1250,\"currency\":\"EUR\",\"reference\":\"$2\",\"payment_method\":{\"type\":\"card\",\"card\":{\"number\":\"$1\",\"exp_month\":12,\"exp_year\":2030,\"cvc\":\"123\"}}}"
}
control() {
  printf "  curl -sw '\\\\n' -X PUT http://127.0.0.1:%s/_control/%s --json '%s'\n" "$SANDBOX_PORT" "$1" "$2"
}

cat <<END

Turnout takes payments at   http://127.0.0.1:$PORT
the API, described          http://127.0.0.1:$PORT/docs   …/openapi.json
administration and metrics  http://127.0.0.1:$ADMIN_PORT/metrics   …/admin/connectors   …/health/ready
simulated gateways          http://127.0.0.1:$SANDBOX_PORT/_ledger   …/_gateways   …/_control/alpha
test key of merchant demo   $key
binary, configuration       $turnout, conf/
journal, ledger, log        var/journal.db, $ledger, $log

Paste these into another terminal.

A payment that succeeds:
$(pay 4242424242424242 order-1001)

One that the bank declines (insufficient funds):
$(pay 4000000000009995 order-1002)

A failover: switch off the cheapest gateway, pay, and look at "attempts"; then switch it on again:
$(control gamma '{"outage":"refuse"}')
$(pay 4242424242424242 order-1003)
$(control gamma '{"outage":"none"}')

Ctrl-C stops everything; the journal stays in var/.
END

wait -n "$proxy" "$sandbox" || true
kill -0 "$sandbox" 2>/dev/null || sandbox_ended=yes
tail -n 20 "$log" >&2
if [ "${sandbox_ended:-}" = yes ]; then echo "The sandbox has ended." >&2; else echo "The proxy has ended." >&2; fi
exit 1
