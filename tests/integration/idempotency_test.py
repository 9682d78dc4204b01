"""One key, one payment: in parallel, over a restart, while the first runs."""
import threading
import unittest

from harness import Http, Workplace, audit, bearer, payment, wait_until


class Idempotency(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Workplace(replace=[("connectors/*.yaml", r"merchants: \[demo\]", "merchants: [demo, other]")])
        cls.addClassCleanup(cls.place.__exit__, None, None, None)
        cls.place.sandbox.calm()
        cls.key = cls.place.proxy.make_key()
        cls.other = cls.place.proxy.make_key("other")
        cls.place.proxy.start()

    def pay(self, name, key=None, **changes):
        http = Http(self.place.proxy.port)
        try:
            headers = {**bearer(key or self.key), "Idempotency-Key": name}
            return http.request("POST", "/v1/payments", payment(**changes), headers)
        finally:
            http.close()

    def parallel(self, count, call):
        answers, barrier = [], threading.Barrier(count)

        def one():
            barrier.wait()
            answers.append(call())

        threads = [threading.Thread(target=one) for _ in range(count)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        self.assertEqual(len(answers), count)
        return answers

    def test_200_in_parallel_make_one_payment(self):
        answers = self.parallel(200, lambda: self.pay("parallel"))
        self.assertLessEqual({each.status for each in answers}, {201, 409})
        ids = {each.json["id"] for each in answers if each.status == 201}
        self.assertEqual(len(ids), 1)
        for each in answers:
            if each.status == 409:
                self.assertIn("retry-after", each.headers)
                self.assertEqual(each.json["code"], "idempotency_in_progress")
        again = self.pay("parallel")
        self.assertEqual(again.status, 201)
        self.assertEqual(again.headers.get("idempotency-replayed"), "true")
        self.assertEqual(again.json["id"], ids.pop())
        audit(self.place)

    def test_quoted_and_bare_are_one_key(self):
        first = self.pay("both-forms")
        again = self.pay('"both-forms"')
        self.assertEqual(again.json["id"], first.json["id"])

    def test_another_body_is_refused(self):
        self.pay("other-body", amount=100)
        answer = self.pay("other-body", amount=101)
        self.assertEqual(answer.status, 422)
        self.assertEqual(answer.json["code"], "idempotency_key_reused")

    def test_a_used_key_is_looked_at_before_the_expiry_date(self):
        first = self.pay("expiring")
        self.assertEqual(first.status, 201, first)
        expired = payment()
        expired["payment_method"]["card"].update(exp_month=1, exp_year=2020)
        again = self.pay("expiring", **expired)
        self.assertEqual(again.json["code"], "idempotency_key_reused", again)
        fresh = self.pay("never-used", **expired)
        self.assertEqual(fresh.json["code"], "invalid_request", fresh)

    def test_the_cvc_is_not_part_of_the_body(self):
        first = self.pay("no-cvc")
        wish = payment()
        wish["payment_method"]["card"].pop("cvc")
        again = self.pay("no-cvc", **wish)
        self.assertEqual(again.status, 201, again)
        self.assertEqual(again.json["id"], first.json["id"])

    def test_another_merchant_is_independent(self):
        mine = self.pay("shared-name")
        theirs = self.pay("shared-name", key=self.other)
        self.assertEqual((mine.status, theirs.status), (201, 201))
        self.assertNotEqual(mine.json["id"], theirs.json["id"])
        http = Http(self.place.proxy.port)
        path = "/v1/payments/" + mine.json["id"]
        self.assertEqual(http.request("GET", path, headers=bearer(self.key)).status, 200)
        hidden = http.request("GET", path, headers=bearer(self.other))
        absent = http.request("GET", path[:-3] + "000", headers=bearer(self.other))
        self.assertEqual((hidden.status, absent.status), (404, 404))
        self.assertEqual(hidden.json["detail"], absent.json["detail"])

    def test_while_the_first_runs_it_is_409_and_after_a_restart_the_current_state(self):
        place = self.place
        for name in place.sandbox.urls:
            place.sandbox.control(name, faults={"charge_then_stall": 1})
        first = threading.Thread(target=lambda: self.swallow(lambda: self.pay("restarted")))
        before = len(place.sandbox.operations())
        first.start()
        wait_until("the charge", lambda: len(place.sandbox.operations()) > before)
        running = self.pay("restarted")
        self.assertEqual(running.status, 409, running)
        place.proxy.kill()
        first.join()
        place.sandbox.calm()
        place.proxy.start()
        again = self.pay("restarted")
        self.assertIn(again.status, (201, 202), again)
        place.proxy.settle()
        final = self.pay("restarted")
        self.assertEqual(final.status, 201)
        self.assertEqual(final.json["status"], "succeeded")
        audit(place)

    @staticmethod
    def swallow(call):
        try:
            call()
        except Exception:  # its proxy is killed under it
            pass


if __name__ == "__main__":
    unittest.main()
