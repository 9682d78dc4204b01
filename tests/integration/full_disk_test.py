"""A disk without room: what is new is refused before anything is sent, what is
under way is still written, and it goes on by itself once there is room.

The disk is a small tmpfs in a mount namespace of this test's own, so no rights are
needed where the system lets users have namespaces, and nothing is left behind.
"""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

INSIDE = "TURNOUT_TEST_NAMESPACE"


def in_namespace():
    """True in a mount namespace of our own. Starts this program anew in one where that is possible."""
    if os.environ.get(INSIDE):
        return True
    unshare = shutil.which("unshare")
    for options in ([], ["--user", "--map-root-user"]):
        command = [unshare or "unshare", "--mount", *options]
        probe = [*command, "sh", "-c", 'mount -t tmpfs -o size=1m none "$0"']
        with tempfile.TemporaryDirectory() as place:
            works = unshare and subprocess.run([*probe, place], capture_output=True).returncode == 0
        if works:
            os.execvpe(unshare, [*command, sys.executable, "-B", *sys.argv], {**os.environ, INSIDE: "yes"})
    return False


MAY_MOUNT = __name__ != "__main__" or in_namespace()

from harness import DECLINED_FUNDS, Http, Workplace, audit, bearer, card, payment, wait_until  # noqa: E402


class Disk:
    """24 MiB that can be filled to the last byte."""

    def __init__(self, place):
        self.place, self.filler = Path(place), Path(place) / "filler"
        self.place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(place)], check=True)

    def fill(self):
        """Writers may compete for the last pages: full is when there are none left."""
        with open(self.filler, "ab", buffering=0) as file:
            for size in (65536, 4096):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    pass

    def empty(self):
        self.filler.unlink()

    def close(self):
        subprocess.run(["umount", "-l", str(self.place)], check=True)


