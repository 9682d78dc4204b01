"""The wall clock jumps, forward by hours and back by days, while payments are in
doubt, and across a restart: libfaketime moves the proxy's clock while it runs.
The steady clock goes on, and so do the gateways: they are other machines.
"""
import glob
import http.client
import os
import re
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

from harness import DECLINED_FUNDS, Http, Proxy, Workplace, audit, bearer, card, payment, wait_until
from power import preload

FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)

ONE = """
version: 1
policies:
  - name: one
    route: {strategy: priority, connectors: [%s]}
    retry: {max_attempts: 3, deadline: %s, on: [technical, not_sent, rejected, do_not_honor]}
"""
HOURS, DAYS = timedelta(hours=3), timedelta(days=-2)
JUMPS = [(away, restart) for away in (HOURS, DAYS) for restart in (False, True)]
ONLY_INQUIRE = [("connectors/gamma.yaml", r"methods: \[inquire, reverse\], (.*), reverse_blocks_late: true",
                 r"methods: [inquire], \1")]
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class ClockProxy(Proxy):
    """A proxy whose wall clock is moved by jump()."""

    def spawn(self, prefix=()):
        self.clock_file = self.directory / "clock"
        if not self.clock_file.exists():
            self.jump(timedelta(0))
        plain = self.environment
        self.environment = {**plain, "LD_PRELOAD": preload(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(self.clock_file),
                            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}
        try:
            super().spawn(prefix)
        finally:
            self.environment = plain

    def jump(self, away):
        """From now on its clock is this far away from the machine's."""
        self.away = away
        fresh = self.clock_file.with_suffix(".new")
        fresh.write_text(f"{away.total_seconds():+.0f}\n")
        os.replace(fresh, self.clock_file)


class Shop:
    """A merchant with a proxy of his own whose clock jumps."""

    def __init__(self, gateway="gamma", deadline="1s", replace=(), final_after="4s"):
        self.place = Workplace(proxy_class=ClockProxy, policies=ONE % (gateway, deadline), replace=[
            ("connectors/*.yaml", r"(?m)^timeouts: .*$", "timeouts: {connect: 400ms, response: 400ms}"),
            ("connectors/*.yaml", r"not_found_final_after: \d+s", f"not_found_final_after: {final_after}"), *replace])
        self.proxy, self.sandbox = self.place.proxy, self.place.sandbox

    def __enter__(self):
        try:
            self.sandbox.calm()
            self.headers = bearer(self.proxy.make_key())
            self.proxy.start()
        except BaseException:
            self.place.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *failure):
        self.place.__exit__(*failure)

    def call(self, method, path, body=None, key=None):
        connection = Http(self.proxy.port)
        try:
            return connection.request(method, path, body, {**self.headers, **({"Idempotency-Key": key} if key else {})})
        finally:
            connection.close()

    def pay(self, key=None, **changes):
        return self.call("POST", "/v1/payments", payment(**changes), key)

    def read(self, made):
        return self.call("GET", "/v1/payments/" + made["id"]).json

    def move(self, away, restart):
        self.proxy.jump(away)
        if restart:
            self.proxy.kill()
            self.proxy.start()

    def done(self):
        return [each["operation"] for each in self.sandbox.operations()
                if each["result"] == "approved" and not each["replayed"]]

    def ask_and_hang_up(self, path):
        try:
            self.call("POST", path, {}, key=path)
        except (OSError, http.client.HTTPException):
            pass  # it was killed


