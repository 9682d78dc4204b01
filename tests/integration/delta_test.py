"""A gateway that speaks forms and gives a session: it is brought back after
lost answers and restarts, and neither it nor the key in the query is shown."""
import unittest

from harness import Http, Workplace, bearer, payment, wait_until

POLICY = """version: 1
policies:
  - name: one
    route: {strategy: priority, connectors: [delta]}
"""
KEY = "query-key-7d1f"


class Delta(unittest.TestCase):
    def setUp(self):
        self.place = Workplace(policies=POLICY, replace=[("turnout.yaml", r"level: info", "level: debug")])
        self.addCleanup(self.place.__exit__, None, None, None)
        self.place.sandbox.calm()
        self.place.proxy.environment["DELTA_KEY"] = KEY
        self.headers = bearer(self.place.proxy.make_key())
        self.answers = []
        self.start()

    def start(self):
        self.place.proxy.start()
        self.http = Http(self.place.proxy.port)
        self.addCleanup(self.http.close)

    def call(self, method, path, body=None):
        self.answers.append(self.http.request(method, path, body, self.headers))
        return self.answers[-1]

    def path(self, made):
        return "/v1/payments/" + made.json["id"]

    def settled(self, made, status):
        wait_until("the payment to be " + status, lambda: self.call("GET", self.path(made)).json["status"] == status)

    def agree(self, made, captured, refunded):
        now = self.call("GET", self.path(made)).json
        self.assertEqual((now["amount_captured"], now["amount_refunded"]), (captured, refunded), now)
        totals = {"capture": 0, "refund": 0}
        for each in self.place.sandbox.operations():
            self.assertEqual(each["gateway"], "delta")
            if each["operation"] in totals and each["result"] == "approved" and not each["replayed"]:
                totals[each["operation"]] += each["amount"]
        self.assertEqual(totals, {"capture": captured, "refund": refunded})

    def shown_nowhere(self):
        """The record holds the session; no answer and no log line does, and the key is in neither."""
        kept = [dict(attempt["kept"]) for record in self.place.proxy.payments().values() for attempt in record["attempts"]]
        self.assertTrue(all(each["session"].startswith("ds_") and each["ticket"].startswith("tk_") for each in kept), kept)
        self.place.proxy.stop()
        told = "\n".join(self.place.proxy.outputs) + "".join(repr(each.text) for each in self.answers)
        for each in kept:
            self.assertNotIn(each["session"], told)
            self.assertNotIn(each["ticket"], told)
        self.assertNotIn(KEY, told)
        self.assertFalse([file for file in self.place.directory_files() if KEY.encode() in file.read_bytes()])

    def test_a_session_outlives_the_process(self):
        made = self.call("POST", "/v1/payments", payment(capture="manual"))
        self.assertEqual((made.status, made.json["status"], made.json["connector"]), (201, "authorized", "delta"), made)
        self.place.proxy.kill()
        self.start()
        captured = self.call("POST", self.path(made) + "/captures", {"amount": 1000})
        self.assertEqual((captured.status, captured.json["status"]), (201, "succeeded"), captured)
        refunded = self.call("POST", self.path(made) + "/refunds", {"amount": 300})
        self.assertEqual((refunded.status, refunded.json["status"]), (201, "succeeded"), refunded)
        self.agree(made, 1000, 300)
        self.shown_nowhere()

    def test_a_lost_answer_gives_its_session_by_replay_or_inquiry(self):
        self.place.sandbox.control("delta", faults={"charge_then_drop": 1})
        made = self.call("POST", "/v1/payments", payment(capture="manual"))
        self.assertIn(made.status, (201, 202), made)
        self.place.sandbox.control("delta", faults={"charge_then_drop": 0})
        self.settled(made, "authorized")
        self.place.sandbox.control("delta", modification_faults={"apply_then_drop": 1})
        self.call("POST", self.path(made) + "/captures", {"amount": 1250})
        self.place.sandbox.control("delta", modification_faults={"apply_then_drop": 0})
        wait_until("the capture to be settled",
                   lambda: self.call("GET", self.path(made)).json["amount_captured"] == 1250)
        self.agree(made, 1250, 0)
        self.shown_nowhere()


if __name__ == "__main__":
    unittest.main()
