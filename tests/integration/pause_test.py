"""Processes that are stopped for a while and go on (SIGSTOP, SIGCONT): gateways that
hang with all their connections open, and a proxy that sleeps through deadlines,
as when a virtual machine is moved."""
import os
import random
import signal
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from crowd import Crowd
from harness import Http, Workplace, audit, bearer, payment, port_block, wait_until

DEADLINE = 1.0  # seconds, of the policy
POLICY = """
version: 1
policies:
  - name: in-order
    route: {strategy: priority, connectors: [alpha, beta, gamma]}
    retry: {max_attempts: 3, deadline: 1s, on: [technical, not_sent, rejected, do_not_honor]}
"""
# No pause here lasts as long as "not found" needs to be believed: a gateway that
# freezes for longer has broken what its connector declares.
LONGEST_PAUSE = 2.0
FINAL = ("connectors/*.yaml", r"not_found_final_after: \d+s", "not_found_final_after: 4s")
IMPATIENT = ("connectors/*.yaml", r"(?m)^timeouts: .*$", "timeouts: {connect: 500ms, response: 500ms}")


def stopped(process, seconds, meanwhile=lambda: None):
    end = time.monotonic() + seconds
    os.kill(process.child.pid, signal.SIGSTOP)
    meanwhile()
    time.sleep(max(0, end - time.monotonic()))  # what is tested, not a wait for something
    os.kill(process.child.pid, signal.SIGCONT)


def open_place(*replace, **options):
    place = Workplace(policies=POLICY, replace=[FINAL, *replace], **options)
    place.sandbox.calm()
    return place


def assert_no_late_attempts(test, place):
    """Nobody else is tried once the deadline has passed."""
    for key, record in place.proxy.payments().items():
        for each in record.get("attempts", []):
            test.assertLessEqual((each["started_at"] - record["created_at"]) / 1e9, DEADLINE, (key, record))


class Pause(unittest.TestCase):
    def test_pauses_under_load(self):
        seed = int(os.environ.get("TURNOUT_SEED", "0")) or random.randrange(1, 10**9)
        print(f"seed {seed}", flush=True)
        dice = random.Random(seed)
        with open_place(IMPATIENT) as place:
            for gateway in ("alpha", "beta", "gamma"):
                place.sandbox.control(gateway, approval_rate=0.8, declines={"do_not_honor": 1.0}, latency_ms=20,
                                      faults={"charge_then_drop": 0.03}, modification_faults={"apply_then_drop": 0.03})
            place.proxy.start()
            crowd = Crowd(place, seed)
            crowd.open()
            for victim in (place.sandbox, place.proxy, place.sandbox, place.proxy):
                time.sleep(dice.uniform(0.1, 0.4))
                shortest = 1.3 * DEADLINE if victim is place.sandbox else 0.3
                stopped(victim.process, dice.uniform(shortest, LONGEST_PAUSE))
                crowd.check()
            answered = len(crowd.told)
            wait_until("answers after the pauses", lambda: len(crowd.told) > answered + 50)
            crowd.end()
            place.sandbox.calm()
            crowd.ask_again()
            place.proxy.settle(120)
            self.assertIn(202, [status for status, *_ in crowd.told])
            print(audit(place, crowd.told, finished=True), flush=True)
            assert_no_late_attempts(self, place)
            self.assertEqual(place.proxy.stop(), 0)

    def test_a_proxy_that_sleeps_through_the_deadline_tries_nobody_else(self):
        """What alpha did meanwhile is learned afterwards, and is final, good or bad."""
        def nothing(place):
            pass

        def wakes(place):
            place.sandbox.control("alpha", outage="none")  # closes what it had not answered

        def crashes(place):
            place.sandbox.kill()
            place.sandbox.start()

        stories = {
            "approved": ({}, nothing),
            "declined, which may be failed over": ({"approval_rate": 0, "declines": {"do_not_honor": 1.0}}, nothing),
            "charged, connection lost": ({"faults": {"charge_then_stall": 1}}, crashes),
            "not charged, connection lost": ({"outage": "stall"}, wakes),
        }
        with ThreadPoolExecutor(len(stories)) as pool:
            for name, told in [(name, pool.submit(self.sleep_through, *story)) for name, story in stories.items()]:
                with self.subTest(name):
                    told.result()

    def sleep_through(self, control, meanwhile):
        with open_place(sandbox_port=port_block()) as place:
            headers = bearer(place.proxy.make_key())
            # Alpha answers while the proxy sleeps.
            place.sandbox.control("alpha", latency_ms=350, latency_sigma=0, **control)
            place.proxy.start()
            answers = []

            def pay():
                http = Http(place.proxy.port)
                answers.append(http.request("POST", "/v1/payments", payment(), headers))
                http.close()

            threads = [threading.Thread(target=pay) for _ in range(6)]
            for each in threads:
                each.start()
            with place.proxy.database() as file:
                wait_until("all to be under way", lambda: file.execute("SELECT count(*) FROM payments").fetchone()[0] == 6)
            stopped(place.proxy.process, DEADLINE * 1.5, lambda: meanwhile(place))
            for each in threads:
                each.join()
            place.sandbox.calm()
            place.proxy.settle(60)
            self.assertEqual(len(answers), 6)
            self.assertLessEqual({each.status for each in answers}, {201, 202})
            assert_no_late_attempts(self, place)
            audit(place, [(each.status, each.json) for each in answers], finished=True)
            for record in place.proxy.payments().values():
                self.assertEqual([each["connector"] for each in record.get("attempts", [])], ["alpha"])


if __name__ == "__main__":
    unittest.main()
