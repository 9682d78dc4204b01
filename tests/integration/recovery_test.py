"""A gateway with 100 unresolved payments comes back: it is noticed although nobody
pays, and the truth about most of them is known within a second of that, however
many workers there are, without asking faster than the connector allows."""
import json
import statistics
import threading
import unittest
from datetime import datetime

from harness import Http, Workplace, audit, bearer, payment, wait_until

ONE_GATEWAY = """
version: 1
policies:
  - name: only-alpha
    route: {strategy: priority, connectors: [alpha]}
    retry: {max_attempts: 1, deadline: 1s}
"""
IMPATIENT = [("connectors/*.yaml", r"(?m)^timeouts: .*$", "timeouts: {connect: 500ms, response: 500ms}"),
             ("connectors/*.yaml", r"not_found_final_after: \d+s", "not_found_final_after: 3s")]
COUNT = 100


def metric(place, name):
    http = Http(place.proxy.admin_port)
    text = http.request("GET", "/metrics").text.decode()
    http.close()
    return {line.rpartition(" ")[0][len(name):]: float(line.rpartition(" ")[2])
            for line in text.splitlines() if line.startswith(name + "{") or line.startswith(name + " ")}


class Recovery(unittest.TestCase):
    def open(self, workers=4, replace=IMPATIENT):
        place = Workplace(policies=ONE_GATEWAY, replace=replace, workers=workers)
        self.addCleanup(place.__exit__, None, None, None)
        place.sandbox.calm()
        self.headers = bearer(place.proxy.make_key())
        place.proxy.start()
        return place

    def pay(self, place, count):
        """`count` payments at once; their answers."""
        answers = []

        def one():
            http = Http(place.proxy.port)
            answers.append(http.request("POST", "/v1/payments", payment(), self.headers))
            http.close()

        threads = [threading.Thread(target=one) for _ in range(count)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        return answers

    def leave_unresolved(self, place):
        place.sandbox.control("alpha", faults={"charge_then_stall": 1}, latency_ms=0)
        half = self.pay(place, COUNT // 2)
        place.sandbox.control("alpha", outage="stall", faults={"charge_then_stall": 0})
        half += self.pay(place, COUNT - COUNT // 2)
        self.assertEqual({each.status for each in half}, {202})
        wait_until("the gateway to count as silent", lambda: metric(place, "turnout_gateway_silent").get('{connector="alpha"}'))
        self.assertEqual(place.proxy.open_payments(), COUNT)
        return half

    def recovered_at(self, place):
        """When the proxy says that it noticed, in seconds since 1970."""
        for line in place.proxy.process.lines:
            if '"gateway_recovered"' in line:
                return datetime.fromisoformat(json.loads(line)["time"].replace("Z", "+00:00")).timestamp()
        return None

    def finished(self, place):
        with place.proxy.database() as file:
            return sorted(at / 1e9 for (at,) in file.execute("SELECT at FROM events WHERE type = 'finished'"))

    def test_a_hundred_unresolved_hear_the_truth_within_a_second(self):
        place = self.open()
        answers = self.leave_unresolved(place)
        wait_until("all of them to be counted", lambda: metric(place, "turnout_payments_unresolved")
                   .get('{connector="alpha"}') == COUNT)
        place.sandbox.calm()  # and nobody pays
        wait_until("the recovery to be noticed", lambda: self.recovered_at(place), 10)
        noticed = self.recovered_at(place)
        place.proxy.settle()
        ages = [at - noticed for at in self.finished(place)]
        self.assertEqual(len(ages), COUNT)
        median = statistics.median(ages)
        print(f"\nfrom detection to the truth, {COUNT} payments: median {median:.3f} s, "
              f"95% {ages[int(COUNT * .95)]:.3f} s, last {ages[-1]:.3f} s")
        self.assertLess(median, 1.0)
        audit(place, [(each.status, each.json) for each in answers])
        self.assertEqual(metric(place, "turnout_gateway_recoveries_total")['{connector="alpha"}'], 1)
        wait_until("nothing to be unresolved", lambda: metric(place, "turnout_payments_unresolved")
                   .get('{connector="alpha"}') == 0)
        self.assertEqual(metric(place, "turnout_unresolved_age_seconds"), {"": 0})

    def test_a_slow_gateway_is_asked_no_faster_than_it_takes(self):
        place = self.open(replace=IMPATIENT + [("connectors/alpha.yaml", r"(?m)^resolve: \{", "resolve: {sends_per_second: 20, ")])
        self.leave_unresolved(place)
        place.sandbox.calm()
        place.proxy.settle()
        ends = self.finished(place)
        busiest = max(sum(1 for other in ends if 0 <= other - each < 1) for each in ends)
        self.assertLessEqual(busiest, 20 + 5 + 3)  # the rate, a quarter second's burst, what was under way before
        self.assertGreater(ends[-1] - ends[0], (COUNT - 30) / 20)
        self.assertGreater(metric(place, "turnout_resolve_delayed_total")['{connector="alpha"}'], 0)
        audit(place)

    def test_a_restart_forgets_no_age_and_asks_at_once(self):
        place = self.open()
        self.leave_unresolved(place)
        age = wait_until("an age", lambda: metric(place, "turnout_unresolved_age_seconds")[""])
        place.proxy.kill()
        place.proxy.start()
        wait_until("all of them to be counted", lambda: metric(place, "turnout_payments_unresolved")
                   .get('{connector="alpha"}') == COUNT)
        self.assertGreater(metric(place, "turnout_unresolved_age_seconds")[""], age)
        place.sandbox.calm()
        place.proxy.settle(60)  # "not found" proves something 30 s after the restart at the earliest
        audit(place)


if __name__ == "__main__":
    unittest.main()
