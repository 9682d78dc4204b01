"""What the router learned survives restarts and reloads, `turnout explain`, and policies that cannot work."""
import json
import stat
import struct
import unittest
from pathlib import Path

from harness import VISA, Http, Workplace, bearer, card, payment

POLICIES = """
version: 1
policies:
  - name: french
    match: {country: FR}
    route: {connectors: [beta]}
  - name: dollars
    match: {currency: USD, amount: {below: 100.00 USD}}
    route: {strategy: priority, connectors: [alpha, beta]}
  - name: euros
    match: {currency: EUR, not: {brand: mastercard}}
    route: {connectors: [alpha, beta]}
    retry: {max_attempts: 2, deadline: 5s, on: [technical, not_sent]}
  - name: impossible
    match: {currency: EUR}
    route: {connectors: [gamma]}
"""


class Explaining(unittest.TestCase):
    def setUp(self):
        self.place = Workplace(policies=POLICIES)
        self.addCleanup(self.place.__exit__, None, None, None)
        self.place.sandbox.calm()
        self.proxy = self.place.proxy
        self.state = Path(str(self.proxy.journal) + ".routing")
        self.key = bearer(self.proxy.make_key())

    def start(self):
        self.proxy.start()
        self.http, self.admin = Http(self.proxy.port), Http(self.proxy.admin_port)
        self.addCleanup(self.http.close)
        self.addCleanup(self.admin.close)

    def restart(self):
        self.assertEqual(self.proxy.stop(), 0)
        self.start()

    def learn(self, count=40):
        """alpha approves everything, beta nothing."""
        self.place.sandbox.control("beta", approval_rate=0.0, declines={"do_not_honor": 1.0})
        for n in range(count):
            for more in ({}, {"customer": {"country": "FR"}}):
                answer = self.http.request("POST", "/v1/payments", payment(1000 + n, **more), self.key)
                self.assertEqual(answer.status, 201, answer)

    def connectors(self):
        return {each["connector"]: each for each in self.admin.request("GET", "/admin/connectors").json["data"]}

    def explain(self, wanted, *arguments, raw=None):
        file = Path(self.place.directory) / "wanted.json"
        file.write_text(raw if raw is not None else json.dumps(wanted))
        return self.proxy.run("explain", "--payment", str(file), "--conf", str(self.proxy.conf), *arguments)

    def explained(self, wanted, *arguments):
        done = self.explain(wanted, "--format", "json", *arguments)
        self.assertEqual(done.returncode, 0, done)
        self.assertNotIn(VISA, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def running(self):
        return ("--admin", f"http://127.0.0.1:{self.proxy.admin_port}")

    # ---- state that survives ------------------------------------------------

    def test_a_restart_keeps_what_was_learned(self):
        self.start()
        fresh = self.connectors()["beta"]["approval"]
        self.learn()
        before = self.connectors()
        self.assertLess(before["beta"]["approval"], fresh - 0.3)
        self.restart()
        after = self.connectors()
        for name in ("alpha", "beta"):
            self.assertAlmostEqual(after[name]["approval"], before[name]["approval"], delta=0.02)
            self.assertAlmostEqual(after[name]["latency_ms"], before[name]["latency_ms"], delta=5)
        self.proxy.process.line_matching(r"\"routing_state_restored\"")
        self.assertEqual(stat.S_IMODE(self.state.stat().st_mode), 0o600)
        content = self.state.read_bytes()
        self.assertNotIn(VISA.encode(), content)

    def test_a_killed_proxy_starts_from_the_last_save(self):
        self.start()
        self.learn()
        learned = self.connectors()["beta"]["approval"]
        self.restart()
        self.proxy.kill()
        self.start()
        self.assertLess(learned, 0.5)
        self.assertAlmostEqual(self.connectors()["beta"]["approval"], learned, delta=0.02)

    def test_a_bad_file_is_dropped_with_a_line_in_the_log(self):
        self.start()
        fresh = self.connectors()["beta"]["approval"]
        self.learn()
        self.assertEqual(self.proxy.stop(), 0)
        good = self.state.read_bytes()
        flipped = bytearray(good)
        flipped[len(good) // 2] ^= 1
        old = bytearray(good)
        at = len(b"turnout-routing")
        struct.pack_into("<I", old, at, struct.unpack_from("<I", old, at)[0] + 1)
        for content, why in ((bytes(flipped), "damaged"), (good[:-7], "damaged"), (b"", "not a snapshot"),
                             (bytes(old), "version")):
            self.state.write_bytes(content)
            self.start()
            found = self.proxy.process.line_matching(r'"routing_state_dropped".*')
            self.assertIn(why, found.group(0))
            self.assertIn(str(self.state), found.group(0))
            self.assertAlmostEqual(self.connectors()["beta"]["approval"], fresh, delta=0.02)
            paid = self.http.request("POST", "/v1/payments", payment(), self.key)
            self.assertEqual(paid.status, 201, paid)
            self.proxy.kill()  # nothing is saved

    def test_a_reload_keeps_and_loses_only_a_connectors_own(self):
        self.start()
        self.learn()
        before = self.connectors()
        beta = self.proxy.conf / "connectors" / "beta.yaml"
        definition = beta.read_text()
        beta.unlink()
        policies = self.proxy.conf / "policies" / "test.yaml"
        policies.write_text(POLICIES.replace("[alpha, beta]", "[alpha]").replace("[beta]", "[alpha]"))
        self.assertEqual(self.admin.request("POST", "/-/reload").status, 200)
        self.assertNotIn("beta", self.connectors())
        self.assertAlmostEqual(self.connectors()["alpha"]["approval"], before["alpha"]["approval"], delta=0.02)
        beta.write_text(definition)
        policies.write_text(POLICIES)
        self.assertEqual(self.admin.request("POST", "/-/reload").status, 200)
        after = self.connectors()
        self.assertAlmostEqual(after["alpha"]["approval"], before["alpha"]["approval"], delta=0.02)
        self.assertGreater(after["beta"]["approval"], before["beta"]["approval"] + 0.3)

    # ---- turnout explain ----------------------------------------------------

    def test_a_running_proxy_explains_from_what_it_knows(self):
        self.start()
        self.learn()
        told = self.explained(payment(), *self.running())
        self.assertEqual((told["state"], told["refusal"], told["strategy"]), ("running", None, "adaptive"))
        self.assertEqual(told["payment"]["brand"], "visa")
        self.assertEqual([(each["policy"], each["matches"]) for each in told["policies"]],
                         [("french", False), ("dollars", False), ("euros", True)])
        self.assertEqual(told["policies"][0]["unmet"], [{"condition": "country FR", "why": "does_not_hold"}])
        self.assertEqual(told["policies"][1]["unmet"],
                         [{"condition": "currency USD", "why": "does_not_hold"},
                          {"condition": "amount below 100.00 USD", "why": "rate_unavailable"}])
        decision = told["decision"]
        self.assertEqual((decision["policy"], decision["chosen"]), ("euros", "alpha"))
        self.assertAlmostEqual(sum(each["probability"] for each in decision["candidates"]), 1, delta=1e-4)
        self.assertEqual({each["connector"]: each["reason"] for each in decision["excluded"]},
                         {"gamma": "not_in_policy", "delta": "not_in_policy"})
        after = {each["ended"]: each for each in told["retry"]["after"]}
        self.assertEqual(after["not_sent"]["then"], ["beta"])
        self.assertEqual(after["do_not_honor"], {"ended": "do_not_honor", "then": [], "stops": "not_in_policy"})
        self.assertEqual(after["unknown"]["stops"], "until_proven_not_charged")
        # As the payment itself is decided.
        paid = self.http.request("POST", "/v1/payments", payment(), self.key).json
        made = self.http.request("GET", f"/v1/payments/{paid['id']}/decisions", headers=self.key).json["data"][0]
        for field in ("policy", "policy_version", "configuration_version", "segment", "excluded"):
            self.assertEqual(made[field], decision[field])
        self.assertEqual(made["explored"], made["why"] in ("explored", "probed"))
        self.assertRegex(made["configuration_version"], r"^[0-9a-f]{12}$")

    def test_the_admin_token_is_sent(self):
        self.proxy.edit("turnout.yaml", r"admin: \{", 'admin: {token: "${ADMIN_TOKEN}", ')
        self.proxy.environment["ADMIN_TOKEN"] = "a token of sufficient length"
        self.start()
        self.assertEqual(self.explained(payment(), *self.running())["state"], "running")
        self.proxy.environment["ADMIN_TOKEN"] = "another one, of the same kind"
        done = self.explain(payment(), *self.running())
        self.assertEqual(done.returncode, 1)
        self.assertIn("answers 401: give the admin token", done.stderr)

    def test_explaining_changes_nothing(self):
        self.start()
        self.learn(5)
        before, journal = self.connectors(), self.proxy.payments()
        for _ in range(20):
            self.explained(payment(), *self.running())
        after = self.connectors()
        for name, each in after.items():
            self.assertEqual(each["in_flight"], before[name]["in_flight"])
            self.assertAlmostEqual(each["share"], before[name]["share"], delta=1e-6)
            # What was learned fades as time passes; twenty payments would move it much further.
            self.assertAlmostEqual(each["approval"], before[name]["approval"], delta=0.02)
        self.assertEqual(self.proxy.payments(), journal)

    def test_without_a_proxy_the_files_speak(self):
        told = self.explained(payment())
        self.assertEqual((told["state"], told["decision"]["policy"]), ("none", "euros"))
        self.start()
        self.learn()
        approval = {each["connector"]: each["approval"]
                    for each in self.explained(payment(), *self.running())["decision"]["candidates"]}
        self.proxy.stop()
        told = self.explained(payment())
        self.assertEqual(told["state"], "saved")
        for each in told["decision"]["candidates"]:
            self.assertAlmostEqual(each["approval"], approval[each["connector"]], delta=0.02)
        content = bytearray(self.state.read_bytes())
        content[40] ^= 1
        self.state.write_bytes(content)
        done = self.explain(payment())
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("is not used", done.stdout)
        self.assertEqual(self.state.read_bytes(), bytes(content))

    def test_a_table_for_people(self):
        wanted = payment(amount=999, payment_method={"type": "card", "card": {"bin": "424242"}})
        done = self.explain(wanted)
        self.assertEqual(done.returncode, 0, done)
        for part in ("9.99 EUR", "card visa 424242", "euros: matches", "does not match, it wants currency USD",
                     "alpha", "± ", "not_in_policy", "up to 2 attempts in 5 s",
                     "until it is proven that nothing was charged"):
            self.assertIn(part, done.stdout)

    def test_a_payment_that_would_be_refused(self):
        told = self.explained(payment(payment_method=card("5555555555554444"), currency="EUR", capture="manual"))
        self.assertEqual(told["decision"]["policy"], "impossible")
        told = self.explained(payment(currency="GBP"))
        self.assertEqual((told["refusal"], told["retry"], told["decision"]["chosen"]), ("no_policy", None, None))
        done = self.explain(payment(currency="GBP"))
        self.assertIn("422 no_policy", done.stdout)

    def test_errors_name_the_file_and_the_field(self):
        done = self.explain({"amount": 1, "currency": "EUR"})
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"wanted\.json: payment_method: is required")
        self.assertEqual(done.stdout, "")
        done = self.explain(None, raw="{")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"wanted\.json: ")
        done = self.explain(payment(), "--merchant", "stranger")
        self.assertRegex(done.stderr, r"merchant: is in no connector's list; allowed: demo")
        missing = self.proxy.run("explain", "--payment", "/nowhere.json", "--conf", str(self.proxy.conf))
        self.assertEqual(missing.returncode, 1)
        self.assertIn("/nowhere.json: No such file", missing.stderr)
        self.assertEqual(self.proxy.run("explain").returncode, 2)
        self.start()
        done = self.explain({"amount": 1.5, "currency": "EUR", "payment_method": card()}, *self.running())
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"wanted\.json: amount: must be an integer")
        self.assertNotIn(VISA, done.stderr)
        self.admin.close()
        self.proxy.stop()
        done = self.explain(payment(), *self.running())
        self.assertEqual(done.returncode, 1)
        self.assertIn("connect_refused", done.stderr)

    # ---- bad input ----------------------------------------------------------

    def test_an_impossible_policy_says_why_nobody_fits(self):
        self.proxy.edit("connectors/gamma.yaml", r"brands: \[[^]]*\]", "brands: [visa]")
        self.start()
        refused = self.http.request("POST", "/v1/payments", payment(payment_method=card("5555555555554444")), self.key)
        self.assertEqual((refused.status, refused.json["code"]), (422, "no_connector"))
        self.assertEqual({each["connector"]: each["reason"] for each in refused.json["exclusions"]},
                         {"alpha": "not_in_policy", "beta": "not_in_policy", "delta": "not_in_policy",
                          "gamma": "brand_not_supported"})

    def test_what_cannot_be_meant_is_a_load_error_with_its_place(self):
        policies = self.proxy.conf / "policies" / "test.yaml"
        for route, place, words in (
                ("{strategy: weighted, weights: {alpha: 1, beta: -2}}", "4:59", "from 0.001 to"),
                ("{strategy: weighted, weights: {alpha: 1, alpha: 2}}", "4:", "alpha"),
                ("{strategy: weighted, weights: {alpha: 1}, connectors: [beta]}", "4:", "the weights name them"),
                ("{strategy: priority, weights: {alpha: 1}, connectors: [alpha]}", "4:", "only strategy 'weighted'"),
                ("{strategy: weighted}", "4:", "needs 'weights'"),
                ("{connectors: [alpha, betta]}", "4:", "did you mean 'beta'"),
                ("{objective: {margin: -5%}}", "4:", "margin"),
                ("{objective: {unknown_cost: -1.00 EUR}}", "4:", "unknown_cost")):
            policies.write_text(f"version: 1\npolicies:\n  - name: p\n    route: {route}\n")
            done = self.proxy.run("check", str(self.proxy.conf))
            self.assertEqual(done.returncode, 1, (route, done))
            self.assertRegex(done.stderr, rf"policies/test\.yaml:{place}\d*: error: ", route)
            self.assertIn(words, done.stderr)
        policies.write_text(POLICIES)
        alpha = self.proxy.conf / "connectors" / "alpha.yaml"
        good = alpha.read_text()
        for fees in ("{percent: -1.4}", "{percent: 101}", "{fixed: {EUR: -25}}", "{per_attempt: {EUR: -2}}"):
            line = next(n for n, text in enumerate(good.splitlines(), 1) if text.startswith("fees:"))
            alpha.write_text("\n".join(f"fees: {fees}" if text.startswith("fees:") else text
                                       for text in good.splitlines()) + "\n")
            done = self.proxy.run("check", str(self.proxy.conf))
            self.assertEqual(done.returncode, 1, (fees, done))
            self.assertRegex(done.stderr, rf"alpha\.yaml:{line}:\d+: error: ", fees)


if __name__ == "__main__":
    unittest.main()
