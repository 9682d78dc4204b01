"""What Turnout does later and by itself: refunds that wait for the charge to settle, authorizations that expire,
captures of automatic payments, second looks at a gateway's word, and giving back without a reversal."""
import datetime
import http.client as http_client
import threading
import unittest

from harness import Http, Workplace, bearer, payment, wait_until

POLICY = """version: 1
policies:
  - name: one
    route: {strategy: priority, connectors: [%s]}
    retry: {max_attempts: 2, deadline: %s, on: [not_sent]}
"""
ALPHA = "connectors/alpha.yaml"
RESOLVE = r"resolve: \{.*\}"
NO_REVERSE = (ALPHA, r"  reverse:\n    request:.*\n    response:\n      - .*\n", "")
# Authorizes and captures in two steps: the charge becomes an authorization, and the old one goes.
NO_SALE = (ALPHA, r"(?s)  sale:\n(    request:.*?)capture: true(.*?)  authorize:\n.*?  capture:\n",
           r"  authorize:\n\1capture: false\2  capture:\n")


def seconds_between(first, later):
    return (datetime.datetime.fromisoformat(later["at"].replace("Z", "+00:00"))
            - datetime.datetime.fromisoformat(first["at"].replace("Z", "+00:00"))).total_seconds()


class House(unittest.TestCase):
    def open(self, *replace, connectors="alpha", deadline="8s"):
        place = Workplace(policies=POLICY % (connectors, deadline), replace=replace)
        self.addCleanup(place.__exit__, None, None, None)
        place.sandbox.calm()
        self.headers = bearer(place.proxy.make_key())
        self.place = place
        self.start()
        return place

    def start(self):
        self.place.proxy.start()
        self.http = Http(self.place.proxy.port)
        self.addCleanup(self.http.close)

    def call(self, method, path, body=None):
        return self.http.request(method, path, body, self.headers)

    def pay(self, status=201, **body):
        made = self.call("POST", "/v1/payments", payment(**body))
        self.assertEqual(made.status, status, made)
        return made.json, "/v1/payments/" + made.json["id"]

    def done(self, operation):
        return [each for each in self.place.sandbox.operations()
                if each["operation"] == operation and each["result"] == "approved" and not each["replayed"]]

    def standing(self):
        """The (gateway, charge) of what was approved and not given back in full."""
        charges = {}
        for each in self.place.sandbox.operations():
            if each["result"] != "approved" or each["replayed"] or not each["charge"]:
                continue
            place = (each["gateway"], each["charge"])
            if each["operation"] in ("sale", "authorize"):
                charges[place] = each["amount"]
            elif each["operation"] in ("void", "refund"):
                charges[place] -= each["amount"]
        return [place for place, amount in charges.items() if amount > 0]

    def metric(self, line):
        admin = Http(self.place.proxy.admin_port)
        text = admin.request("GET", "/metrics").text.decode()
        admin.close()
        found = [each.rsplit(" ", 1)[1] for each in text.splitlines() if each.startswith(line)]
        return float(found[0]) if found else None


class Refunds(House):
    def test_a_refund_waits_until_the_charge_has_settled(self):
        self.open((ALPHA, "fees:", "refunds: {unsettled: wait, settles_after: 4s}\nfees:"))
        _, path = self.pay()
        answer = self.call("POST", path + "/refunds", {"amount": 250})
        self.assertEqual((answer.status, answer.json["status"]), (201, "succeeded"), answer)
        self.assertGreaterEqual(seconds_between(self.done("sale")[0], self.done("refund")[0]), 3.9)

    def test_it_waits_through_a_restart(self):
        self.open((ALPHA, "fees:", "refunds: {unsettled: wait, settles_after: 6s}\nfees:"))
        _, path = self.pay()
        wished = threading.Thread(target=self.wish, args=(self.place.proxy.port, path))
        wished.start()
        with self.place.proxy.database() as file:
            wait_until("the refund to be taken on", lambda: file.execute(
                "SELECT count(*) FROM events WHERE type = 'modification_requested'").fetchone()[0] == 1)
        self.place.proxy.kill()
        wished.join()
        self.assertEqual(self.done("refund"), [])
        self.start()
        listed = self.call("GET", path + "/refunds").json["data"]
        self.assertEqual([each["status"] for each in listed], ["pending"])
        wait_until("the refund", lambda: self.call("GET", path).json["amount_refunded"] == 1250)
        refunds = self.done("refund")
        self.assertEqual(len(refunds), 1)
        self.assertGreaterEqual(seconds_between(self.done("sale")[0], refunds[0]), 5.9)

    def wish(self, port, path):
        http = Http(port)
        try:
            http.request("POST", path + "/refunds", {}, self.headers)
        except (OSError, http_client.HTTPException):
            pass  # the proxy is killed meanwhile
        finally:
            http.close()

    def test_a_whole_refund_before_that_is_tried_as_a_void(self):
        self.open((ALPHA, "fees:", "refunds: {unsettled: void_if_full, settles_after: 1h}\nfees:"))
        _, whole = self.pay()
        self.assertEqual(self.call("POST", whole + "/refunds").status, 201)
        # This gateway settles at once, against its file: the void is refused, and a refund does it.
        self.assertEqual([(each["operation"], each["result"]) for each in self.place.sandbox.operations()],
                         [("sale", "approved"), ("void", "refused"), ("refund", "approved")])
        _, path = self.pay()
        part = self.call("POST", path + "/refunds", {"amount": 1})
        self.assertEqual((part.status, part.json["status"]), (202, "pending"))  # until it has settled


