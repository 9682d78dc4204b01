"""The order that everything rests on, seen from outside: before the first byte of
a request leaves for a gateway its intent is durable, and before the first byte of
an answer leaves for the merchant what it says is durable.

A real proxy works under disk_tape.cpp. For each message the files are put together
as the worst power cut at that moment would have left them, and SQLite says
whether the payment is there.
"""
import json
import os
import random
import re
import sqlite3
import tempfile
import unittest
from pathlib import Path

from audit import check_told
from crowd import Crowd
from harness import Workplace, wait_until
from power import SENT, Disk, RecordedProxy, read_tape

IDENTIFIER = re.compile(rb"\b(?:att|cap|ref|can)_[0-9A-Z]{20,}")
ANSWERS = int(os.environ.get("TURNOUT_ORDER_ANSWERS", "60"))


class Message:
    """An HTTP message that left the proxy; `at` is when its first byte did."""

    def __init__(self, at, ports):
        self.at, self.local, self.peer, self.text = at, ports >> 16, ports & 0xffff, b""

    @property
    def whole(self):
        head, end, body = self.text.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        return bool(end) and len(body) >= (int(length.group(1)) if length else 0)

    @property
    def body(self):
        return self.text.partition(b"\r\n\r\n")[2]


def messages(records):
    """Every message, in the order of their first bytes."""
    begun, found = {}, []
    for at, (kind, ports, _, data) in enumerate(records):
        if kind != SENT:
            continue
        if ports not in begun:
            begun[ports] = Message(at, ports)
            found.append(begun[ports])
        begun[ports].text += data
        if begun[ports].whole:
            del begun[ports]
    return found


class Worst:
    """The journal as a power cut at this moment would leave it at worst."""

    def __init__(self, disk):
        self.disk, self.syncs, self.file = disk, -1, None
        self.directory = tempfile.TemporaryDirectory(prefix="turnout-worst-")

    def record(self, payment):
        if self.syncs != self.disk.syncs:
            self.close()
            Disk.write(self.directory.name, {name: content for name, content in self.disk.durable().items()
                                             if name.startswith("journal.db")})
            self.file = sqlite3.connect(Path(self.directory.name) / "journal.db")
            self.syncs = self.disk.syncs
        found = self.file.execute("SELECT record FROM payments WHERE id = ?", (payment,)).fetchone()
        return json.loads(found[0]) if found else None

    def close(self):
        if self.file:
            self.file.close()

    def __exit__(self, *_):
        self.close()
        self.directory.cleanup()

    def __enter__(self):
        return self


class Order(unittest.TestCase):
    def work(self, lies=""):
        """Payments, captures, refunds and cancellations under load; then (disk at the start, tape, owners, ports)."""
        seed = int(os.environ.get("TURNOUT_SEED", "0")) or random.randrange(1, 10**9)
        print(f"seed {seed}", flush=True)
        with Workplace(proxy_class=RecordedProxy) as place:
            place.sandbox.calm()
            place.sandbox.control("alpha", approval_rate=0.5, faults={"error_after_charge": 0.1})
            place.proxy.start()
            place.proxy.stop()  # a journal that is there: what a lying disk loses is then the payments alone
            crowd = Crowd(place, seed, clients=4)
            place.proxy.spawn(lies=lies)
            place.proxy.wait_ready()
            crowd.open()
            wait_until("answers", lambda: len(crowd.told) >= ANSWERS)
            crowd.end()
            merchants, gateways = place.proxy.port, {int(url.rsplit(":", 1)[1]) for url in place.sandbox.urls.values()}
            place.proxy.kill()
            owners = {name: key for key, record in place.proxy.payments().items()
                      for each in record.get("attempts", []) + record.get("modifications", [])
                      for name in (each["id"], each.get("gateway_reference"))}
            return place.proxy.disk, list(read_tape(place.proxy.tape)), owners, merchants, gateways

    def violations(self, lies=""):
        """What left too early, and how many messages were looked at."""
        disk, records, owners, merchants, gateways = self.work(lies)
        wrong, asked, answered, at = [], 0, 0, 0
        with Worst(disk) as worst:
            for message in messages(records):
                for record in records[at:message.at]:
                    if record[0] != SENT:
                        disk.play(*record)
                at = message.at
                if message.peer in gateways:
                    asked += 1
                    wrong += self.unknown_intents(worst, message, owners)
                elif message.local == merchants and re.match(rb"HTTP/1.1 20[12] ", message.text):
                    answered += 1
                    wrong += self.untrue_answer(worst, json.loads(message.body),
                                                b"idempotency-replayed" in message.text.lower())
        return wrong, asked, answered

    def unknown_intents(self, worst, message, owners):
        """Of a request to a gateway: the attempts, captures, refunds and cancellations it names."""
        named = {each.decode() for each in IDENTIFIER.findall(message.text)}
        for identifier in named:
            record = worst.record(owners.get(identifier)) or {"attempts": []}
            known = {each["id"] for each in record.get("attempts", []) + record.get("modifications", [])}
            if identifier not in known:
                yield f"{identifier} left for a gateway before it was durable"
        if named:
            return
        # A gateway without keys or references for what is done to a charge: it is named by the charge alone.
        charge = re.search(rb"/(gm_\w+)/(?:capture|refund|void) ", message.text).group(1).decode()
        record = worst.record(owners.get(charge)) or {}
        if not any(each["status"] == "pending" and each.get("in_flight") for each in record.get("modifications", [])):
            yield f"what is done to {charge} left for a gateway before it was durable"

    def untrue_answer(self, worst, told, replayed):
        record = worst.record(told["id"] if told["object"] == "payment" else told["payment"])
        if record is None:
            yield f"{told['id']} was told before it was durable"
        elif replayed:
            try:  # what was told then: more may have come since
                check_told(201, told, {record["id"]: record})
            except AssertionError as wrong:
                yield str(wrong)
        elif told["object"] == "payment":
            for name, absent in (("status", None), ("amount_captured", 0), ("amount_refunded", 0)):
                if told[name] != record.get(name, absent):
                    yield f"{told['id']} was told {name} {told[name]}, durable was {record.get(name, absent)}"
        else:
            kept = {each["id"]: each["status"] for each in record.get("modifications", [])}
            if kept.get(told["id"]) != told["status"]:
                yield f"{told['id']} was told {told['status']}, durable was {kept.get(told['id'])}"

    def test_durable_before_it_leaves(self):
        wrong, asked, answered = self.violations()
        self.assertEqual(wrong, [])
        print(f"{asked} requests to gateways and {answered} answers, each after what it rests on", flush=True)
        self.assertGreater(asked, ANSWERS // 2)
        self.assertGreaterEqual(answered, ANSWERS)

    def test_it_would_be_noticed(self):
        """A sync that is done only with the next one: that is too late for both."""
        wrong, _, _ = self.violations(lies="late")
        self.assertTrue(any("left for a gateway" in each for each in wrong), wrong)
        self.assertTrue(any("was told" in each for each in wrong), wrong)


if __name__ == "__main__":
    unittest.main()
