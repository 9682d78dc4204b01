"""Power cuts under load, again and again: the proxy is killed, and of its files
only that is kept which was synced, with random parts of the rest. The gateways
are other machines and go on. Afterwards ledgers, journal and every answer agree.

  power_test.py build/release/turnout --cuts 100 [--seed N]
"""
import argparse
import os
import random
import shutil
import sys
import time
import unittest

ARGUMENTS = None
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?", help="the turnout to test; else the environment's TURNOUT")
    parser.add_argument("--cuts", type=int, default=int(os.environ.get("TURNOUT_CUTS", "10")))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("TURNOUT_SEED", "0")), help="0: a random one")
    ARGUMENTS, others = parser.parse_known_args()
    sys.argv[1:] = others
    if ARGUMENTS.binary:
        os.environ["TURNOUT"] = os.path.abspath(ARGUMENTS.binary)

from crowd import Crowd  # noqa: E402  (the binary is chosen above)
from harness import SLOW, Http, Workplace, audit, bearer, payment, wait_until  # noqa: E402
from power import RecordedProxy  # noqa: E402

FASTER = [("connectors/*.yaml", r"not_found_final_after: \d+s", "not_found_final_after: 3s"),
          ("connectors/*.yaml", r"(?m)^timeouts: .*$", "timeouts: {connect: 1s, response: 1s}")]


class Power(unittest.TestCase):
    def open(self):
        self.seed = ARGUMENTS.seed or random.randrange(1, 10**9)
        print(f"seed {self.seed}", flush=True)
        place = Workplace(proxy_class=RecordedProxy, replace=FASTER)
        self.addCleanup(place.__exit__, None, None, None)
        place.sandbox.calm()
        return place

    def finish(self, place, crowd):
        place.sandbox.calm()
        place.proxy.start()
        asked_again = crowd.ask_again()
        place.proxy.settle(120)
        return {**audit(place, crowd.told, finished=True), "asked again": asked_again}

    def test_power_cuts_under_load(self):
        place = self.open()
        dice = random.Random(self.seed)
        for gateway in ("alpha", "beta", "gamma"):
            place.sandbox.control(gateway, approval_rate=0.95, latency_ms=5,
                                  faults={"charge_then_drop": 0.03, "error_after_charge": 0.03, "drop_before_charge": 0.02},
                                  modification_faults={"apply_then_drop": 0.05, "error_after_apply": 0.05})
        crowd = Crowd(place, self.seed)
        lost, at_work, cuts = 0, 0, 0
        # How much is not durable yet at a cut depends on the machine's speed: they go on until enough was lost.
        while cuts < ARGUMENTS.cuts or (lost <= ARGUMENTS.cuts and cuts < 20 * ARGUMENTS.cuts):
            place.proxy.spawn()
            # Not waits for something: the moments of the cuts are what is drawn here. The
            # first is in the very first start; later ones are in starts now and then.
            if cuts == 0 or dice.random() < 0.2:
                time.sleep(dice.uniform(0, 0.15) * SLOW)
            else:
                place.proxy.wait_ready()
                crowd.open()
                time.sleep(dice.uniform(0.02, 0.5) * SLOW)
                crowd.close()
                at_work += 1
            lost += place.proxy.power_cut(dice)
            cuts += 1
            crowd.check()
        crowd.end()
        counts = self.finish(place, crowd)
        print(f"{cuts} power cuts, {at_work} under load; {lost} writes were not durable: {counts}", flush=True)
        self.assertGreater(counts["payments"], 5 * at_work)
        self.assertGreater(lost, ARGUMENTS.cuts)
        self.assertEqual(place.proxy.stop(), 0)

    def test_power_cuts_in_the_first_start(self):
        """Keys and journal are new: whatever is left of them, the next start serves."""
        place = self.open()
        dice = random.Random(self.seed)
        unfinished = 0
        for _ in range(ARGUMENTS.cuts):
            shutil.rmtree(place.proxy.journal.parent, ignore_errors=True)
            headers = bearer(place.proxy.make_key())
            place.proxy.spawn()
            time.sleep(dice.uniform(0, 0.1) * SLOW)  # the moment of the cut
            unfinished += not any(" ready: " in line for line in place.proxy.process.lines)
            place.proxy.power_cut(dice)
            place.proxy.start()
            http = Http(place.proxy.port)
            answer = http.request("POST", "/v1/payments", payment(), headers)
            http.close()
            self.assertEqual(answer.status, 201, answer)
            place.proxy.stop()
        print(f"{unfinished} of {ARGUMENTS.cuts} first starts were cut short", flush=True)

    def test_it_would_be_noticed(self):
        """Syncs that do nothing, and SQLite's synchronous=NORMAL, lose what was acknowledged."""
        for lies in ("all", "wal"):
            with self.subTest(lies=lies):
                place = self.open()
                place.proxy.start()
                place.proxy.stop()
                crowd = Crowd(place, self.seed)
                place.proxy.spawn(lies=lies)
                place.proxy.wait_ready()
                crowd.open()
                wait_until("payments", lambda: len(crowd.told) > 30)
                crowd.close()
                place.proxy.power_cut(None)
                crowd.end()
                place.proxy.start()
                place.proxy.settle(60)
                with self.assertRaisesRegex(AssertionError, "acknowledged with 20. and lost|not known to the journal"):
                    audit(place, crowd.told)

    def test_a_failed_sync_stops_the_proxy(self):
        """What is on disk is unknown then: nothing more is promised, and nothing that was is lost."""
        place = self.open()
        crowd = Crowd(place, self.seed)
        place.proxy.start()  # the keys and an empty journal
        place.proxy.stop()
        place.proxy.spawn(fail_sync=random.Random(self.seed).randint(40, 120))
        place.proxy.wait_ready()
        crowd.open()
        self.assertEqual(place.proxy.process.child.wait(30 * SLOW), 70)
        crowd.close()
        self.assertIn("nothing more can be promised", place.proxy.process.output())
        place.proxy.power_cut(None)
        crowd.end()
        print(self.finish(place, crowd), flush=True)


if __name__ == "__main__":
    unittest.main()
