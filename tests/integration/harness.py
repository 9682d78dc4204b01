"""Real processes for integration tests: a sandbox, a proxy with a configuration
and a journal of its own, and what is needed to audit them.

Nothing here sleeps to wait for something: it polls a condition against a
deadline and says what it was waiting for when that passes.
"""
import base64
import http.client
import json
import os
import random
import re
import selectors
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import contract
from audit import audit  # noqa: F401  (part of what tests import from here)

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("TURNOUT", str(ROOT / "build/release/turnout"))
SLOW = float(os.environ.get("TURNOUT_TEST_PATIENCE", "1"))  # sanitizers make everything slower

VISA = "4242424242424242"
DECLINED_FUNDS = "4000000000009995"
# Addresses of the sandbox and of the admin listener; all others are the merchant API's.
OTHER_LISTENERS = ("/_", "/health", "/metrics", "/admin", "/-/")


def wait_until(what, condition, seconds=30.0):
    """Polls `condition` until it is truthy and returns its value."""
    end = time.monotonic() + seconds * SLOW
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds * SLOW:.0f} s in vain: {what}")
        time.sleep(0.01)


class Process:
    """A child process whose output is read as lines by a thread of its own."""

    def __init__(self, arguments, environment=None, cwd=None):
        self.lines = []
        self._more = threading.Condition()
        self.child = subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            env={**os.environ, **(environment or {})}, cwd=cwd)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.child.stdout:
            with self._more:
                self.lines.append(line.rstrip("\n"))
                self._more.notify_all()
        with self._more:
            self._more.notify_all()

    def line_matching(self, pattern, seconds=30.0):
        """Waits for an output line that matches and returns the match."""
        seen = 0
        end = time.monotonic() + seconds * SLOW
        with self._more:
            while True:
                for line in self.lines[seen:]:
                    found = re.search(pattern, line)
                    if found:
                        return found
                seen = len(self.lines)
                if self.child.poll() is not None and not self._reader.is_alive():
                    raise AssertionError(f"process ended with {self.child.returncode}:\n" + self.output())
                if time.monotonic() > end:
                    raise AssertionError(f"no line matches {pattern!r}:\n" + self.output())
                self._more.wait(0.05)

    def output(self):
        return "\n".join(self.lines[-60:])

    def kill(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGKILL)
        self.child.wait()
        self._finish()

    def _finish(self):
        self._reader.join()
        self.child.stdout.close()

    def terminate(self, seconds=30.0):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        code = self.child.wait(timeout=seconds * SLOW)
        self._finish()
        return code


class Http:
    """One keep-alive connection; reconnects when the server closed it."""

    def __init__(self, port, timeout=40.0, tls=None):
        self.port = port
        self.tls = tls  # an ssl.SSLContext; without it plain HTTP
        self.timeout = timeout
        self._connection = None

    def request(self, method, path, body=None, headers=None):
        payload = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        fields = dict(headers or {})
        if payload is not None:
            fields.setdefault("Content-Type", "application/json")
        if self._connection is None:
            limit = self.timeout * SLOW
            self._connection = (
                http.client.HTTPSConnection("127.0.0.1", self.port, timeout=limit, context=self.tls) if self.tls
                else http.client.HTTPConnection("127.0.0.1", self.port, timeout=limit))
        try:
            self._connection.request(method, path, payload, fields)
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        if answer.getheader("Connection", "").lower() == "close":
            self.close()
        headers = {k.lower(): v for k, v in answer.getheaders()}
        if not path.startswith(OTHER_LISTENERS):
            contract.check(method, path, answer.status, headers, text)
        return Answer(answer.status, headers, text)

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text

    @property
    def json(self):
        return json.loads(self.text)

    def __repr__(self):
        return f"<{self.status} {self.text[:400]!r}>"