@unittest.skipIf(FAKETIME is None, "libfaketime is not here (Debian: faketime)")
class Clock(unittest.TestCase):
    def in_each_jump(self, story):
        """story(away, restart) with all four at once: most of their time is waiting."""
        with ThreadPoolExecutor(len(JUMPS)) as pool:
            for (away, restart), told in [(jump, pool.submit(story, *jump)) for jump in JUMPS]:
                with self.subTest(away=str(away), restart=restart):
                    told.result()

    def test_not_found_is_final_no_sooner(self):
        """The charge happens after the connection is closed; until then each inquiry says "not found"."""
        def story(away, restart):
            with Shop(replace=ONLY_INQUIRE) as shop:
                shop.sandbox.control("gamma", charge_delay_ms=2500)
                made = shop.pay()
                self.assertEqual((made.status, made.json["status"]), (202, "processing"), made)
                shop.move(away, restart)
                shop.proxy.settle(20)
                self.assertEqual(shop.read(made.json)["status"], "succeeded")
                audit(shop.place, [(202, made.json)], finished=True)

        self.in_each_jump(story)

    def test_what_never_was_ends_soon(self):
        """Schedules do not wait until an old clock has caught up."""
        def story(away, restart):
            with Shop(replace=ONLY_INQUIRE, final_after="2s") as shop:
                shop.sandbox.control("gamma", faults={"drop_before_charge": 1})
                made = shop.pay()
                self.assertEqual(made.status, 202, made)
                shop.move(away, restart)
                shop.proxy.settle(15)
                self.assertEqual(shop.read(made.json)["status"], "failed")
                audit(shop.place, [(202, made.json)], finished=True)

        self.in_each_jump(story)

    def test_refunds_in_doubt(self):
        """A refund and a capture whose answers are lost are done once, whatever the clock makes of their keys."""
        def story(away, restart):
            with Shop("alpha", deadline="4s") as shop:
                sale, held = shop.pay().json, shop.pay(capture="manual").json
                shop.sandbox.control("alpha", modification_faults={"apply_then_drop": 1})
                paths = (f"/v1/payments/{sale['id']}/refunds", f"/v1/payments/{held['id']}/captures")
                threads = [threading.Thread(target=shop.ask_and_hang_up, args=(path,)) for path in paths]
                for each in threads:
                    each.start()
                wait_until("both to be done", lambda: {"refund", "capture"} <= set(shop.done()))
                shop.move(away, restart)
                shop.sandbox.calm()
                shop.proxy.settle(30)
                for each in threads:
                    each.join()
                self.assertEqual(shop.read(sale)["amount_refunded"], sale["amount"])
                self.assertEqual(shop.read(held)["amount_captured"], held["amount"])
                self.assertEqual(sorted(shop.done()), ["authorize", "capture", "refund", "sale"])
                audit(shop.place, finished=True)

        self.in_each_jump(story)

    def test_keys_live_on(self):
        """Neither a year ahead nor a year back makes a key forgotten, nor another one of it."""
        with Shop("alpha", deadline="4s") as shop:
            body, other = {"reference": "order-1"}, {"payment_method": card(DECLINED_FUNDS)}
            told, declined = shop.pay("key-1", **body), shop.pay("key-2", **other)
            self.assertEqual((told.status, declined.json["status"]), (201, "failed"))
            for away in (timedelta(days=365), timedelta(days=-365), HOURS):
                for restart in (False, True):
                    shop.move(away, restart)
                    for key, first, changes in (("key-1", told, body), ("key-2", declined, other)):
                        again = shop.pay(key, **changes)
                        self.assertEqual((again.status, again.text), (201, first.text))
                        self.assertEqual(again.headers["idempotency-replayed"], "true")
                    self.assertEqual(shop.pay("key-1", reference="order-2").json["code"], "idempotency_key_reused")
            self.assertEqual(len(shop.sandbox.operations()), 2)
            audit(shop.place, [(201, told.json)], finished=True)

    def test_times_and_lists(self):
        """Times are the clock's, whatever it says; lists have each payment once, newest first."""
        with Shop("alpha", deadline="4s") as shop:
            made = []
            for away in (timedelta(0), HOURS, DAYS, timedelta(days=3650), timedelta(days=-3650)):
                shop.proxy.jump(away)
                for _ in range(3):
                    now = shop.pay().json
                    for name in ("created_at", "updated_at"):
                        self.assertRegex(now[name], RFC3339)
                        told = datetime.fromisoformat(now[name].replace("Z", "+00:00"))
                        self.assertLess(abs(told - datetime.now(timezone.utc) - away), timedelta(seconds=60))
                    made.append(now["id"])
            shop.move(DAYS, restart=True)
            listed, cursor = [], ""
            while cursor is not None:
                page = shop.call("GET", "/v1/payments?limit=4" + (f"&cursor={cursor}" if cursor else "")).json
                listed += [each["id"] for each in page["data"]]
                cursor = page["next_cursor"]
            self.assertEqual(listed, made[::-1])
            audit(shop.place, finished=True)


if __name__ == "__main__":
    unittest.main()
