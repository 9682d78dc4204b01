"""Captures, refunds and cancellations: amounts never exceed what is there, and
ledger, journal and answers agree, whatever happens on the way."""
import random
import threading
import time
import unittest

from harness import SLOW, Http, Workplace, bearer, payment, wait_until

POLICY = """version: 1
policies:
  - name: one
    route: {strategy: priority, connectors: [%s]}
"""
CALM = {"apply_then_drop": 0, "apply_then_stall": 0, "error_after_apply": 0, "drop_before_apply": 0, "rate_limited": 0}
GATEWAYS = ("alpha", "beta", "gamma")


class House(unittest.TestCase):
    def open(self, gateway="alpha", **options):
        place = Workplace(policies=POLICY % gateway, **options)
        self.addCleanup(place.__exit__, None, None, None)
        place.sandbox.calm()
        self.headers = bearer(place.proxy.make_key())
        place.proxy.start()
        self.place, self.gateway = place, gateway
        self.connect()
        return place

    def connect(self):
        self.http = Http(self.place.proxy.port)
        self.addCleanup(self.http.close)

    def call(self, method, path, body=None, key=None, http=None):
        headers = dict(self.headers)
        if key:
            headers["Idempotency-Key"] = key
        return (http or self.http).request(method, path, body, headers)

    def pay(self, **body):
        made = self.call("POST", "/v1/payments", payment(**body))
        self.assertEqual(made.status, 201, made)
        return made.json

    def read(self, made):
        return self.call("GET", "/v1/payments/" + made["id"]).json

    def operations(self, kind):
        return [each for each in self.place.sandbox.operations()
                if each["operation"] == kind and each["result"] == "approved" and not each["replayed"]]

    def in_parallel(self, count, path, body):
        """The answers to `count` requests that are sent at once; body(i) and the key differ."""
        answers, gate = [], threading.Barrier(count)

        def one(number):
            http = Http(self.place.proxy.port)
            gate.wait()
            answers.append(self.call("POST", path, body(number), key=f"{path}-{number}", http=http))
            http.close()

        threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        return answers

    def agree(self):
        """Every payment's amounts, its objects and the gateway's ledger tell the same story."""
        self.place.proxy.settle(120)
        done = {}
        for each in self.place.sandbox.operations():
            if each["result"] == "approved" and not each["replayed"] and each["reference"]:
                done.setdefault(each["reference"], []).append((each["operation"], each["amount"]))
        for identifier, record in self.place.proxy.payments().items():
            by_kind = {"capture": 0, "refund": 0}
            for each in record.get("modifications", []):
                self.assertIn(each["status"], ("succeeded", "failed"), (identifier, each))
                if each["status"] == "succeeded" and each["kind"] in by_kind:
                    by_kind[each["kind"]] += each["amount"]
            told = [entry for attempt in record["attempts"] for entry in done.get(attempt["id"], [])]
            sums = {kind: sum(amount for operation, amount in told if operation == kind)
                    for kind in ("sale", "authorize", "capture", "refund")}
            captured = record.get("amount_captured", 0)
            self.assertEqual(sums["sale"] + sums["capture"], captured, (identifier, record, told))
            self.assertEqual(sums["refund"], record.get("amount_refunded", 0), (identifier, record, told))
            self.assertEqual(by_kind["refund"], record.get("amount_refunded", 0), (identifier, record))
            if record["capture"] == "manual":
                self.assertEqual(by_kind["capture"], captured, (identifier, record))
                self.assertLessEqual(captured, sums["authorize"])
            self.assertLessEqual(record.get("amount_refunded", 0), captured)
            if record["status"] == "canceled":
                self.assertEqual(captured, 0)
                self.assertIn("void", [operation for operation, _ in told], (identifier, told))


