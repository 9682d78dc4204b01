"""turnout verify, backup and restore, as an operator uses them."""
import json
import os
import shutil
import sqlite3
import stat
import unittest
from pathlib import Path

from harness import Http, Workplace, bearer, payment, wait_until


def keyed(key, name):
    return {**bearer(key), "Idempotency-Key": name}


class Backup(unittest.TestCase):
    def test_verify_backup_and_restore(self):
        with Workplace() as place:
            proxy = place.proxy
            key = proxy.make_key()
            proxy.start()
            http = Http(proxy.port)
            wish = payment(reference="order-1")
            paid = http.request("POST", "/v1/payments", wish, keyed(key, "before"))
            self.assertEqual(paid.status, 201, paid)
            refund = http.request("POST", f"/v1/payments/{paid.json['id']}/refunds", {"amount": 250}, keyed(key, "refund"))
            self.assertEqual(refund.status, 201, refund)
            # One that is not settled: its gateways answer nothing.
            for gateway in place.sandbox.urls:
                place.sandbox.control(gateway, outage="stall")
            stalled = http.request("POST", "/v1/payments", payment(amount=777), keyed(key, "stalled"))
            self.assertEqual(stalled.status, 202, stalled)

            # While it runs.
            report = self.verify(proxy)
            self.assertEqual(report["payments"], 2)
            backup = Path(place.directory) / "backup.db"
            made = proxy.run("backup", "--conf", str(proxy.conf), str(backup))
            self.assertEqual(made.returncode, 0, made)
            self.assertIn("result    whole", made.stdout)
            self.assertEqual(stat.S_IMODE(backup.stat().st_mode), 0o600)
            again = proxy.run("backup", "--conf", str(proxy.conf), str(backup))
            self.assertEqual(again.returncode, 1)
            self.assertIn("it is not overwritten", again.stderr)
            head = f"{report['chain']['links']}:{report['chain']['value']}"
            self.assertEqual(self.run_verify(proxy, str(backup), "--expect-head", head).returncode, 0)

            # It goes on, and is lost.
            place.sandbox.calm()
            later = http.request("POST", "/v1/payments", payment(amount=999), keyed(key, "after"))
            self.assertIn(later.status, (201, 202), later)
            self.assertEqual(proxy.run("restore", "--conf", str(proxy.conf), str(backup)).returncode, 1)
            http.close()
            proxy.kill()
            lost = Path(place.directory) / "lost"
            lost.mkdir()
            for each in proxy.journal.parent.glob("journal.db*"):
                shutil.move(each, lost / each.name)

            self.a_copied_backup_is_refused(proxy, backup)
            self.without_its_keys_it_is_refused(proxy, backup)
            put_back = proxy.run("restore", "--conf", str(proxy.conf), str(backup))
            self.assertEqual(put_back.returncode, 0, put_back)
            self.assertIn("are not known to it", put_back.stderr)
            self.assertEqual(self.run_verify(proxy).returncode, 0)

            proxy.start()
            self.assertRegex(proxy.process.output(), "journal_restored")
            http = Http(proxy.port)
            self.assertEqual(http.request("GET", f"/v1/payments/{paid.json['id']}", headers=bearer(key)).json["amount_refunded"], 250)
            replayed = http.request("POST", "/v1/payments", wish, keyed(key, "before"))
            self.assertEqual((replayed.status, replayed.json["id"]), (201, paid.json["id"]))
            # What was open is taken up and settled.
            url = f"/v1/payments/{stalled.json['id']}"
            wait_until("the open payment to be settled",
                       lambda: http.request("GET", url, headers=bearer(key)).json["status"] in ("succeeded", "failed"), 90)
            # What came after the backup is not known: its key would charge again, as the documentation says.
            self.assertEqual(http.request("GET", f"/v1/payments/{later.json['id']}", headers=bearer(key)).status, 404)
            http.close()
            self.assertEqual(proxy.stop(), 0)
            # And the head noted when the backup was taken is still in the chain that went on.
            self.assertEqual(self.run_verify(proxy, "--expect-head", head).returncode, 0)
            self.damage_is_named(proxy, paid.json["id"])

    def run_verify(self, proxy, *arguments):
        where = () if arguments and not arguments[0].startswith("--") else ("--conf", str(proxy.conf))
        return proxy.run("verify", *where, *arguments)

    def verify(self, proxy):
        made = self.run_verify(proxy, "--format", "json")
        self.assertEqual(made.returncode, 0, made)
        report = json.loads(made.stdout)
        self.assertTrue(report["sound"])
        self.assertEqual(report["findings"], [])
        return report

    def a_copied_backup_is_refused(self, proxy, backup):
        shutil.copy(backup, proxy.journal)
        refused = proxy.run("serve", "--conf", str(proxy.conf))
        self.assertEqual(refused.returncode, 1)
        self.assertIn("is a backup", refused.stderr)
        self.assertIn("turnout restore", refused.stderr)
        for each in proxy.journal.parent.glob("journal.db*"):
            each.unlink()

    def without_its_keys_it_is_refused(self, proxy, backup):
        aside = proxy.keys.with_name("keys-aside")
        os.rename(proxy.keys, aside)
        refused = proxy.run("restore", "--conf", str(proxy.conf), str(backup))
        self.assertEqual(refused.returncode, 1)
        self.assertIn("missing, and the journal", refused.stderr)
        self.assertFalse(proxy.journal.exists())
        os.rename(aside, proxy.keys)

    def damage_is_named(self, proxy, payment_id):
        proxy.journal_damaged = True
        with sqlite3.connect(proxy.journal) as file:
            file.execute("UPDATE payments SET record = replace(record, '\"amount_refunded\":250', '\"amount_refunded\":0') "
                         "WHERE id = ?", (payment_id,))
        file.close()
        found = self.run_verify(proxy)
        self.assertEqual(found.returncode, 1)
        self.assertIn(f"record, payment {payment_id}", found.stdout)
        self.assertIn(f"money, payment {payment_id}: refunded 0 is not the sum of the refunds, 250", found.stdout)
        nothing = proxy.run("verify", "--conf", str(proxy.conf), "--expect-head", "x")
        self.assertEqual(nothing.returncode, 1)


if __name__ == "__main__":
    unittest.main()