@unittest.skipUnless(MAY_MOUNT, "neither root nor user namespaces (kernel.unprivileged_userns_clone): no small disk")
class FullDisk(unittest.TestCase):
    def setUp(self):
        directory = tempfile.mkdtemp(prefix="turnout-disk-")
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        self.disk = Disk(directory + "/disk")
        self.addCleanup(self.disk.close)
        journal = str(self.disk.place / "journal.db")
        place = Workplace(replace=[("turnout.yaml", r"path: \.\./var/journal\.db", f"path: {journal}"),
                                   ("connectors/*.yaml", r"not_found_final_after: \d+s", "not_found_final_after: 3s")])
        self.addCleanup(place.__exit__, None, None, None)
        place.proxy.journal = Path(journal)
        place.sandbox.calm()
        self.headers = bearer(place.proxy.make_key())
        place.proxy.start()
        self.place, self.told = place, []

    def call(self, method, path, body=None, key=None):
        http = Http(self.place.proxy.port)
        try:
            answer = http.request(method, path, body, {**self.headers, **({"Idempotency-Key": key} if key else {})})
        finally:
            http.close()
        if method == "POST" and answer.status in (201, 202):
            self.told.append((answer.status, answer.json, key))
        return answer

    def pay(self, key=None, **changes):
        return self.call("POST", "/v1/payments", payment(**changes), key)

    def paid(self, **changes):
        made = self.pay(**changes)
        self.assertEqual(made.status, 201, made)
        return "/v1/payments/" + made.json["id"]

    def ready(self):
        http = Http(self.place.proxy.admin_port)
        try:
            return http.request("GET", "/health/ready")
        finally:
            http.close()

    def is_full(self):
        """Fills the disk; pays until that is noticed, which is when the last of the log is used up."""
        self.disk.fill()

        def refused():
            reference = "full-%d" % random.getrandbits(60)
            answer = self.pay(reference=reference)
            self.assertIn(answer.status, (201, 202, 503), answer)
            if answer.status != 503:
                return self.disk.fill()
            with self.place.proxy.database() as file:
                recorded = file.execute("SELECT count(*) FROM payments WHERE instr(record, ?)", (reference,)).fetchone()[0]
            self.assertEqual(recorded, 0, "refused, yet recorded")
            return answer

        refusal = wait_until("a refusal", refused, 60)
        self.assertEqual(refusal.json["code"], "journal_unavailable")
        self.assertIn("retry-after", refusal.headers)
        return refusal

    def has_room(self):
        self.disk.empty()
        # By itself: whoever asks for readiness first sends no payments before it is there.
        wait_until("the proxy to be ready again", lambda: self.ready().status == 200)

    def finish(self):
        self.assertIsNone(self.place.proxy.process.child.poll(), "it had to be started again")
        self.place.proxy.settle()
        return audit(self.place, self.told, finished=True)

    def test_new_things_are_refused_and_nothing_is_sent(self):
        sale, held, other = self.paid(), self.paid(capture="manual"), self.paid(capture="manual")
        before = [self.call("GET", path).text for path in (sale, held, other)]
        self.is_full()
        operations = self.place.sandbox.operations()
        for path, body in (("/v1/payments", payment()), (sale + "/refunds", {"amount": 5}), (held + "/captures", {}),
                           (other + "/cancel", {})):
            refused = self.call("POST", path, body, key="key-" + path)
            self.assertEqual((refused.status, refused.json["code"]), (503, "journal_unavailable"), (path, refused))
        self.assertEqual(self.place.sandbox.operations(), operations)
        self.assertEqual([self.call("GET", path).text for path in (sale, held, other)], before)  # reading goes on
        ready = self.ready()
        self.assertEqual((ready.status, ready.json["reason"]), (503, "journal_unavailable"))
        self.has_room()
        for path, body in (("/v1/payments", payment()), (sale + "/refunds", {"amount": 5}), (held + "/captures", {}),
                           (other + "/cancel", {})):
            taken = self.call("POST", path, body, key="key-" + path)  # a refusal leaves the key free
            self.assertEqual(taken.status, 201, (path, taken))
        self.finish()

    def test_what_is_under_way_is_written_from_the_reserve(self):
        """Payments, refunds, captures and cancellations that the gateways have already when the room ends."""
        sales = [self.paid() for _ in range(4)]
        held = [self.paid(capture="manual") for _ in range(8)]
        for gateway in ("alpha", "beta", "gamma"):
            self.place.sandbox.control(gateway, latency_ms=1500, latency_sigma=0)
        asked = [("/v1/payments", payment(amount=2000 + number)) for number in range(4)]
        asked += [("/v1/payments", payment(payment_method=card(DECLINED_FUNDS)))]
        asked += [(path + "/refunds", {"amount": 7}) for path in sales]
        asked += [(path + end, {}) for path, end in zip(held, ["/captures", "/cancel"] * 4)]
        answers = {}

        def ask(number):
            answers[number] = self.call("POST", *asked[number], key=f"key-{number}")

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(asked))]
        for each in threads:
            each.start()
        with self.place.proxy.database() as file:
            begun = "SELECT count(*) FROM payments WHERE open = 1"  # each is about another payment
            wait_until("all to be under way", lambda: file.execute(begun).fetchone()[0] >= len(asked))
        self.is_full()
        for each in threads:
            each.join()
        self.assertEqual({each.status for each in answers.values()}, {201}, answers)
        now = {each.json["id"]: each for each in answers.values()}
        self.assertEqual(len(now), len(asked))
        self.assertEqual(self.ready().status, 503)
        self.assertFalse(Path(str(self.place.proxy.journal) + ".reserve").exists(), "the reserve was not needed")
        # Read back, from a file system without a free byte.
        for number, (path, _) in enumerate(asked):
            document = answers[number].json
            if path == "/v1/payments":
                self.assertEqual(self.call("GET", path + "/" + document["id"]).json["status"], document["status"])
        self.has_room()
        for number, (path, body) in enumerate(asked):
            again = self.call("POST", path, body, key=f"key-{number}")
            self.assertEqual((again.status, again.text), (201, answers[number].text))
        self.assertEqual(self.pay().status, 201)
        self.finish()

    def test_killed_while_full(self):
        """A kill and a start on the full disk: nothing acknowledged is lost, and it serves when there is room."""
        sale = self.paid()
        self.is_full()
        self.place.proxy.kill()
        self.disk.fill()
        self.place.proxy.spawn()
        if self.started_or_ended():
            print("started on a full disk", flush=True)
            self.assertEqual(self.pay().status, 503)
            self.assertEqual(self.call("GET", sale).json["status"], "succeeded")
            self.has_room()
        else:
            print("does not start on a full disk:", self.place.proxy.process.output(), flush=True)
            self.assertRegex(self.place.proxy.process.output(), "disk is full")
            self.disk.empty()
            self.place.proxy.start()
        self.assertEqual(self.call("POST", sale + "/refunds", {}).status, 201)
        self.finish()

    def started_or_ended(self):
        process = self.place.proxy.process
        try:
            ready = process.line_matching(r"^turnout \S+ ready: payments on \S+:(\d+), admin on \S+:(\d+)")
        except AssertionError:
            process.kill()  # it has ended; this closes the pipe
            return False
        self.place.proxy.port, self.place.proxy.admin_port = int(ready.group(1)), int(ready.group(2))
        return True


if __name__ == "__main__":
    unittest.main()
