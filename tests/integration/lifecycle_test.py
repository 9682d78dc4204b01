"""Start, reload, drain: what an operator does."""
import os
import signal
import threading
import unittest

from harness import BINARY, READY, Http, Process, Workplace, audit, bearer, payment, wait_until


class Lifecycle(unittest.TestCase):
    def open(self, **options):
        place = Workplace(**options)
        self.addCleanup(place.__exit__, None, None, None)
        place.sandbox.calm()
        self.headers = bearer(place.proxy.make_key())
        place.proxy.start()
        return place

    def test_sigterm_finishes_payments_in_flight(self):
        place = self.open()
        for name in place.sandbox.urls:
            place.sandbox.control(name, latency_ms=700, latency_sigma=0)
        answers = []

        def pay():
            http = Http(place.proxy.port)
            answers.append(http.request("POST", "/v1/payments", payment(), self.headers))
            http.close()

        threads = [threading.Thread(target=pay) for _ in range(8)]
        for each in threads:
            each.start()
        with place.proxy.database() as file:
            wait_until("all to be under way", lambda: file.execute("SELECT count(*) FROM payments").fetchone()[0] == 8)
        admin = Http(place.proxy.admin_port)
        place.proxy.process.child.send_signal(signal.SIGTERM)

        def not_ready():
            try:
                return admin.request("GET", "/health/ready").status == 503
            except OSError:
                return True

        wait_until("ready to turn false", not_ready)
        for each in threads:
            each.join()
        self.assertEqual(place.proxy.process.child.wait(30), 0)
        self.assertEqual([each.status for each in answers], [201] * 8)
        audit(place, [(each.status, each.json) for each in answers])

    def test_reload(self):
        place = self.open()
        admin, http = Http(place.proxy.admin_port), Http(place.proxy.port)
        place.proxy.edit("policies/*.yaml", r"strategy: adaptive", "strategy: adaptiv")
        refused = admin.request("POST", "/-/reload")
        self.assertGreaterEqual(refused.status, 400)
        self.assertRegex(refused.text.decode(), r"\.yaml:\d+:\d+")
        self.assertEqual(http.request("POST", "/v1/payments", payment(), self.headers).status, 201)
        self.assertIn("turnout_config_last_reload_successful 0", admin.request("GET", "/metrics").text.decode())
        place.proxy.edit("policies/*.yaml", r"strategy: adaptiv\b", "strategy: priority")
        self.assertEqual(admin.request("POST", "/-/reload").status, 200)
        self.assertIn("turnout_config_last_reload_successful 1", admin.request("GET", "/metrics").text.decode())
        made = http.request("POST", "/v1/payments", payment(), self.headers)
        self.assertEqual(made.json["connector"], "alpha")

    def test_reload_sets_the_log_level_and_names_what_needs_a_restart(self):
        place = self.open()
        admin = Http(place.proxy.admin_port)
        place.proxy.edit("turnout.yaml", r"level: info", "level: debug")
        self.assertEqual(admin.request("POST", "/-/reload").status, 200)
        admin.request("GET", "/health/ready")
        place.proxy.process.line_matching(r'"event":"http_request"')
        self.assertNotIn("config_needs_restart", place.proxy.process.output())
        place.proxy.edit("turnout.yaml", r"port: 0", "port: 1")
        place.proxy.edit("turnout.yaml", r"body: 1MiB", "body: 2MiB")
        place.proxy.edit("turnout.yaml", r"write_timeout: 10s", "write_timeout: 11s")
        place.proxy.edit("turnout.yaml", r"admin: \{", "admin: {token: 0123456789abcdef, address: 127.0.0.2, ")
        place.proxy.edit("turnout.yaml", r", address: 127.0.0.1, port: 1\}", ", port: 2}")
        self.assertEqual(admin.request("POST", "/-/reload").status, 200)
        place.proxy.process.line_matching(
            r'"event":"config_needs_restart".*: listen.port, admin.address, admin.port, admin.token, '
            r'limits.write_timeout, limits.body"')
        self.assertNotIn("0123456789abcdef", place.proxy.process.output())

    def test_a_journal_without_its_keys_refuses_to_start(self):
        place = self.open()
        http = Http(place.proxy.port)
        self.assertEqual(http.request("POST", "/v1/payments", payment(), self.headers).status, 201)
        place.proxy.stop()
        os.rename(place.proxy.keys, str(place.proxy.keys) + ".gone")
        refused = place.proxy.run("serve", "--conf", str(place.proxy.conf))
        self.assertEqual(refused.returncode, 1)
        self.assertIn("keys", refused.stderr)

    def test_damaged_or_readable_api_keys_refuse_to_start(self):
        place = self.open()
        place.proxy.stop()
        file = place.proxy.keys / "api_keys.json"
        good = file.read_bytes()
        file.write_bytes(good[:len(good) // 2])
        refused = place.proxy.run("serve", "--conf", str(place.proxy.conf))
        self.assertEqual(refused.returncode, 1)
        self.assertIn(f"the API keys in {file} cannot be used", refused.stderr)
        file.write_bytes(good)
        file.chmod(0o644)
        refused = place.proxy.run("serve", "--conf", str(place.proxy.conf))
        self.assertEqual(refused.returncode, 1)
        self.assertIn("chmod 600", refused.stderr)
        file.chmod(0o600)
        place.proxy.start()

    def test_new_keys_work_at_once_also_after_wrong_ones(self):
        place = self.open()
        http = Http(place.proxy.port)
        for _ in range(3):
            self.assertEqual(http.request("POST", "/v1/payments", payment(), bearer("ak_x:sk_x")).status, 401)
            key = place.proxy.make_key()
            self.assertEqual(http.request("POST", "/v1/payments", payment(), bearer(key)).status, 201)

    def test_metrics_are_there_when_it_is_ready(self):
        place = self.open()
        place.proxy.stop()
        process = Process([BINARY, "serve", "--conf", str(place.proxy.conf)], place.proxy.environment)
        self.addCleanup(process.kill)
        admin = Http(int(process.line_matching(READY).group(2)))
        text = admin.request("GET", "/metrics").text.decode()
        self.assertRegex(text, r"(?m)^turnout_retry_budget_remaining 20$")
        for name in ("alpha", "beta", "gamma"):
            self.assertRegex(text, rf'turnout_connector_score{{connector="{name}"}} 0\.[5-9]')
            self.assertRegex(text, rf'turnout_connector_state{{[^}}]*connector="{name}"[^}}]*state="closed"[^}}]*}} 1')

    def test_web_pages_cannot_reload(self):
        place = self.open()
        admin = Http(place.proxy.admin_port)
        refused = admin.request("POST", "/-/reload", headers={"Origin": "http://example.test"})
        self.assertEqual((refused.status, refused.json["code"]), (403, "origin_refused"))
        self.assertEqual(admin.request("POST", "/-/reload").status, 200)

    def test_an_emptied_journal_refuses_to_start_and_a_missing_one_is_told(self):
        place = self.open()
        http = Http(place.proxy.port)
        self.assertEqual(http.request("POST", "/v1/payments", payment(), self.headers).status, 201)
        http.close()
        place.proxy.stop()
        for each in place.proxy.journal.parent.glob("journal.db*"):
            each.unlink()
        place.proxy.journal.touch()
        refused = place.proxy.run("serve", "--conf", str(place.proxy.conf))
        self.assertEqual(refused.returncode, 1)
        self.assertIn("is empty", refused.stderr)
        place.proxy.journal.unlink()
        place.proxy.start()
        place.proxy.process.line_matching('"journal_new"')

    def test_a_revoked_key_stops_working_while_the_proxy_runs(self):
        place = self.open()
        http = Http(place.proxy.port)
        second = place.proxy.make_key()
        self.assertEqual(http.request("POST", "/v1/payments", payment(), bearer(second)).status, 201)
        revoked = place.proxy.run("keys", "revoke", "--conf", str(place.proxy.conf), second.split(":")[0])
        self.assertEqual(revoked.returncode, 0, revoked)
        wait_until("the key to be refused",
                   lambda: http.request("POST", "/v1/payments", payment(), bearer(second)).status == 401)
        self.assertEqual(http.request("POST", "/v1/payments", payment(), self.headers).status, 201)

    def test_decisions_explain_the_choice(self):
        place = self.open()
        place.sandbox.control("alpha", outage="refuse")
        place.sandbox.control("beta", outage="refuse")
        http = Http(place.proxy.port)
        made = http.request("POST", "/v1/payments", payment(), self.headers)
        self.assertEqual(made.json["connector"], "gamma")
        path = "/v1/payments/" + made.json["id"]
        decisions = http.request("GET", path + "/decisions", headers=self.headers).json["data"]
        self.assertEqual(len(decisions), len(made.json["attempts"]))
        first = decisions[0]
        self.assertAlmostEqual(sum(each["probability"] for each in first["candidates"]), 1, places=6)
        events = http.request("GET", path + "/events", headers=self.headers).json["data"]
        self.assertEqual([each["type"] for each in events][:2], ["created", "attempt_started"])


if __name__ == "__main__":
    unittest.main()