class Sandbox:
    def __init__(self, directory, port=0):
        """Port 0: free ports, others after each start. See port_block() for one that is killed and started again."""
        self.ledger_file = Path(directory) / "ledger.jsonl"
        self.wanted_port = port
        self.controls = {}
        self.start()

    def start(self):
        self.process = Process([BINARY, "sandbox", "--port", str(self.wanted_port), "--ledger", str(self.ledger_file),
                                "--seed", "7"])
        self.port = int(self.process.line_matching(r"^sandbox\s+http://127\.0\.0\.1:(\d+)").group(1))
        self.http = Http(self.port)
        self.urls = {each["name"]: each["url"] for each in self.http.request("GET", "/_gateways").json["gateways"]}
        for gateway, settings in self.controls.items():  # it forgot them
            self.http.request("PUT", f"/_control/{gateway}", settings)

    def kill(self):
        self.http.close()
        self.process.kill()

    def control(self, gateway, **settings):
        answer = self.http.request("PUT", f"/_control/{gateway}", settings)
        assert answer.status == 200, answer
        known = self.controls.setdefault(gateway, {})
        for name, value in settings.items():
            known[name] = {**known.get(name, {}), **value} if name.endswith("faults") else value

    def calm(self):
        """No faults, no outage, no latency."""
        for gateway in self.urls:
            self.control(gateway, approval_rate=1.0, latency_ms=0, outage="none", inquiry_lag_ms=0, charge_delay_ms=0,
                         faults={"charge_then_drop": 0, "charge_then_stall": 0, "error_after_charge": 0,
                                 "drop_before_charge": 0, "rate_limited": 0, "wrong_amount": 0},
                         modification_faults={"apply_then_drop": 0, "apply_then_stall": 0, "error_after_apply": 0,
                                              "drop_before_apply": 0, "rate_limited": 0})

    def operations(self):
        return self.http.request("GET", "/_ledger").json["operations"]


class Proxy:
    """`turnout serve` with a directory of its own; can be killed and started again."""

    def __init__(self, directory, sandbox, replace=(), policies=None, workers=2):
        self.directory = Path(directory)
        self.conf = self.directory / "conf"
        self.environment = {}
        if sandbox is not None:
            for name, url in sandbox.urls.items():
                self.environment[f"{name.upper()}_URL"] = url
        shutil.copytree(ROOT / "conf", self.conf)
        self.edit("turnout.yaml", r'port: "\$\{TURNOUT_PORT:-8080\}"', "port: 0")
        self.edit("turnout.yaml", r'port: "\$\{TURNOUT_ADMIN_PORT:-8081\}"', "port: 0")
        self.edit("turnout.yaml", r"workers: 0", f"workers: {workers}")
        for file, pattern, text in replace:
            self.edit(file, pattern, text)
        if policies is not None:
            for old in (self.conf / "policies").glob("*.yaml"):
                old.unlink()
            (self.conf / "policies" / "test.yaml").write_text(policies)
        self.journal = self.directory / "var" / "journal.db"
        self.keys = self.directory / "var" / "keys"
        self.process = None
        self.outputs = []
        self.journal_damaged = False  # by the test itself
        self.admin_tls = None  # what clients of the admin listener trust, if it speaks TLS

    def edit(self, file, pattern, text):
        for path in self.conf.glob(file):
            before = path.read_text()
            after, count = re.subn(pattern, text, before)
            assert count, f"{path}: nothing matches {pattern!r}"
            path.write_text(after)

    def run(self, *arguments):
        return subprocess.run([BINARY, *arguments], capture_output=True, text=True,
                              env={**os.environ, **self.environment}, timeout=60 * SLOW)

    def make_key(self, merchant="demo"):
        made = self.run("keys", "create", "--conf", str(self.conf), "--merchant", merchant, "--mode", "test")
        assert made.returncode == 0, made
        return re.search(r"ak_\w+:sk_\w+", made.stdout).group(0)

    def start(self, prefix=()):
        self.spawn(prefix)
        return self.wait_ready()

    def spawn(self, prefix=()):
        self.process = Process([*prefix, BINARY, "serve", "--conf", str(self.conf)], self.environment)

    def wait_ready(self):
        ready = self.process.line_matching(READY)
        self.port, self.admin_port = int(ready.group(1)), int(ready.group(2))
        admin = Http(self.admin_port, tls=self.admin_tls)
        wait_until("the proxy to be ready", lambda: admin.request("GET", "/health/ready").status == 200)
        admin.close()
        return self

    def kill(self):
        self.process.kill()
        self.outputs.append("\n".join(self.process.lines))

    def stop(self):
        if self.process is None:
            return None
        code = self.process.terminate()
        self.outputs.append("\n".join(self.process.lines))
        self.process = None
        return code

    def database(self):
        return sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True)

    def payments(self):
        """Every payment record of the journal, by id."""
        with self.database() as file:
            return {row[0]: {"seq": row[3], "status": row[1], **json.loads(row[2])}
                    for row in file.execute("SELECT id, status, record, seq FROM payments")}

    def verify(self):
        """The journal is whole, running or not."""
        made = self.run("verify", "--conf", str(self.conf))
        assert made.returncode == 0, made.stdout + made.stderr

    def open_payments(self):
        with self.database() as file:
            return file.execute("SELECT count(*) FROM payments WHERE open = 1").fetchone()[0]

    def settle(self, seconds=90.0):
        """Waits until no payment is left open."""
        wait_until("every payment to be settled", lambda: self.open_payments() == 0, seconds)