class Tour(House):
    def test_capture_later_in_part_and_refund_in_parts(self):
        for gateway in GATEWAYS:
            with self.subTest(gateway):
                self.open(gateway)
                made = self.pay(capture="manual", amount=1000)
                self.assertEqual((made["status"], made["amount_authorized"], made["amount_captured"]), ("authorized", 1000, 0))
                path = "/v1/payments/" + made["id"]
                captured = self.call("POST", path + "/captures", {"amount": 700, "reference": "shipment-1"})
                self.assertEqual(captured.status, 201, captured)
                self.assertRegex(captured.json["id"], "^cap_")
                self.assertEqual({key: captured.json[key] for key in ("object", "payment", "status", "amount", "currency",
                                                                      "final", "reference", "connector", "error")},
                                 {"object": "capture", "payment": made["id"], "status": "succeeded", "amount": 700,
                                  "currency": "EUR", "final": True, "reference": "shipment-1", "connector": gateway,
                                  "error": None})
                now = self.read(made)
                self.assertEqual((now["status"], now["amount_captured"]), ("succeeded", 700))
                self.assertEqual(self.call("POST", path + "/captures").status, 422)
                self.assertEqual(self.call("POST", path + "/cancel").json["code"], "invalid_state")
                for amount in (300, 100):
                    self.assertEqual(self.call("POST", path + "/refunds", {"amount": amount}).status, 201)
                much = self.call("POST", path + "/refunds", {"amount": 301})
                self.assertEqual((much.status, much.json["code"], much.json["errors"][0]["field"]),
                                 (422, "amount_too_large", "amount"))
                rest = self.call("POST", path + "/refunds", {"reason": "returned"})
                self.assertEqual((rest.status, rest.json["amount"], rest.json["reason"]), (201, 300, "returned"))
                self.assertEqual(self.read(made)["amount_refunded"], 700)
                listed = self.call("GET", path + "/refunds").json
                self.assertEqual([each["amount"] for each in listed["data"]], [300, 100, 300])
                self.assertEqual([each["id"] for each in self.call("GET", path + "/captures").json["data"]],
                                 [captured.json["id"]])
                self.agree()

    def test_cancel(self):
        for gateway in GATEWAYS:
            with self.subTest(gateway):
                self.open(gateway)
                made = self.pay(capture="manual")
                path = "/v1/payments/" + made["id"]
                canceled = self.call("POST", path + "/cancel", {"reason": "out of stock"})
                self.assertEqual((canceled.status, canceled.json["status"]), (201, "canceled"), canceled)
                self.assertEqual(self.call("POST", path + "/cancel").status, 201)
                self.assertEqual(self.call("POST", path + "/captures").json["code"], "invalid_state")
                self.assertEqual(len(self.operations("void")), 1)
                self.agree()

    def test_several_captures(self):
        self.open("alpha")
        path = "/v1/payments/" + self.pay(capture="manual", amount=1000)["id"]
        for amount in (200, 300):
            self.assertEqual(self.call("POST", path + "/captures", {"amount": amount, "final": False}).status, 201)
        now = self.call("GET", path).json
        self.assertEqual((now["status"], now["amount_captured"]), ("authorized", 500))
        self.assertEqual(self.call("POST", path + "/refunds", {"amount": 501}).status, 422)
        self.assertEqual(self.call("POST", path + "/refunds", {"amount": 400}).status, 201)
        rest = self.call("POST", path + "/cancel")
        self.assertEqual((rest.status, rest.json["status"], rest.json["amount_captured"]), (201, "succeeded", 500), rest)
        self.open("beta")
        path = "/v1/payments/" + self.pay(capture="manual", amount=1000)["id"]
        self.assertEqual(self.call("POST", path + "/captures", {"amount": 1, "final": False}).json["code"], "not_supported")

    def test_bad_requests_change_nothing(self):
        self.open()
        made = self.pay()
        path = "/v1/payments/" + made["id"]
        for body, field in (({"amount": 0}, "amount"), ({"amount": -1}, "amount"), ({"amount": 1.5}, "amount"),
                            ({"amount": "5"}, "amount"), ({"amonut": 5}, "amonut"), ({"final": True}, "final"),
                            ({"reason": ""}, "reason"), ({"reference": "4242424242424242"}, "reference"),
                            ([], "body")):
            answer = self.call("POST", path + "/refunds", body)
            self.assertEqual((answer.status, answer.json["errors"][0]["field"]), (400, field), answer)
        self.assertEqual(self.call("POST", path + "/refunds", b'{"amount": 5').status, 400)
        self.assertEqual(self.call("POST", "/v1/payments/pay_00000000000000000000000000/refunds").status, 404)
        other = bearer(self.place.proxy.make_key("other"))
        for method, end in (("POST", "/refunds"), ("POST", "/captures"), ("POST", "/cancel"), ("GET", "/refunds"),
                            ("GET", "/captures")):
            self.assertEqual(self.http.request(method, path + end, None, other).status, 404, end)
        self.assertEqual(self.read(made)["amount_refunded"], 0)
        self.assertEqual(self.operations("refund"), [])


