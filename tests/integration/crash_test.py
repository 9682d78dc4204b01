"""SIGKILL of the proxy, the sandbox or both at random moments under load, again
and again; afterwards ledgers, journal and every answer agree.

  crash_test.py build/release/turnout --kills 200 [--seed N]
"""
import argparse
import os
import random
import sys
import time
import unittest

ARGUMENTS = None
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?", help="the turnout to test; else the environment's TURNOUT")
    parser.add_argument("--kills", type=int, default=int(os.environ.get("TURNOUT_KILLS", "12")))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("TURNOUT_SEED", "0")), help="0: a random one")
    ARGUMENTS, others = parser.parse_known_args()
    sys.argv[1:] = others
    if ARGUMENTS.binary:
        os.environ["TURNOUT"] = os.path.abspath(ARGUMENTS.binary)

from crowd import Crowd  # noqa: E402  (the binary is chosen above)
from harness import SLOW, Workplace, audit, port_block  # noqa: E402

# Shorter bounds than the shipped ones: the sandbox charges at once here.
FASTER = [("connectors/*.yaml", r"not_found_final_after: \d+s", "not_found_final_after: 3s"),
          ("connectors/*.yaml", r"(?m)^timeouts: .*$", "timeouts: {connect: 1s, response: 1s}")]
FAULTS = {"charge_then_drop": 0.05, "error_after_charge": 0.05, "drop_before_charge": 0.03, "charge_then_stall": 0.01,
          "rate_limited": 0.03, "wrong_amount": 0.01}
MODIFICATION_FAULTS = {"apply_then_drop": 0.05, "error_after_apply": 0.05, "drop_before_apply": 0.03, "rate_limited": 0.02}


class Crash(unittest.TestCase):
    def test_kill_under_load(self):
        seed = ARGUMENTS.seed or random.randrange(1, 10**9)
        print(f"seed {seed}", flush=True)
        dice = random.Random(seed)
        with Workplace(sandbox_port=port_block(), replace=FASTER) as place:
            for gateway in ("alpha", "beta", "gamma"):
                place.sandbox.control(gateway, approval_rate=0.95, declines={"do_not_honor": 1.0}, latency_ms=5,
                                      faults=FAULTS, modification_faults=MODIFICATION_FAULTS)
            place.proxy.start()
            crowd = Crowd(place, seed)
            crowd.open()
            victims = {"proxy": 0, "sandbox": 0, "both": 0}
            for _ in range(ARGUMENTS.kills):
                # Not a wait for something: the moment of the crash is what is drawn here.
                time.sleep(dice.uniform(0.05, 0.6) * SLOW)
                victim = dice.choices(list(victims), (6, 2, 2))[0]
                victims[victim] += 1
                self.crash(place, crowd, victim)
            crowd.end()
            place.sandbox.calm()
            asked_again = crowd.ask_again()
            place.proxy.settle(120)
            counts = audit(place, crowd.told, finished=True)
            place.proxy.verify()
            print(f"{ARGUMENTS.kills} SIGKILLs {victims}: {counts}, {asked_again} asked again at the end", flush=True)
            self.assertGreater(counts["payments"], 5 * ARGUMENTS.kills)
            self.assertGreater(counts["modifications"], ARGUMENTS.kills)
            self.assertEqual(place.proxy.stop(), 0)
            self.one_key_one_thing(place)

    def crash(self, place, crowd, victim):
        if victim != "sandbox":
            crowd.close()
            place.proxy.kill()
        if victim != "proxy":
            place.sandbox.kill()
            place.sandbox.start()
        if victim != "sandbox":
            place.proxy.start()
            crowd.open()
        crowd.check()

    def one_key_one_thing(self, place):
        with place.proxy.database() as file:
            for table in ("idempotency", "operation_keys"):
                twice = file.execute(f"SELECT key, count(*) FROM {table} GROUP BY merchant, livemode, key HAVING count(*) > 1")
                self.assertEqual(twice.fetchall(), [], table)


if __name__ == "__main__":
    unittest.main()
