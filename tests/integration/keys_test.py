"""API keys, their limits and the guard against card testing, over real processes."""
import re
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from harness import Http, Workplace, audit, bearer, card, payment, wait_until

LIMITS = """
rate_limits: {requests_per_second: 1, burst: 20}
merchants: {demo: {unique_reference: true, rate_limits: {requests_per_second: 0}}}
card_testing: {window: 10m, per: {customer: {cards: 2}, ip: {declines: 2}}}
connectors:"""


def luhn(head):
    """`head` with its check digit."""
    total = 0
    for place, digit in enumerate(reversed(head)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return head + str(-total % 10)


class Keys(unittest.TestCase):
    def setUp(self):
        self.place = Workplace(replace=[("turnout.yaml", r"(?m)^connectors:", LIMITS)])
        self.addCleanup(self.place.__exit__, None, None, None)
        self.conf = str(self.place.proxy.conf)

    def start(self):
        self.place.sandbox.calm()
        self.place.proxy.start()
        self.http = Http(self.place.proxy.port)
        self.addCleanup(self.http.close)

    def keys(self, *arguments):
        done = self.place.proxy.run("keys", arguments[0], "--conf", self.conf, *arguments[1:])
        self.assertEqual(done.returncode, 0, done)
        return done.stdout

    def pay(self, key, headers=None, **changes):
        return self.http.request("POST", "/v1/payments", payment(**changes), {**bearer(key), **(headers or {})})

    def counted(self, reason):
        admin = Http(self.place.proxy.admin_port)
        text = admin.request("GET", "/metrics").text.decode()
        admin.close()
        return int(re.search(rf'turnout_rate_limited_total{{reason="{reason}"}} (\d+)', text).group(1))

    def test_scopes_rotation_expiry_and_last_use(self):
        self.start()
        reader = self.keys("create", "--merchant", "demo", "--scope", "payments:read").strip()
        refused = self.pay(reader)
        self.assertEqual((refused.status, refused.json["code"]), (403, "insufficient_scope"))
        first = self.place.proxy.make_key()
        made = self.pay(first)
        self.assertEqual(made.status, 201)
        path = "/v1/payments/" + made.json["id"]
        self.assertEqual(self.http.request("GET", path, headers=bearer(reader)).status, 200)

        second = self.keys("rotate", first, "--overlap", "24h").strip()
        self.assertEqual([self.pay(key).status for key in (first, second)], [201, 201])
        third = self.keys("rotate", second.split(":")[0], "--overlap", "0s").strip()
        self.assertEqual(self.pay(third).status, 201)
        wait_until("the rotated key to be refused", lambda: self.pay(second).status == 401)
        expired, unknown = self.pay(second), self.pay("ak_nobody:sk_nothing")
        self.assertEqual({**expired.json, "request_id": ""}, {**unknown.json, "request_id": ""})

        used = self.place.proxy.keys / "api_keys_used.json"
        wait_until("uses to be written", used.exists)
        self.place.proxy.stop()
        lines = {line.split()[0]: line for line in self.keys("list").splitlines()}
        self.assertRegex(lines[first.split(":")[0]], r"demo  all  last used 20\S+Z  expires 20\S+Z$")
        self.assertRegex(lines[second.split(":")[0]], r"last used 20\S+Z  expired 20\S+Z$")
        self.assertRegex(lines[third.split(":")[0]], r"last used 20\S+Z$")
        self.assertIn("payments:read", lines[reader.split(":")[0]])
        unused = self.place.proxy.make_key().split(":")[0]
        self.assertRegex(self.keys("list"), unused + r"  test  \S+  demo  all  never used\n")

    def test_one_bucket_for_all_workers_and_a_merchant_without_limit(self):
        self.start()
        other, demo = self.place.proxy.make_key("other"), self.place.proxy.make_key()

        def ask(_):
            http = Http(self.place.proxy.port)
            answers = [http.request("GET", "/v1/payments/pay_none", headers=bearer(other)) for _ in range(10)]
            http.close()
            return answers

        with ThreadPoolExecutor(8) as pool:
            answers = [each for batch in pool.map(ask, range(8)) for each in batch]
        passed = [each for each in answers if each.status == 404]
        refused = [each for each in answers if each.status == 429]
        self.assertEqual(len(passed) + len(refused), 80)
        self.assertGreaterEqual(len(passed), 20)
        self.assertLess(len(passed), 40)  # what came while it ran
        self.assertEqual({each.json["code"] for each in refused}, {"rate_limited"})
        self.assertEqual(self.counted("requests"), len(refused))
        for _ in range(60):
            self.assertEqual(self.http.request("GET", "/v1/payments/pay_none", headers=bearer(demo)).status, 404)

        self.place.proxy.edit("turnout.yaml", r"requests_per_second: 1, burst: 20", "requests_per_second: 0")
        admin = Http(self.place.proxy.admin_port)
        self.assertEqual(admin.request("POST", "/-/reload").status, 200)
        admin.close()
        for _ in range(30):
            self.assertEqual(self.http.request("GET", "/v1/payments/pay_none", headers=bearer(other)).status, 404)

    def test_a_payment_is_its_merchants_only(self):
        self.start()
        demo, other = self.place.proxy.make_key(), self.place.proxy.make_key("other")
        made = self.pay(demo, capture="manual").json["id"]
        for method, path, body in (("GET", "", None), ("GET", "/attempts", None), ("GET", "/captures", None),
                                   ("GET", "/refunds", None), ("GET", "/events", None), ("GET", "/decisions", None),
                                   ("POST", "/captures", {"amount": 100}), ("POST", "/refunds", {"amount": 100}),
                                   ("POST", "/cancel", {})):
            told = []
            for payment_id in (made, "pay_none"):
                answer = self.http.request(method, f"/v1/payments/{payment_id}{path}", body, bearer(other))
                told.append((answer.status, {**answer.json, "request_id": ""}))
            self.assertEqual(told[0], told[1], path)
            self.assertEqual(told[0][0], 404, path)
        now = self.http.request("GET", "/v1/payments/" + made, headers=bearer(demo)).json
        self.assertEqual((now["status"], now["amount_captured"]), ("authorized", 0))
        self.assertEqual(self.http.request("GET", "/v1/payments", headers=bearer(other)).json["data"], [])

    def test_a_reference_is_payable_once_where_the_merchant_wants_it(self):
        self.start()
        demo = self.place.proxy.make_key()
        self.assertEqual(self.pay(demo, reference="order-1").status, 201)
        again = self.pay(demo, reference="order-1")
        self.assertEqual((again.status, again.json["code"]), (422, "reference_taken"))
        self.assertEqual([self.pay(demo).status for _ in range(2)], [201, 201])
        self.assertEqual(len(self.place.proxy.payments()), 3)

    def test_card_testing_is_refused_before_anything_is_recorded(self):
        self.start()
        key = self.place.proxy.make_key()
        numbers = [luhn(f"42424242424{n:04}") for n in range(3)]
        told = []
        for number in numbers[:2]:
            told.append(self.pay(key, {"Idempotency-Key": number[-6:]}, payment_method=card(number),
                                 customer={"id": "cus_1"}))
            self.assertEqual(told[-1].status, 201)
        refused = self.pay(key, {"Idempotency-Key": "third"}, payment_method=card(numbers[2]), customer={"id": "cus_1"})
        self.assertEqual((refused.status, refused.json["code"]), (429, "card_testing_suspected"))
        again = self.pay(key, {"Idempotency-Key": numbers[1][-6:]}, payment_method=card(numbers[1]),
                         customer={"id": "cus_1"})
        self.assertEqual((again.status, again.json["id"]), (201, told[1].json["id"]))
        # The key of the refused request is free, for another body, too.
        told.append(self.pay(key, {"Idempotency-Key": "third"}, payment_method=card(numbers[2]),
                             customer={"id": "cus_2", "ip": "192.0.2.1"}))
        self.assertEqual(told[-1].status, 201)

        self.place.sandbox.control("alpha", approval_rate=0.0, declines={"stolen_card": 1.0})
        self.place.sandbox.control("beta", approval_rate=0.0, declines={"stolen_card": 1.0})
        self.place.sandbox.control("gamma", approval_rate=0.0, declines={"stolen_card": 1.0})
        for n in range(2):
            declined = self.pay(key, {"Idempotency-Key": f"declined-{n}"},
                                customer={"id": f"cus_d{n}", "ip": "192.0.2.7"})
            self.assertEqual((declined.status, declined.json["status"]), (201, "failed"))
            told.append(declined)
        refused = self.pay(key, customer={"id": "cus_d9", "ip": "::ffff:192.0.2.7"})
        self.assertEqual((refused.status, refused.json["code"]), (429, "card_testing_suspected"))
        again = self.pay(key, {"Idempotency-Key": "declined-1"}, customer={"id": "cus_d1", "ip": "192.0.2.7"})
        self.assertEqual(again.json["id"], told[-1].json["id"])
        self.assertEqual((self.counted("customer_cards"), self.counted("ip_declines")), (1, 1))
        self.assertEqual(len(self.place.proxy.payments()), len(told))
        audit(self.place, [(each.status, each.json) for each in told])
        self.place.proxy.stop()
        for file in self.place.directory_files():
            self.assertNotIn(b"192.0.2.7", file.read_bytes(), file)


if __name__ == "__main__":
    unittest.main()