class Keys(House):
    def test_a_key_does_a_thing_once(self):
        self.open()
        refundable, capturable, cancelable = self.pay(), self.pay(capture="manual"), self.pay(capture="manual")
        for made, end, body, other in ((refundable, "/refunds", {"amount": 10}, {"amount": 11}),
                                       (capturable, "/captures", {"amount": 10}, {"amount": 11}),
                                       (cancelable, "/cancel", None, {"reason": "other"})):
            path, key = f"/v1/payments/{made['id']}{end}", "key" + end
            gate, answers = threading.Barrier(20), []

            def one():
                http = Http(self.place.proxy.port)
                gate.wait()
                answers.append(self.call("POST", path, body, key=key, http=http))
                http.close()

            threads = [threading.Thread(target=one) for _ in range(20)]
            for each in threads:
                each.start()
            for each in threads:
                each.join()
            self.assertTrue(all(each.status in (201, 409) for each in answers), answers)
            first = [each for each in answers if each.status == 201]
            self.assertGreaterEqual(len(first), 1)
            self.assertEqual(len({each.text for each in first}), 1)
            again = self.call("POST", path, body, key=key)
            self.assertEqual((again.status, again.text), (201, first[0].text))
            self.assertEqual(again.headers["idempotency-replayed"], "true")
            self.assertEqual(self.call("POST", path, other, key=key).json["code"], "idempotency_key_reused")
            self.place.proxy.kill()
            self.place.proxy.start()
            self.connect()
            again = self.call("POST", path, body, key=key)
            self.assertEqual((again.status, again.text), (201, first[0].text), again)
            self.assertEqual(self.call("POST", path, other, key=key).status, 422)
        # One key, one thing: not one of each kind.
        taken = self.call("POST", "/v1/payments", payment(), key="key/refunds")
        self.assertEqual(taken.json["code"], "idempotency_key_reused")
        for kind in ("refund", "capture", "void"):
            self.assertEqual(len(self.operations(kind)), 1, kind)


class Races(House):
    def test_refunds_never_exceed_what_is_captured(self):
        for gateway, currency in zip(GATEWAYS, ("JPY", "EUR", "KWD")):
            with self.subTest(gateway):
                self.open(gateway)
                path = f"/v1/payments/{self.pay(amount=1000, currency=currency)['id']}"
                answers = self.in_parallel(50, path + "/refunds", lambda number: {"amount": 30 + number % 7})
                self.assertTrue(all(each.status in (201, 422) for each in answers), answers)
                refunded = sum(each.json["amount"] for each in answers if each.status == 201)
                self.assertEqual(refunded, self.call("GET", path).json["amount_refunded"])
                self.assertLessEqual(refunded, 1000)
                self.assertGreater(refunded, 1000 - 30)
                self.agree()

    def test_captures_never_exceed_what_is_authorized(self):
        self.open("alpha")
        path = f"/v1/payments/{self.pay(amount=1000, currency='KWD', capture='manual')['id']}"
        answers = self.in_parallel(20, path + "/captures", lambda number: {"amount": 100 + number, "final": False})
        # 409: one of them took exactly what was left, and is not settled yet.
        self.assertTrue(all(each.status in (201, 409, 422) for each in answers), answers)
        self.assertLessEqual(sum(each.json["amount"] for each in answers if each.status == 201), 1000)
        self.agree()
        self.open("beta")
        path = f"/v1/payments/{self.pay(amount=1000, currency='JPY', capture='manual')['id']}"
        answers = self.in_parallel(20, path + "/captures", lambda number: {"amount": 100 + number})
        self.assertEqual(sorted(each.status for each in answers if each.status < 400), [201])
        self.agree()

    def test_cancel_and_capture_end_one_way(self):
        self.open("gamma")
        for _ in range(10):
            path = f"/v1/payments/{self.pay(capture='manual')['id']}"
            answers, gate = {}, threading.Barrier(2)

            def one(end):
                http = Http(self.place.proxy.port)
                gate.wait()
                answers[end] = self.call("POST", path + end, http=http)
                http.close()

            threads = [threading.Thread(target=one, args=(end,)) for end in ("/captures", "/cancel")]
            for each in threads:
                each.start()
            for each in threads:
                each.join()
            statuses = sorted(each.status for each in answers.values())
            self.assertEqual(statuses[0], 201, answers)
            self.assertIn(statuses[1], (409, 422), answers)
            now = self.call("GET", path).json["status"]
            self.assertEqual(now, "succeeded" if answers["/captures"].status == 201 else "canceled")
        self.agree()