class Authorizations(House):
    def test_one_that_is_not_captured_in_time_is_given_up(self):
        self.open((ALPHA, "fees:", "authorization_valid: 2s\nfees:"))
        kept, kept_path = self.pay(capture="manual")
        self.assertEqual(self.call("POST", kept_path + "/captures").status, 201)
        _, path = self.pay(capture="manual")
        wait_until("the authorization to be given up", lambda: self.call("GET", path).json["status"] == "canceled")
        self.assertEqual(self.call("POST", path + "/captures").json["code"], "invalid_state")
        self.assertEqual(self.call("GET", kept_path).json["status"], "succeeded")
        self.assertEqual([each["reference"] for each in self.done("void")],
                         [self.call("GET", path).json["attempts"][0]["id"]])

    def test_also_when_the_proxy_was_down_at_that_time(self):
        self.open((ALPHA, "fees:", "authorization_valid: 1s\nfees:"))
        made, path = self.pay(capture="manual")
        self.place.proxy.kill()
        wait_until("the time to pass", lambda: datetime.datetime.now(datetime.timezone.utc)
                   > datetime.datetime.fromisoformat(made["created_at"].replace("Z", "+00:00"))
                   + datetime.timedelta(seconds=2))
        self.assertEqual(self.done("void"), [])
        self.start()
        late = self.call("POST", path + "/captures")
        self.assertIn(late.json["code"], ("authorization_expired", "invalid_state", "operation_pending"))
        wait_until("the authorization to be given up", lambda: self.call("GET", path).json["status"] == "canceled")
        self.assertEqual(len(self.done("void")), 1)
        self.assertEqual(self.done("capture"), [])


class NoSale(House):
    def test_an_automatic_payment_is_authorized_and_captured(self):
        self.open(NO_SALE)
        made, _ = self.pay()
        self.assertEqual((made["status"], made["amount_captured"]), ("succeeded", 1250))
        self.assertEqual([each["operation"] for each in self.place.sandbox.operations()], ["authorize", "capture"])

    def test_a_lost_capture_is_not_done_twice(self):
        self.open(NO_SALE)
        self.place.sandbox.control("alpha", modification_faults={"apply_then_drop": 1})
        made, path = self.pay()
        self.assertEqual((made["status"], made["amount_captured"]), ("authorized", 0))
        self.place.sandbox.control("alpha", modification_faults={"apply_then_drop": 0})
        wait_until("the capture", lambda: self.call("GET", path).json["status"] == "succeeded")
        self.assertEqual(len(self.done("capture")), 1)
        self.assertIsNone(self.call("GET", path).json["attention"])


class GivingBack(House):
    def test_a_cancel_while_processing_where_the_gateway_has_no_reversal(self):
        self.open(NO_REVERSE, (ALPHA, RESOLVE, "resolve: {methods: [inquire], not_found_final_after: 1h}"),
                  deadline="1s")
        self.place.sandbox.control("alpha", faults={"charge_then_drop": 1}, inquiry_lag_ms=3000)
        made, path = self.pay(status=202)
        self.assertEqual(made["status"], "processing")
        canceled = self.call("POST", path + "/cancel")
        self.assertEqual((canceled.status, canceled.json["status"]), (201, "canceled"), canceled)
        self.assertEqual([each["operation"] for each in self.place.sandbox.operations()], ["sale", "refund"])
        self.assertEqual(self.standing(), [])


class SecondLooks(House):
    def test_a_charge_that_the_gateway_denied_is_found_and_given_back(self):
        self.open((ALPHA, RESOLVE, "resolve: {methods: [inquire, reverse], not_found_final_after: 1s}"),
                  connectors="alpha, beta")
        self.place.sandbox.control("alpha", faults={"charge_then_drop": 1}, inquiry_lag_ms=20000)  # 20 times as long
        made, path = self.pay()
        self.assertEqual((made["status"], made["connector"]), ("succeeded", "beta"))
        self.assertEqual(len(self.standing()), 2)  # the promise was broken
        self.assertEqual(self.metric('turnout_invariant_violations_total{invariant="late_approval"}'), 0)
        # The first look is a minute after the proof. A restart in between forgets nothing.
        self.place.proxy.stop()
        self.start()
        wait_until("the doubled charge to be given back", lambda: len(self.standing()) == 1, 120)
        self.place.proxy.settle()
        self.assertEqual(self.metric('turnout_invariant_violations_total{invariant="late_approval"}'), 1)
        self.assertIn("invariant_violated", self.place.proxy.process.output())
        now = self.call("GET", path).json
        self.assertEqual((now["status"], now["connector"]), ("succeeded", "beta"))
        events = [each["type"] for each in self.call("GET", path + "/events").json["data"]]
        for each in ("looked_again", "late_approval", "reversal_wanted", "reversal_confirmed"):
            self.assertIn(each, events)


if __name__ == "__main__":
    unittest.main()
