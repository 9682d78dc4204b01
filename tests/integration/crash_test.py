"""SIGKILL at random moments under load, again and again; afterwards ledgers,
journal and every answer agree."""
import os
import random
import threading
import time
import unittest

from harness import DECLINED_FUNDS, Http, Workplace, audit, bearer, card, payment, wait_until

ROUNDS = int(os.environ.get("TURNOUT_CRASH_ROUNDS", "8"))
CLIENTS = 8


class Shopper(threading.Thread):
    """Pays in a loop until told to stop; keeps what it was told."""

    def __init__(self, port, key, seed):
        super().__init__(daemon=True)
        self.port, self.key, self.random = port, key, random.Random(seed)
        self.told, self.unsure, self.done = [], [], threading.Event()

    def run(self):
        http = Http(self.port, timeout=20)
        while not self.done.is_set():
            wish = payment(amount=self.random.randrange(1, 100000), reference="order-%d" % self.random.getrandbits(40))
            if self.random.random() < 0.1:
                wish["payment_method"] = card(DECLINED_FUNDS)
            headers = bearer(self.key)
            name = None
            if self.random.random() < 0.5:
                name = "key-%d" % self.random.getrandbits(60)
                headers["Idempotency-Key"] = name
            try:
                answer = http.request("POST", "/v1/payments", wish, headers)
            except OSError:
                if name:
                    self.unsure.append((name, wish))
                return
            except Exception:  # the connection was cut in the middle of an answer
                if name:
                    self.unsure.append((name, wish))
                return
            if answer.status in (201, 202):
                self.told.append((answer.status, answer.json))
            else:
                assert answer.status == 503, answer


class Crash(unittest.TestCase):
    def test_kill_under_load(self):
        seed = int(os.environ.get("TURNOUT_SEED", "0")) or random.randrange(1, 10**9)
        print(f"seed {seed}", flush=True)
        dice = random.Random(seed)
        # A shorter bound than the shipped one: the sandbox charges at once here.
        faster = [("connectors/*.yaml", r"not_found_final_after: \d+s", "not_found_final_after: 3s"),
                  ("connectors/*.yaml", r"(?m)^timeouts: .*$", "timeouts: {connect: 1s, response: 1s}")]
        with Workplace(replace=faster) as place:
            key = place.proxy.make_key()
            told, unsure = [], []
            for gateway in ("alpha", "beta", "gamma"):
                place.sandbox.control(gateway, approval_rate=0.95, declines={"do_not_honor": 1.0}, latency_ms=5,
                                      faults={"charge_then_drop": 0.05, "error_after_charge": 0.05, "drop_before_charge": 0.03,
                                              "charge_then_stall": 0.01, "rate_limited": 0.03, "wrong_amount": 0.01})
            for _ in range(ROUNDS):
                place.proxy.start()
                shoppers = [Shopper(place.proxy.port, key, dice.random()) for _ in range(CLIENTS)]
                for each in shoppers:
                    each.start()
                # Not a wait for something: the moment of the crash is what is drawn here.
                time.sleep(dice.uniform(0.05, 1.2))
                place.proxy.kill()
                for each in shoppers:
                    each.done.set()
                for each in shoppers:
                    each.join(30)
                    told += each.told
                    unsure += each.unsure
            place.sandbox.calm()
            place.proxy.start()
            self.repeat_unsure(place, key, unsure, told)
            place.proxy.settle(120)
            counts = audit(place, told)
            print(counts, "asked again:", len(unsure), flush=True)
            self.assertGreater(counts["payments"], 20 * ROUNDS)
            self.assertEqual(place.proxy.stop(), 0)

    def repeat_unsure(self, place, key, unsure, told):
        """Whoever heard nothing asks again with the same key: never a second payment."""
        http = Http(place.proxy.port)
        for name, wish in unsure:
            headers = {**bearer(key), "Idempotency-Key": name}
            answer = http.request("POST", "/v1/payments", wish, headers)
            self.assertIn(answer.status, (201, 202), answer)
            told.append((answer.status, answer.json))
        with place.proxy.database() as file:
            twice = file.execute("SELECT key, count(*) FROM idempotency GROUP BY merchant, livemode, key HAVING count(*) > 1")
            self.assertEqual(twice.fetchall(), [])


if __name__ == "__main__":
    unittest.main()
