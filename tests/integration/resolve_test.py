"""What no gateway proves, a person ends: through the running proxy, with a reason
that is kept, once, and without anybody else being tried."""
import json
import os
import re
import sqlite3
import subprocess
import unittest

from audit import read_books
from harness import BINARY, Http, Workplace, bearer, payment, wait_until

UNPROVABLE = """
version: 1
policies:
  - name: in-order
    route: {strategy: priority, connectors: [alpha, beta]}
    retry: {max_attempts: 2, deadline: 1s, on: [technical, not_sent]}
"""
# Alpha promises nothing: what it does not answer stays in doubt for ever.
ALPHA_PROVES_NOTHING = [
    ("connectors/*.yaml", r"(?m)^timeouts: .*$", "timeouts: {connect: 500ms, response: 500ms}"),
    ("connectors/alpha.yaml", r"(?m)^resolve: .*$", "resolve: {methods: [reverse], accept_unprovable: true}")]


class Resolve(unittest.TestCase):
    def setUp(self):
        self.place = Workplace(policies=UNPROVABLE, replace=ALPHA_PROVES_NOTHING)
        self.addCleanup(self.place.__exit__, None, None, None)
        self.place.sandbox.calm()
        self.headers = bearer(self.place.proxy.make_key())
        self.place.proxy.start()
        self.http = Http(self.place.proxy.port)
        self.addCleanup(self.http.close)

    def in_doubt(self, **faults):
        self.place.sandbox.control("alpha", faults=faults or {"drop_before_charge": 1})
        answer = self.http.request("POST", "/v1/payments", payment(), self.headers)
        self.assertEqual(answer.status, 202, answer)
        self.place.sandbox.calm()
        return answer.json["id"], answer.json["attempts"][0]["id"]

    def command(self, *arguments):
        return subprocess.run([BINARY, "payments", *arguments, "--conf", str(self.place.proxy.conf)], text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, timeout=60,
                              env={**os.environ, **self.place.proxy.environment})

    def resolve(self, identifier, *arguments):
        return self.command("resolve", identifier, "--admin", f"http://127.0.0.1:{self.place.proxy.admin_port}", *arguments)

    def standing(self):
        return [each.reference for each in read_books(self.place.sandbox.operations()).values() if each.stands]

    def read(self, identifier):
        return self.http.request("GET", "/v1/payments/" + identifier, headers=self.headers).json

    def test_not_charged_ends_it_with_who_and_why(self):
        identifier, attempt = self.in_doubt()
        listed = json.loads(self.command("unresolved", "--format", "json").stdout)
        self.assertEqual([each["payment"] for each in listed], [identifier])
        self.assertEqual(listed[0]["open"][0]["target"], attempt)
        self.assertIn("nothing can prove it", listed[0]["open"][0]["awaits"])
        self.assertEqual(listed[0]["attention"]["reason"], "no_proof_available")
        text = self.command("unresolved")
        self.assertIn("needs attention", text.stdout)
        self.assertIn("1 unresolved, 1 of them need attention", text.stderr)

        without = self.resolve(identifier, "--attempt", attempt, "--as", "not_charged")
        self.assertEqual(without.returncode, 1)
        self.assertIn("--reason is needed", without.stderr)
        self.assertEqual(self.resolve(identifier, "--as", "not_charged", "--reason", "x").returncode, 2)

        done = self.resolve(identifier, "--attempt", attempt, "--as", "not_charged", "--reason", "case 4711", "--by", "mira")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("unknown before and not_sent now", done.stdout)
        self.assertIn("nothing else is tried", done.stdout)
        now = self.read(identifier)
        self.assertEqual((now["status"], now["error"]["code"], now["attention"]), ("failed", "not_charged", None))
        self.assertEqual([each["gateway"] for each in self.place.sandbox.operations()], [])
        events = self.http.request("GET", f"/v1/payments/{identifier}/events", headers=self.headers).json["data"]
        self.assertEqual([each["code"] for each in events if each["type"] == "resolved_by_person"], ["not_charged"])
        self.assertNotIn("mira", json.dumps(events))
        shown = self.command("show", identifier).stdout
        self.assertRegex(shown, rf'resolved by mira at \S+: {attempt} not_charged, unknown before and not_sent after; "case 4711"')
        line = json.loads(self.place.proxy.process.line_matching(r'^(\{.*"resolved_by_person".*)$').group(1))
        self.assertEqual((line["payment"], line["target"], line["as"], line["by"], line["reason"], line["before"], line["after"]),
                         (identifier, attempt, "not_charged", "mira", "case 4711", "unknown", "not_sent"))
        again = self.resolve(identifier, "--attempt", attempt, "--as", "charged", "--reason", "changed my mind")
        self.assertEqual(again.returncode, 1)
        self.assertIn("is settled", again.stderr)
        # It survives a restart, and is nobody's business any more.
        self.place.proxy.kill()
        self.place.proxy.start()
        self.assertEqual(json.loads(self.command("show", identifier, "--format", "json").stdout)["resolutions"][0]["by"], "mira")
        self.assertEqual(json.loads(self.command("unresolved", "--format", "json").stdout), [])

    def test_charged_stands(self):
        identifier, attempt = self.in_doubt(charge_then_drop=1)
        charge = self.place.sandbox.operations()[0]["charge"]
        done = self.resolve(identifier, "--attempt", attempt, "--as", "charged", "--reason", "seen in the portal",
                            "--reference", charge, "--format", "json")
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(json.loads(done.stdout)["status"], "succeeded")
        self.assertEqual(self.read(identifier)["attempts"][0]["gateway_reference"], charge)
        self.assertEqual(self.standing(), [attempt])
        # And it can be refunded, at the reference that the person gave.
        refund = self.http.request("POST", f"/v1/payments/{identifier}/refunds", {}, self.headers)
        self.assertEqual(refund.status, 201, refund)
        self.assertEqual(self.standing(), [])

    def test_charged_is_reversed_where_the_merchant_canceled(self):
        identifier, attempt = self.in_doubt(charge_then_drop=1)
        self.place.sandbox.control("alpha", outage="error")  # reversing proves nothing meanwhile
        self.http.request("POST", f"/v1/payments/{identifier}/cancel", {}, self.headers)
        done = self.resolve(identifier, "--attempt", attempt, "--as", "charged", "--reason", "seen in the portal")
        self.assertEqual(done.returncode, 0, done)
        self.assertRegex(done.stdout, "revers")
        self.place.sandbox.calm()
        wait_until("the reversal", lambda: self.read(identifier)["status"] == "canceled")
        self.assertEqual(self.standing(), [])

    def test_without_a_proxy_it_says_what_to_do(self):
        identifier, attempt = self.in_doubt()
        self.place.proxy.stop()
        refused = self.resolve(identifier, "--attempt", attempt, "--as", "charged", "--reason", "x")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("is it running?", refused.stderr)
        self.assertIn("processing", self.command("show", identifier).stdout)
        # A journal that an earlier version wrote is not guessed at.
        with sqlite3.connect(self.place.proxy.journal) as file:
            version = file.execute("PRAGMA user_version").fetchone()[0]
            file.execute(f"PRAGMA user_version = {version - 1}")
        file.close()
        old = self.command("show", identifier)
        self.assertEqual(old.returncode, 1)
        self.assertRegex(old.stderr, re.escape(f"schema version {version - 1}") + ".*turnout serve")


if __name__ == "__main__":
    unittest.main()
