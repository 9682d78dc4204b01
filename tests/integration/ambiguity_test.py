"""The gateway charged and nobody was told: never a second standing charge, 202
while it is unclear, later the truth."""
import threading
import unittest

from harness import Http, Workplace, audit, bearer, payment, wait_until

ONE_GATEWAY_FIRST = """
version: 1
policies:
  - name: in-order
    route: {strategy: priority, connectors: [alpha, beta, gamma]}
    retry: {max_attempts: 3, deadline: %s, on: [technical, not_sent, rejected, do_not_honor]}
"""
SHORT = [("connectors/*.yaml", r"(?m)^timeouts: .*$", "timeouts: {connect: 500ms, response: 500ms}"),
         ("connectors/*.yaml", r"not_found_final_after: \d+s", "not_found_final_after: 3s")]


class Ambiguity(unittest.TestCase):
    def open(self, deadline="3s", replace=SHORT):
        place = Workplace(policies=ONE_GATEWAY_FIRST % deadline, replace=replace)
        self.addCleanup(place.__exit__, None, None, None)
        place.sandbox.calm()
        self.headers = bearer(place.proxy.make_key())
        place.proxy.start()
        self.http = Http(place.proxy.port)
        self.addCleanup(self.http.close)
        self.place = place
        return place

    def pay(self, **changes):
        return self.http.request("POST", "/v1/payments", payment(**changes), self.headers)

    def finally_(self, answer):
        """The payment once it is no longer processing."""
        path = "/v1/payments/" + answer.json["id"]
        return wait_until("the truth", lambda: (lambda now: now if now["status"] != "processing" else None)(
            self.http.request("GET", path, headers=self.headers).json), 60)

    def sent_to(self, gateway):
        return [each for each in self.place.sandbox.operations() if each["gateway"] == gateway]

    def test_charged_then_dropped_is_replayed(self):
        place = self.open()
        place.sandbox.control("alpha", faults={"charge_then_drop": 1})
        answer = self.pay()
        place.sandbox.calm()
        self.assertIn(answer.status, (201, 202))
        self.assertEqual(self.finally_(answer)["status"], "succeeded")
        self.assertEqual(self.sent_to("beta"), [])
        place.proxy.settle()
        audit(place)

    def test_charged_then_stalled_past_the_deadline(self):
        place = self.open(deadline="1s")
        place.sandbox.control("alpha", faults={"charge_then_stall": 1})
        answer = self.pay()
        self.assertEqual(answer.status, 202, answer)
        self.assertEqual(answer.json["status"], "processing")
        place.sandbox.calm()
        self.assertEqual(self.finally_(answer)["status"], "succeeded")
        self.assertEqual(self.sent_to("beta"), [])
        audit(place)

    def test_500_after_charging_proves_nothing(self):
        place = self.open(deadline="1s")
        place.sandbox.control("alpha", faults={"error_after_charge": 1})
        answer = self.pay()
        self.assertEqual(answer.status, 201, answer)  # the inquiry found it
        self.assertEqual(answer.json["status"], "succeeded")
        self.assertEqual(self.sent_to("beta"), [])
        audit(place)

    def test_429_or_a_refused_connection_on_the_replay_proves_nothing(self):
        for trouble in ({"faults": {"rate_limited": 1, "charge_then_drop": 0}}, {"outage": "refuse"}, {"outage": "error"}):
            with self.subTest(trouble=trouble):
                place = self.open(deadline="2s")
                # The inquiry must not help: it says "not found" for a while.
                place.sandbox.control("alpha", faults={"charge_then_stall": 1}, inquiry_lag_ms=2500)
                answers = []
                thread = threading.Thread(target=lambda: answers.append(self.pay()))
                thread.start()
                wait_until("the charge", lambda: self.sent_to("alpha"))
                place.sandbox.control("alpha", **trouble)
                thread.join()
                self.assertIn(answers[0].status, (201, 202), answers[0])
                if self.sent_to("beta"):  # only after the charge at alpha was undone, acknowledged
                    undone = [each["seq"] for each in self.sent_to("alpha") if each["operation"] in ("void", "refund")]
                    self.assertTrue(undone and min(undone) < self.sent_to("beta")[0]["seq"])
                else:
                    self.assertEqual(answers[0].status, 202, answers[0])
                place.sandbox.calm()
                self.assertEqual(self.finally_(answers[0])["status"], "succeeded")
                place.proxy.settle()
                audit(place)

    def test_a_gateway_without_keys_is_asked_not_replayed(self):
        place = self.open()
        for other in ("alpha", "beta"):
            place.sandbox.control(other, outage="refuse")
        place.sandbox.control("gamma", faults={"charge_then_drop": 1})
        answer = self.pay()
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(answer.json["status"], "succeeded")
        charges = [each for each in self.sent_to("gamma") if each["operation"] == "sale"]
        self.assertEqual(len(charges), 1)
        audit(place)

    def test_dropped_before_charging_fails_over_once_that_is_proven(self):
        place = self.open()
        place.sandbox.control("gamma", faults={"drop_before_charge": 1})
        for other in ("alpha", "beta"):
            place.sandbox.control(other, outage="refuse")
        answer = self.pay()
        self.assertIn(answer.status, (201, 202))
        final = self.finally_(answer)
        self.assertEqual(final["status"], "failed")
        place.proxy.settle()
        audit(place)

    def test_a_wrong_amount_is_reversed_and_never_accepted(self):
        place = self.open()
        place.sandbox.control("alpha", faults={"wrong_amount": 1})
        answer = self.pay()
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(answer.json["status"], "succeeded")
        self.assertEqual(answer.json["connector"], "beta")
        self.assertEqual(answer.json["attempts"][0]["outcome"], "rejected")
        audit(place)

    def test_a_charge_that_arrives_late_is_blocked_or_found(self):
        place = self.open(deadline="2s")
        place.sandbox.control("alpha", charge_delay_ms=1500)
        answer = self.pay()
        self.assertIn(answer.status, (201, 202))
        self.finally_(answer)
        place.proxy.settle()
        audit(place)

    def test_a_gateway_that_is_down_fails_over(self):
        place = self.open()
        for outage in ("refuse",):
            place.sandbox.control("alpha", outage=outage)
            answer = self.pay()
            self.assertEqual(answer.status, 201)
            self.assertEqual(answer.json["connector"], "beta")
            self.assertEqual(answer.json["attempts"][0]["outcome"], "not_sent")
            self.assertEqual(answer.json["attempts"][0]["code"], "connect_refused")
        audit(place)

    def test_all_down_is_a_clear_failure(self):
        place = self.open()
        for name in place.sandbox.urls:
            place.sandbox.control(name, outage="refuse")
        answer = self.pay()
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(answer.json["status"], "failed")
        self.assertEqual(answer.json["error"]["code"], "no_gateway_available")
        self.assertEqual(answer.json["error"]["advice"], "retry_later")
        audit(place)


if __name__ == "__main__":
    unittest.main()