class Ambiguity(House):
    def test_lost_answers_are_resolved(self):
        for gateway in GATEWAYS:
            for fault in ("apply_then_drop", "error_after_apply", "drop_before_apply", "rate_limited"):
                with self.subTest(gateway=gateway, fault=fault):
                    self.open(gateway, replace=[("connectors/*.yaml", r"not_found_final_after: \d+s",
                                                 "not_found_final_after: 1s")])
                    refundable, capturable, cancelable = (self.pay(), self.pay(capture="manual"),
                                                          self.pay(capture="manual"))
                    self.place.sandbox.control(gateway, modification_faults={fault: 1})
                    paths = [f"/v1/payments/{made['id']}{end}" for made, end in
                             ((refundable, "/refunds"), (capturable, "/captures"), (cancelable, "/cancel"))]
                    answers = {}

                    def one(path):
                        http = Http(self.place.proxy.port)
                        answers[path] = self.call("POST", path, key=path, http=http)
                        http.close()

                    threads = [threading.Thread(target=one, args=(path,)) for path in paths]
                    for each in threads:
                        each.start()
                    with self.place.proxy.database() as file:
                        wait_until("all three to be tried", lambda: file.execute(
                            "SELECT count(*) FROM events WHERE type = 'modification_ended'").fetchone()[0] >= 3)
                    self.place.sandbox.control(gateway, modification_faults=CALM)
                    for each in threads:
                        each.join()
                    self.assertTrue(all(each.status in (201, 202) for each in answers.values()), answers)
                    self.agree()
                    for path in paths:
                        again = self.call("POST", path, key=path)
                        self.assertEqual(again.status, 201, again)
                    self.assertEqual(self.read(refundable)["amount_refunded"], refundable["amount"])
                    self.assertEqual(self.read(capturable)["status"], "succeeded")
                    self.assertEqual(self.read(cancelable)["status"], "canceled")

    def test_sigkill_loses_nothing(self):
        seed = random.randrange(1 << 32)
        print(f"seed {seed}", flush=True)
        chance = random.Random(seed)
        for gateway in GATEWAYS:
            with self.subTest(gateway):
                self.open(gateway, replace=[("connectors/*.yaml", r"not_found_final_after: \d+s",
                                             "not_found_final_after: 1s")])
                paths = [(f"/v1/payments/{self.pay(capture='manual', amount=900)['id']}", "/captures") for _ in range(6)]
                paths += [(f"/v1/payments/{self.pay(capture='manual', amount=900)['id']}", "/cancel") for _ in range(6)]
                paths += [(f"/v1/payments/{self.pay(amount=900)['id']}", "/refunds") for _ in range(12)]
                self.place.sandbox.control(gateway, latency_ms=20, modification_faults={
                    **CALM, "apply_then_drop": 0.2, "error_after_apply": 0.1, "drop_before_apply": 0.1})
                told, halt = [], threading.Event()

                def storm(path, end):
                    number = 0
                    while not halt.is_set():
                        http = Http(self.place.proxy.port, timeout=20)
                        body = {"amount": 90} if end == "/refunds" else None
                        key = f"{path}{end}{number}"
                        try:
                            answer = self.call("POST", path + end, body, key=key, http=http)
                            if answer.status in (201, 202):
                                told.append((path + end, key, body, answer))
                                number += 1
                            elif answer.status == 422:
                                return
                        except OSError:
                            pass
                        except Exception as error:  # http.client: the proxy was killed in mid-answer
                            if "http" not in type(error).__module__:
                                raise
                        finally:
                            http.close()

                threads = [threading.Thread(target=storm, args=each) for each in paths]
                for each in threads:
                    each.start()
                for _ in range(4):
                    time.sleep(chance.uniform(0.05, 0.4) * SLOW)  # the moment of death, not a synchronisation
                    self.place.proxy.kill()
                    self.place.proxy.start()
                halt.set()
                self.place.sandbox.control(gateway, modification_faults=CALM)
                for each in threads:
                    each.join()
                self.connect()
                self.agree()
                for path, key, body, answer in told:
                    again = self.call("POST", path, body, key=key)
                    self.assertEqual(again.status, 201, (again, answer))
                    if answer.status == 201:
                        self.assertEqual(again.json["id"], answer.json["id"])
                        self.assertEqual(again.json["status"], answer.json["status"], (again, answer))


if __name__ == "__main__":
    unittest.main(verbosity=2)
