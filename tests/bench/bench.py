#!/usr/bin/env python3
"""Speed of the proxy, compared with nginx and a bare Beast proxy in the same run.

  bench.py BUILD_DIR      takes about two minutes; ends everything it started

All peers stand before the same backend, gateway alpha of `turnout sandbox` on
one thread, without latency; each has one worker thread. What is measured and
how to read it: docs/performance.md. Nothing here fails because of a slow
machine; it fails when an answer is wrong or the counts do not agree.
"""
import contextlib
import ctypes
import json
import os
import re
import resource
import shutil
import signal
import socket
import sqlite3
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

CONNECTIONS = 64
ROUNDS = 3
ROUND_SECONDS = 4
WARM_UP_SECONDS = 1
PACED_RATE = 1000
PACED_SECONDS = 4
COUNTED_SECONDS = 2
GOALS = {"nginx": 0.20, "bare": 0.35, "added_p99_ms": 10.0}

NUMBER = "#########"
PEERS = ("direct", "nginx", "bare", "turnout")
TITLES = {"direct": "backend, no proxy", "nginx": "nginx", "bare": "bare Beast proxy", "turnout": "turnout"}


class Failed(Exception):
    """A wrong answer, or a program that is missing or did not start."""


# ---- processes -----------------------------------------------------------------

def die_with_parent():
    """A killed benchmark leaves nothing behind."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


class Server:
    """A child that prints where it listens; its other output goes to a file."""

    def __init__(self, name, arguments, log, ready=None, environment=None):
        self.name, self.log = name, log
        with open(log, "ab") as errors:
            self.child = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=errors, text=True,
                                          env={**os.environ, **(environment or {})}, preexec_fn=die_with_parent)
        self.pid = self.child.pid
        try:
            self.ready = self._wait_for(ready) if ready else None
        except BaseException:
            self.stop()
            raise

    def _wait_for(self, pattern):
        for line in self.child.stdout:
            found = re.search(pattern, line)
            if found:
                return found
        raise Failed(f"{self.name} did not start:\n{Path(self.log).read_text(errors='replace')[-2000:]}")

    def stop(self):
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        self.child.stdout.close()

    def processor_seconds(self):
        """By thread name, to the nanosecond where the kernel tells."""
        spent = {}
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            with contextlib.suppress(OSError, ValueError, IndexError):
                name = (task / "comm").read_text().strip()
                spent[name] = spent.get(name, 0) + int((task / "schedstat").read_text().split()[0]) / 1e9
        return spent

    def memory_mib(self):
        text = Path(f"/proc/{self.pid}/status").read_text()
        return {key: int(re.search(rf"{key}:\s+(\d+) kB", text).group(1)) / 1024 for key in ("VmRSS", "VmHWM")}


def busy_seconds():
    """Of all processors together, whoever used them."""
    user, nice, system, _idle, _iowait, irq, softirq, *_ = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def http(method, url, document=None):
    body = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


# ---- the peers -----------------------------------------------------------------

class Backend(Server):
    def __init__(self, binary, directory):
        super().__init__("the sandbox", [binary, "sandbox", "--port", "0", "--seed", "1"], directory / "sandbox.log",
                         r"^sandbox\s+(http://127\.0\.0\.1:\d+)")
        self.url = self.ready.group(1)
        gateways = json.loads(http("GET", self.url + "/_gateways"))["gateways"]
        self.alpha = next(each["url"] for each in gateways if each["name"] == "alpha")
        self.port = int(self.alpha.rsplit(":", 1)[1])

    def begin(self):
        """Empty books, so that every round finds the same backend."""
        http("POST", self.url + "/_reset")
        http("PUT", self.url + "/_control/alpha", {"latency_ms": 0, "latency_sigma": 0, "approval_rate": 1})

    def charges(self):
        """Counted as text: there may be several hundred thousand."""
        ledger = http("GET", self.url + "/_ledger")
        every, approved = ledger.count(b'"seq":'), len(re.findall(rb'"result":\s*"approved"', ledger))
        if approved != every or re.search(rb'"replayed":\s*true', ledger):
            raise Failed(f"the backend performed {every} operations, {approved} of them approved charges")
        return every


def start_nginx(directory, backend):
    port = free_port()
    home = directory / "nginx"
    home.mkdir()
    temporary = "".join(f"{kind}_temp_path {home}/{kind};\n" for kind in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (home / "nginx.conf").write_text(f"""
