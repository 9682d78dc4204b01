"""Bad input gets a clear 4xx that names the field, and leaves no trace."""
import json
import unittest

from harness import Http, Workplace, bearer, card, payment

WRONG = [
    # (what, body, the field that the answer must name)
    ("zero amount", payment(amount=0), "amount"),
    ("negative amount", payment(amount=-5), "amount"),
    ("fractional amount", payment(amount=12.5), "amount"),
    ("amount as text", payment(amount="1250"), "amount"),
    ("huge amount", payment(amount=10**16), "amount"),
    ("amount beyond 64 bits", payment(amount=10**30), "amount"),
    ("unknown currency", payment(currency="XXQ"), "currency"),
    ("lower-case currency", payment(currency="eur"), "currency"),
    ("currency of another type", payment(currency=978), "currency"),
    ("unknown field", payment(colour="red"), "colour"),
    ("unknown nested field", payment(customer={"id": "1", "shoe_size": 44}), "customer.shoe_size"),
    ("wrong check digit", payment(payment_method=card("4242424242424241")), "payment_method.card.number"),
    ("letters in the number", payment(payment_method=card("4242abcd42424242")), "payment_method.card.number"),
    ("expired", payment(payment_method=card(exp_month=1, exp_year=2020)), "payment_method.card.exp_year"),
    ("month 13", payment(payment_method=card(exp_month=13)), "payment_method.card.exp_month"),
    ("cvc of letters", payment(payment_method=card(cvc="abc")), "payment_method.card.cvc"),
    ("long holder", payment(payment_method=card(holder="x" * 101)), "payment_method.card.holder"),
    ("long reference", payment(reference="r" * 101), "reference"),
    ("unknown method", payment(payment_method={"type": "cheque"}), "payment_method.type"),
    ("capture", payment(capture="sometimes"), "capture"),
    ("metadata value", payment(metadata={"a": 5}), "metadata.a"),
    ("too much metadata", payment(metadata={f"k{i}": "v" for i in range(51)}), "metadata"),
    ("return_url", payment(return_url="javascript:alert(1)"), "return_url"),
    ("country", payment(customer={"country": "Germany"}), "customer.country"),
]
UNREADABLE = [
    ("not JSON", b"{"),
    ("empty", b""),
    ("an array", b"[]"),
    ("duplicate keys", json.dumps(payment()).encode()[:-1] + b', "amount": 1}'),
    ("invalid UTF-8", json.dumps(payment()).encode()[:-1] + b', "reference": "\xff\xfe"}'),
    ("deep nesting", b'{"metadata":' * 1 + b"[" * 5000 + b"]" * 5000 + b"}"),
    ("trailing text", json.dumps(payment()).encode() + b"x"),
]