# The line on stdout that says where the proxy listens.
READY = r"^turnout \S+ ready: payments on https?://127\.0\.0\.1:(\d+), admin on https?://127\.0\.0\.1:(\d+)"


def bearer(key):
    return {"Authorization": "Bearer " + key}


def basic(key):
    return {"Authorization": "Basic " + base64.b64encode(key.encode()).decode()}


def card(number=VISA, **changes):
    made = {"number": number, "exp_month": 12, "exp_year": 2039, "cvc": "987", "holder": "A. Buyer"}
    made.update(changes)
    return {"type": "card", "card": made}


def payment(amount=1250, currency="EUR", **changes):
    made = {"amount": amount, "currency": currency, "payment_method": card()}
    made.update(changes)
    return made


claimed_ports = []  # sockets that nobody connects to


def port_block():
    """The first of five free ports in a row, apart from those that the system gives to who asks for any.

    A sixth, before them, is held for as long as this program runs: other tests leave the block alone.
    """
    while True:
        first = random.randrange(10000, 32000, 6)
        claim = socket.socket()
        try:
            claim.bind(("127.0.0.1", first))
            for port in range(first + 1, first + 6):
                with socket.socket() as free:
                    free.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        claimed_ports.append(claim)
        return first + 1


class Workplace:
    """A temporary directory with a sandbox and a proxy; ends what it started."""

    def __init__(self, sandbox_port=0, proxy_class=Proxy, **proxy_options):
        self.directory = tempfile.mkdtemp(prefix="turnout-test-")
        self.sandbox = Sandbox(self.directory, sandbox_port)
        self.proxy = proxy_class(self.directory, self.sandbox, **proxy_options)

    def directory_files(self):
        """Everything the proxy and the sandbox have written."""
        return [each for each in Path(self.directory).rglob("*") if each.is_file()]

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if value is not None and self.proxy.process is not None:
            print("---- the proxy's last lines\n" + self.proxy.process.output())
        if self.proxy.process is not None:
            self.proxy.process.kill()
        self.sandbox.kill()
        # Whatever a test did, and however the proxy ended: its journal is whole.
        if value is None and self.proxy.journal.exists() and not self.proxy.journal_damaged:
            self.proxy.verify()
        shutil.rmtree(self.directory, ignore_errors=True)
