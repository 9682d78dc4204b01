#!/usr/bin/env python3
"""A normal client beside a crowd: crowd.py BUILD_DIR [SECONDS]

Payments at a steady rate, first alone, then beside 2,000 idle connections and
clients that send a byte now and then, in turns, for SECONDS (60) in all.
Prints p50 and p99 of both, and the proxy's memory over time.
"""
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
build = Path(sys.argv[1]).resolve()
os.environ["TURNOUT"] = str(build / "turnout")
sys.path.insert(0, str(ROOT / "tests/integration"))
from harness import Workplace, bearer, payment  # noqa: E402  (it reads TURNOUT)

IDLE, SLOW, RATE, CONNECTIONS, TURN = 2000, 20, 400, 16, 10


def resident_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1))


def load(port, request):
    out = subprocess.run([str(build / "paced_load"), str(port), str(RATE), str(TURN), str(CONNECTIONS), str(request)],
                         check=True, capture_output=True, text=True, timeout=TURN + 60)
    found = json.loads(out.stdout)
    assert set(found["statuses"]) <= {"200", "201"}, found
    return found


class Crowd:
    """Idle connections that have asked once, and clients that never finish a request."""

    def __init__(self, port, request):
        self.idle, self.slow = [], []
        for _ in range(IDLE):
            each = socket.create_connection(("127.0.0.1", port))
            each.sendall(b"GET /v1/nothing HTTP/1.1\r\nHost: a\r\n\r\n")
            assert each.recv(4096).startswith(b"HTTP/1.1 404")
            self.idle.append(each)
        self.halt = threading.Event()
        self.thread = threading.Thread(target=self.dribble, args=(port, request))
        self.thread.start()

    def dribble(self, port, request):
        at = 0
        while not self.halt.wait(0.2):
            while len(self.slow) < SLOW:
                self.slow.append(socket.create_connection(("127.0.0.1", port)))
            for each in list(self.slow):
                try:
                    each.sendall(request[at % 60:at % 60 + 1])
                except OSError:  # the proxy lost its patience, as it should
                    self.slow.remove(each)
                    each.close()
            at += 1

    def leave(self):
        self.halt.set()
        self.thread.join()
        for each in self.idle + self.slow:
            each.close()


def main():
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    with Workplace() as place:
        place.sandbox.calm()
        headers = {**bearer(place.proxy.make_key()), "Host": "a", "Content-Type": "application/json"}
        place.proxy.start()
        body = json.dumps(payment()).encode()
        head = "POST /v1/payments HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
        request = Path(tempfile.mkdtemp()) / "request"
        request.write_bytes(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        pid = place.proxy.process.child.pid
        print(f"at the start {resident_kib(pid)} KiB", flush=True)
        alone, beside = [], []
        for turn in range(max(2, seconds // TURN)):
            crowd = Crowd(place.proxy.port, request.read_bytes()) if turn % 2 else None
            found = load(place.proxy.port, request)
            memory = resident_kib(pid)
            if crowd:
                crowd.leave()
            (beside if crowd else alone).append(found)
            print(f"{'beside' if crowd else 'alone '} p50 {found['p50_ms']:.2f} ms  p99 {found['p99_ms']:.2f} ms  "
                  f"{memory} KiB", flush=True)
        middle = {name: sorted(each["p99_ms"] for each in turns)[len(turns) // 2]
                  for name, turns in (("alone", alone), ("beside", beside))}
        print(f"p99 in the middle turn: alone {middle['alone']:.2f} ms, beside the crowd {middle['beside']:.2f} ms, "
              f"ratio {middle['beside'] / middle['alone']:.2f}")


if __name__ == "__main__":
    main()