class Input(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Workplace()
        cls.addClassCleanup(cls.place.__exit__, None, None, None)
        cls.place.sandbox.calm()
        cls.headers = bearer(cls.place.proxy.make_key())
        cls.place.proxy.start()
        cls.http = Http(cls.place.proxy.port)

    def check(self, answer, field=None):
        self.assertGreaterEqual(answer.status, 400, answer)
        self.assertLess(answer.status, 500, answer)
        self.assertTrue(answer.headers["content-type"].startswith("application/problem+json"), answer.headers)
        problem = answer.json
        for name in ("type", "title", "status", "detail", "code", "request_id"):
            self.assertIn(name, problem)
        self.assertEqual(problem["status"], answer.status)
        if field:
            self.assertIn(field, [each["field"] for each in problem["errors"]], problem)
        self.assertNotIn("42424242", answer.text.decode())

    def test_each_field(self):
        for what, body, field in WRONG:
            with self.subTest(what):
                self.check(self.http.request("POST", "/v1/payments", body, self.headers), field)
        self.assertEqual(self.place.proxy.payments(), {})

    def test_unreadable(self):
        for what, body in UNREADABLE:
            with self.subTest(what):
                self.check(self.http.request("POST", "/v1/payments", body, self.headers))
        self.assertEqual(self.place.proxy.payments(), {})

    def test_oversized_body(self):
        http = Http(self.place.proxy.port)
        try:
            answer = http.request("POST", "/v1/payments", b'{"a":"' + b"x" * (2 << 20) + b'"}', self.headers)
            self.assertEqual(answer.status, 413)
        except OSError:
            pass  # refused while the body was still being sent
        http.close()

    def test_keys(self):
        for headers in ({}, bearer("ak_x:sk_y"), {"Authorization": "Bearer"}, {"Authorization": "Basic ???"}):
            answer = self.http.request("POST", "/v1/payments", payment(), headers)
            self.assertEqual(answer.status, 401)
            self.assertIn("www-authenticate", answer.headers)
            self.check(answer)

    def test_routes(self):
        self.check(self.http.request("GET", "/v2/payments", headers=self.headers))
        wrong_method = self.http.request("DELETE", "/v1/payments/pay_0", headers=self.headers)
        self.assertEqual(wrong_method.status, 405)
        self.assertIn("GET", wrong_method.headers["allow"])

    def test_no_gateway_fits(self):
        answer = self.http.request("POST", "/v1/payments", payment(currency="CHF"), self.headers)
        self.assertEqual(answer.status, 422, answer)
        self.assertIn("currency_not_supported", answer.text.decode())
        self.assertEqual(self.place.proxy.payments(), {})

    def test_utf8_is_given_back_exactly(self):
        odd = "Größe 日本 \u0000 \" \\ 🚆"
        wish = payment(reference="Zürich 🚆", metadata={"note": odd})
        made = self.http.request("POST", "/v1/payments", wish, self.headers)
        self.assertEqual(made.status, 201, made)
        read = self.http.request("GET", "/v1/payments/" + made.json["id"], headers=self.headers).json
        self.assertEqual(read["reference"], "Zürich 🚆")
        self.assertEqual(read["metadata"], {"note": odd})
        with self.place.proxy.database() as file:
            file.execute("SELECT 1")

    @classmethod
    def tearDownClass(cls):
        cls.http.close()


class Commands(unittest.TestCase):
    def test_a_broken_file_is_refused_with_its_position(self):
        place = Workplace(replace=[("connectors/alpha.yaml", r"not_found_final_after", "not_found_final_aftr")])
        self.addCleanup(place.__exit__, None, None, None)
        checked = place.proxy.run("check", str(place.proxy.conf))
        self.assertEqual(checked.returncode, 1)
        self.assertRegex(checked.stdout + checked.stderr, r"alpha\.yaml:\d+:\d+: .*not_found_final_after")
        served = place.proxy.run("serve", "--conf", str(place.proxy.conf))
        self.assertEqual(served.returncode, 1)
        self.assertRegex(served.stderr, r"alpha\.yaml:\d+:\d+: ")

    def test_the_shipped_files_pass(self):
        place = Workplace()
        self.addCleanup(place.__exit__, None, None, None)
        self.assertEqual(place.proxy.run("check", str(place.proxy.conf)).returncode, 0)

    def test_exit_codes(self):
        place = Workplace()
        self.addCleanup(place.__exit__, None, None, None)
        self.assertEqual(place.proxy.run("--version").returncode, 0)
        self.assertEqual(place.proxy.run("serve", "--help").returncode, 0)
        self.assertEqual(place.proxy.run("derail").returncode, 2)
        self.assertEqual(place.proxy.run("check", "/nowhere").returncode, 1)

    def test_a_second_proxy_on_one_journal_is_refused(self):
        place = Workplace()
        self.addCleanup(place.__exit__, None, None, None)
        place.proxy.start()
        second = place.proxy.run("serve", "--conf", str(place.proxy.conf))
        self.assertEqual(second.returncode, 1)
        self.assertIn("in use", second.stderr)

    def test_a_taken_port_says_how_to_change_it(self):
        place = Workplace()
        self.addCleanup(place.__exit__, None, None, None)
        place.proxy.edit("turnout.yaml", r"(listen: .*)port: 0", r"\1port: %d" % place.sandbox.port)
        taken = place.proxy.run("serve", "--conf", str(place.proxy.conf))
        self.assertEqual(taken.returncode, 1)
        self.assertIn(str(place.sandbox.port), taken.stderr)
        self.assertIn("listen.port", taken.stderr)


if __name__ == "__main__":
    unittest.main()