daemon off; master_process off; pid {home}/pid; error_log {home}/error.log warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  {temporary}
  upstream backend {{ server 127.0.0.1:{backend.port}; keepalive {CONNECTIONS}; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
""")
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    server = Server("nginx", [binary, "-e", f"{home}/error.log", "-p", str(home), "-c", f"{home}/nginx.conf"],
                    home / "error.log")
    server.port = port
    end = time.monotonic() + 10
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return server
        if server.child.poll() is not None or time.monotonic() > end:
            server.stop()
            raise Failed("nginx did not start:\n" + (home / "error.log").read_text(errors="replace"))
        time.sleep(0.02)


def start_bare(build, directory, backend):
    server = Server("bare_proxy", [str(build / "bare_proxy"), "0", "127.0.0.1", str(backend.port), "/v1/charges"],
                    directory / "bare.log", r"^(\d+)$")
    server.port = int(server.ready.group(1))
    return server


class Turnout(Server):
    """`turnout serve` as shipped, but one worker, and three connectors that lead to the one backend."""

    def __init__(self, binary, directory, backend, environment=None):
        conf = directory / "conf"
        conf.mkdir(parents=True)
        for each in ("connectors", "policies"):
            (conf / each).mkdir()
        shipped = (ROOT / "conf/turnout.yaml").read_text()
        for pattern, text in ((r"port: .*TURNOUT_PORT[^}]*}\"", "port: 0"),
                              (r"port: .*TURNOUT_ADMIN_PORT[^}]*}\"", "port: 0"), (r"workers: 0", "workers: 1")):
            shipped, count = re.subn(pattern, text, shipped)
            if count != 1:
                raise Failed(f"conf/turnout.yaml: {count} times {pattern}")
        (conf / "turnout.yaml").write_text(shipped)
        (conf / "policies/default.yaml").write_text(
            (ROOT / "conf/policies/default.yaml").read_text().replace("[alpha, beta, gamma]", "[alpha1, alpha2, alpha3]"))
        alpha = (ROOT / "conf/connectors/alpha.yaml").read_text()
        for number in "123":
            (conf / f"connectors/alpha{number}.yaml").write_text(
                re.sub(r"(?m)^connector: alpha$", f"connector: alpha{number}", alpha))
        address = {"ALPHA_URL": backend.alpha}
        made = subprocess.run([binary, "keys", "create", "--conf", str(conf), "--merchant", "demo", "--mode", "test"],
                              capture_output=True, text=True, env={**os.environ, **address})
        if made.returncode != 0:
            raise Failed(f"no key: {made.stderr}")
        self.key = re.search(r"ak_\w+:sk_\w+", made.stdout).group(0)
        super().__init__("turnout", [binary, "serve", "--conf", str(conf)], directory / "turnout.log",
                         r"payments on http://127\.0\.0\.1:(\d+), admin on (http://127\.0\.0\.1:\d+)",
                         {**address, **(environment or {})})
        self.port, self.admin = int(self.ready.group(1)), self.ready.group(2)
        self.directory, self.journal = directory, directory / "var/journal.db"
        self.seen = 0

    def metrics(self):
        text = http("GET", self.admin + "/metrics").decode()
        return {name: float(value) for name, value in re.findall(r"(?m)^(turnout_journal_\w+) (\S+)$", text)}

    def new_payments(self):
        """How many since the last round, once none is under way; every one must have succeeded."""
        end, before = time.monotonic() + 20, None
        while True:
            with contextlib.closing(sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True)) as file:
                rows = file.execute("SELECT status, count(*), max(seq) FROM payments WHERE seq > ? GROUP BY status",
                                    (self.seen,)).fetchall()
            if rows == before and all(status != "processing" for status, _, _ in rows) or time.monotonic() > end:
                break
            before = rows
            time.sleep(0.1)
        wrong = [f"{count} {status}" for status, count, _ in rows if status != "succeeded"]
        if wrong:
            raise Failed("payments of the journal that did not succeed: " + ", ".join(wrong))
        self.seen = max([self.seen] + [last for _, _, last in rows])
        return sum(count for _, count, _ in rows)

    def disk_bytes(self):
        return {"journal": sum(each.stat().st_size for each in self.journal.parent.glob("journal.db*")
                               if not each.name.endswith(".reserve")),
                "log": (self.directory / "turnout.log").stat().st_size}


# ---- the load ------------------------------------------------------------------

CARD = '{"number":"4242424242424242","exp_month":12,"exp_year":2039,"cvc":"123","holder":"A. Buyer"}'


class Requests:
    """Files with one request each; references and keys of no two runs are equal."""

    def __init__(self, directory, key):
        self.directory, self.key, self.runs = directory, key, 0

    def file(self, peer, port):
        self.runs += 1
        name = f"{peer}-{self.runs}-{NUMBER}"
        if peer == "turnout":
            target, key = "/v1/payments", self.key
            body = (f'{{"amount":1250,"currency":"EUR","capture":"automatic","payment_method":{{"type":"card","card":{CARD}}},'
                    f'"reference":"{name}","metadata":{{"cart":"77"}}}}')
        else:
            target, key = "/v1/charges", "sandbox"
            body = f'{{"amount":1250,"currency":"EUR","capture":true,"reference":"{name}","card":{CARD}}}'
        path = self.directory / f"{peer}-{self.runs}.http"
        path.write_bytes((f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"
                          f"Content-Type: application/json\r\nIdempotency-Key: {name}\r\n"
                          f"Content-Length: {len(body)}\r\n\r\n{body}").encode())
        return path


def run_tool(arguments, what, seconds):
    """A load generator; its standard output."""
    child = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             preexec_fn=die_with_parent)
    try:
        out, err = child.communicate(timeout=seconds + 60)
    except BaseException:
        child.kill()
        child.wait()
        raise
    if child.returncode != 0:
        raise Failed(f"{what}: {err or out}")
    return out


def saturate(port, request, seconds):
    out = run_tool(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", str(HERE / "numbered.lua"),
                    f"http://127.0.0.1:{port}/", "--", str(request)], "wrk", seconds)
    found = json.loads(re.search(r"(?m)^RESULT (.*)$", out).group(1))
    if found["not_2xx"] or found["socket_errors"]:
        raise Failed(f"wrong answers: {found}")
    return found


def paced(build, port, request):
    out = run_tool([str(build / "paced_load"), str(port), str(PACED_RATE), str(PACED_SECONDS), str(CONNECTIONS),
                    str(request)], "paced_load", PACED_SECONDS)
    found = json.loads(out)
    if set(found["statuses"]) - {"200", "201"}:
        raise Failed(f"wrong answers: {found}")
    return found


class Bench:
    def __init__(self, build, directory, stack):
        self.build, self.directory = build, directory
        self.binary = str(build / "turnout")

        def keep(server):
            stack.callback(server.stop)
            return server

        self.backend = keep(Backend(self.binary, directory))
        self.turnout = keep(Turnout(self.binary, directory / "turnout", self.backend))
        self.servers = {"direct": self.backend, "nginx": keep(start_nginx(directory, self.backend)),
                        "bare": keep(start_bare(build, directory, self.backend)), "turnout": self.turnout}
        self.requests = Requests(directory, self.turnout.key)

    @contextlib.contextmanager
    def watch_others(self, found):
        """Adds to `found` the share of the processors that other programs took meanwhile."""
        def own():
            tools = resource.getrusage(resource.RUSAGE_CHILDREN)
            return tools.ru_utime + tools.ru_stime + sum(sum(each.processor_seconds().values())
                                                         for each in self.servers.values())
        begun, all_before, own_before = time.monotonic(), busy_seconds(), own()
        yield
        others = (busy_seconds() - all_before) - (own() - own_before)
        found["others"] = max(0.0, others / (time.monotonic() - begun) / os.cpu_count())

    def check_counts(self, peer, answered, turnout=None):
        """Requests under way when wrk ends are cut off, and may have charged."""
        journaled = (turnout or self.turnout).new_payments() if peer == "turnout" else None
        charged = self.backend.charges()
        if not answered <= charged <= answered + CONNECTIONS:
            raise Failed(f"{peer}: {answered} answers, but {charged} charges")
        if journaled not in (None, charged):
            raise Failed(f"{journaled} payments in the journal, but {charged} charges")
        return charged

    def throughput_round(self, peer, seconds):
        server = self.servers[peer]
        self.backend.begin()
        before, metrics = server.processor_seconds(), self.turnout.metrics()
        watched = {}
        with self.watch_others(watched):
            found = saturate(server.port, self.requests.file(peer, server.port), seconds)
        found.update(watched)
        after, more = server.processor_seconds(), self.turnout.metrics()
        done = self.check_counts(peer, found["requests"])
        found["per_second"] = found["requests"] * 1e6 / found["microseconds"]
        found["cpu_us"] = {name: (spent - before.get(name, 0)) * 1e6 / done for name, spent in after.items()}
        found["commits"] = (more["turnout_journal_commit_seconds_count"] - metrics["turnout_journal_commit_seconds_count"]) / done
        found["writes"] = (more["turnout_journal_batch_size_sum"] - metrics["turnout_journal_batch_size_sum"]) / done
        return found

    def paced_round(self, peer):
        server = self.servers[peer]
        self.backend.begin()
        metrics = self.turnout.metrics()
        watched = {}
        with self.watch_others(watched):
            found = paced(self.build, server.port, self.requests.file(peer, server.port))
        found.update(watched)
        more = self.turnout.metrics()
        done = self.check_counts(peer, sum(found["statuses"].values()))
        found["commits"] = (more["turnout_journal_commit_seconds_count"] - metrics["turnout_journal_commit_seconds_count"]) / done
        return found

    def counted_run(self):
        """Allocations and syncs per payment, by thread, in a process of its own."""
        counters = self.directory / "counters"
        counters.touch()
        turnout = Turnout(self.binary, self.directory / "counted", self.backend,
                          {"LD_PRELOAD": str(self.build / "malloc_counter.so"), "BENCH_COUNTERS": str(counters)})
        try:
            self.requests.key = turnout.key

            def load(seconds):
                self.backend.begin()
                return saturate(turnout.port, self.requests.file("turnout", turnout.port), seconds)["requests"]

            self.check_counts("turnout", load(WARM_UP_SECONDS), turnout)
            before = read_counters(counters)
            answered = load(COUNTED_SECONDS)
            after = read_counters(counters)
            done = self.check_counts("turnout", answered, turnout)
            names = {int(task.name): (task / "comm").read_text().strip()
                     for task in Path(f"/proc/{turnout.pid}/task").iterdir()}
        finally:
            turnout.stop()
            self.requests.key = self.turnout.key
        by_name, total = {}, [0, 0, 0, 0]
        for thread, values in after.items():
            spent = [now - then for now, then in zip(values, before.get(thread, (0, 0, 0, 0)))]
            total = [a + b for a, b in zip(total, spent)]
            name = names.get(thread, "ended")
            by_name[name] = by_name.get(name, 0) + spent[0] / done
        if total[0] == 0:
            raise Failed("the allocation counter counted nothing")
        return {"allocations": total[0] / done, "bytes": total[1] / done, "by_thread": by_name, "payments": done,
                "syncs": total[2] / done, "sync_ms": total[3] / 1e6 / max(total[2], 1)}


def read_counters(path):
    data = path.read_bytes()
    rows = (struct.unpack_from("<5Q", data, at) for at in range(0, len(data), 64))
    return {row[0]: row[1:] for row in rows if row[0] != 0}


def disk_sync(directory, times=100):
    """Milliseconds of pwrite + fdatasync: growing a file, and within one, as a write-ahead log does both."""
    page, found = os.urandom(4096), {}
    path = directory / "sync"
    for kind in ("growing", "overwriting"):
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        taken = []
        for at in range(times):
            begun = time.perf_counter()
            os.pwrite(file, page, at * len(page))
            os.fdatasync(file)
            taken.append((time.perf_counter() - begun) * 1e3)
        os.close(file)
        taken.sort()
        found[kind] = {"p50": taken[times // 2], "p99": taken[times * 99 // 100]}
    path.unlink()
    return found


# ---- the report ----------------------------------------------------------------

def middle(values):
    return statistics.median(values)


def spread(values):
    return f"{min(values):,.0f} – {max(values):,.0f}"


def report_throughput(rounds):
    print(f"\nPayments per second, {CONNECTIONS} connections, {ROUNDS} rounds of {ROUND_SECONDS} s, one worker thread each")
    print(f"  {'':18} {'median':>9}  {'lowest – highest':>19} {'p50 ms':>8} {'p99 ms':>8} {'CPU µs each':>12}")
    rates = {}
    for peer in PEERS:
        found = rounds[peer]
        per_second = [each["per_second"] for each in found]
        rates[peer] = middle(per_second)
        processor = middle([sum(each["cpu_us"].values()) for each in found])
        print(f"  {TITLES[peer]:18} {rates[peer]:9,.0f}  {spread(per_second):>19} "
              f"{middle([each['p50_us'] for each in found]) / 1e3:8.2f} {middle([each['p99_us'] for each in found]) / 1e3:8.2f} "
              f"{processor:12.1f}")
    for other in ("nginx", "bare"):
        # Within a round the machine is most alike.
        ratios = [t["per_second"] / o["per_second"] for t, o in zip(rounds["turnout"], rounds[other])]
        print(f"  turnout / {TITLES[other]:17} {rates['turnout'] / rates[other]:6.3f}   (by round {min(ratios):.3f} – {max(ratios):.3f}; "
              f"goal {GOALS[other]:.2f})")
    threads = sorted(rounds["turnout"][-1]["cpu_us"].items(), key=lambda each: -each[1])
    print("  turnout's CPU µs per payment by thread: " +
          ", ".join(f"{name} {middle([each['cpu_us'].get(name, 0) for each in rounds['turnout']]):.1f}"
                    for name, spent in threads if spent >= 0.05))
    print("  no answer but 2xx; journal, ledger and answers agree in every round")
    return rates


def report_paced(rounds):
    print(f"\nLatency in ms at {PACED_RATE:,}/s (random arrivals, from the moment a request is due), {ROUNDS} rounds of {PACED_SECONDS} s")
    print(f"  {'':18} {'p50':>8} {'p99':>8} {'p99.9':>8} {'max':>8}   {'added p50':>9} {'added p99':>9}")
    for peer in PEERS:
        found = rounds[peer]
        values = [middle([each[key] for each in found]) for key in ("p50_ms", "p99_ms", "p999_ms", "max_ms")]
        added = ""
        if peer != "direct":
            added = "   " + " ".join(
                f"{middle([mine[key] - base[key] for mine, base in zip(found, rounds['direct'])]):9.2f}"
                for key in ("p50_ms", "p99_ms"))
        print(f"  {TITLES[peer]:18} " + " ".join(f"{each:8.2f}" for each in values) + added)
    late = max(each["late_p99_ms"] for peer in PEERS for each in rounds[peer])
    print(f"  goal: p99 at most {GOALS['added_p99_ms']:.0f} ms added; the generator itself was at most {late:.2f} ms late (p99, worst round)")


def report_cost(rounds, paced_rounds, counted, memory, disk_bytes, payments, syncs):
    median = lambda key: middle([each[key] for each in rounds["turnout"]])
    print("\nWhat a payment costs turnout")
    print(f"  journal            {median('writes'):.2f} durable writes; {median('commits'):.3f} group commits at full load, "
          f"{middle([each['commits'] for each in paced_rounds['turnout']]):.3f} at {PACED_RATE:,}/s")
    print(f"  fsync, fdatasync   {counted['syncs']:.3f} calls at full load, {counted['sync_ms']:.3f} ms each")
    print(f"  allocations        {counted['allocations']:.1f}, {counted['bytes'] / 1024:.1f} KiB: " +
          ", ".join(f"{name} {count:.1f}" for name, count in sorted(counted["by_thread"].items(), key=lambda e: -e[1])
                    if count >= 0.05))
    print(f"  memory             VmRSS {memory['VmRSS']:.1f} MiB, at most {memory['VmHWM']:.1f} MiB, after {payments:,} payments")
    print(f"  disk               {disk_bytes['journal'] / payments:,.0f} bytes of journal, {disk_bytes['log'] / payments:,.0f} bytes of log")
    print("  this disk          4 KiB write + fdatasync: " +
          "; ".join(f"{kind} {middle([each[kind]['p50'] for each in syncs]):.3f} ms "
                    f"({min(each[kind]['p50'] for each in syncs):.3f} – {max(each[kind]['p50'] for each in syncs):.3f}, "
                    f"p99 {max(each[kind]['p99'] for each in syncs):.3f})" for kind in syncs[0]))


def filesystem_of(directory):
    done = subprocess.run(["stat", "-f", "-c", "%T", str(directory)], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def measure(build, directory, stack):
    kind = filesystem_of(directory)
    model = re.search(r"(?m)^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text())
    print(f"{len(os.sched_getaffinity(0))} processors ({model.group(1) if model else 'unknown'}), Linux {os.uname().release}, "
          f"the journal on {kind}")
    if kind in ("tmpfs", "ramfs"):
        print("WARNING: the journal is not on a disk; its figures mean nothing")
    syncs = [disk_sync(directory)]
    bench = Bench(build, directory, stack)
    for peer in PEERS:
        bench.throughput_round(peer, WARM_UP_SECONDS)
    rounds, paced_rounds = {peer: [] for peer in PEERS}, {peer: [] for peer in PEERS}
    for number in range(ROUNDS):
        print(f"round {number + 1} of {ROUNDS} …", flush=True)
        for peer in PEERS:
            rounds[peer].append(bench.throughput_round(peer, ROUND_SECONDS))
        syncs.append(disk_sync(directory))
    print("latency …", flush=True)
    for _ in range(ROUNDS):
        for peer in PEERS:
            paced_rounds[peer].append(bench.paced_round(peer))
    memory, disk_bytes, payments = bench.turnout.memory_mib(), bench.turnout.disk_bytes(), bench.turnout.seen
    print("allocations …", flush=True)
    counted = bench.counted_run()
    rates = report_throughput(rounds)
    report_paced(paced_rounds)
    report_cost(rounds, paced_rounds, counted, memory, disk_bytes, payments, syncs)
    others = [each["others"] for found in (*rounds.values(), *paced_rounds.values()) for each in found]
    print(f"\nother programs took {middle(others):.0%} of the processors during a round (at most {max(others):.0%})" +
          (": repeat it on a quiet machine, not even the ratios hold" if middle(others) > 0.05 else ""))
    raw = build / "bench.json"
    raw.write_text(json.dumps({"rates": rates, "rounds": rounds, "paced": paced_rounds, "counted": counted, "memory": memory,
                               "disk_bytes": disk_bytes, "payments": payments, "syncs": syncs}, indent=1))
    print(f"every figure: {raw}")


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: bench.py BUILD_DIR")
    build = Path(sys.argv[1]).resolve()
    for each in ("turnout", "bare_proxy", "paced_load", "malloc_counter.so"):
        if not (build / each).exists():
            sys.exit(f"{build / each} is missing: make bench builds it")
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: conf/deploy/install-packages.sh --test installs it")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    directory = Path(tempfile.mkdtemp(prefix="bench-", dir=build))
    try:
        with contextlib.ExitStack() as stack:
            measure(build, directory, stack)
    except Failed as failed:
        sys.exit(f"bench: {failed}")
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
