"""Reading payments over real sockets: lists and their cursors, filters, fields, compression, entity tags."""
import gzip
import time
import unittest
import urllib.parse

from harness import DECLINED_FUNDS, Http, Workplace, bearer, card, payment

REFERENCE = "caf\u00e9 & co+1"


class Reading(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Workplace(replace=[("connectors/*.yaml", r"merchants: \[demo\]", "merchants: [demo, other]")])
        cls.addClassCleanup(cls.place.__exit__, None, None, None)
        cls.place.sandbox.calm()
        cls.demo, cls.other = (bearer(cls.place.proxy.make_key(each)) for each in ("demo", "other"))
        cls.place.proxy.start()
        cls.http = Http(cls.place.proxy.port)
        cls.ids = []
        for n in range(12):
            wanted = payment(1000 + n, currency="EUR" if n % 2 else "USD", customer={"id": f"cus_{n % 3}"},
                             metadata={"note": "x" * 200})
            if n == 5:
                wanted["reference"] = REFERENCE
            if n == 7:
                wanted["payment_method"] = card(DECLINED_FUNDS)
            made = cls.http.request("POST", "/v1/payments", wanted, cls.demo)
            assert made.status == 201, made
            cls.ids.insert(0, made.json["id"])
        cls.theirs = cls.http.request("POST", "/v1/payments", payment(1), cls.other).json["id"]

    def get(self, path, key=None, **more):
        return self.http.request("GET", path, headers={**(key or self.demo), **more})

    def found(self, **query):
        answer = self.get("/v1/payments?" + urllib.parse.urlencode(query))
        self.assertEqual(answer.status, 200, answer)
        return [each["id"] for each in answer.json["data"]]

    def test_all_pages_newest_first(self):
        seen, cursor = [], {}
        while cursor is not None:
            answer = self.get("/v1/payments?" + urllib.parse.urlencode({"limit": 5, **cursor})).json
            self.assertEqual(answer["object"], "list")
            seen += [each["id"] for each in answer["data"]]
            cursor = answer["next_cursor"] and {"cursor": answer["next_cursor"]}
        self.assertEqual(seen, self.ids)

    def test_filters(self):
        self.assertEqual(self.found(reference=REFERENCE), [self.ids[6]])
        self.assertEqual(self.found(status="failed"), [self.ids[4]])
        self.assertEqual(len(self.found(status="failed,succeeded")), 12)
        self.assertEqual(self.found(status="processing"), [])
        self.assertEqual(self.found(customer="cus_1"), self.ids[1::3])
        self.assertEqual(self.found(currency="USD", amount_min=1002, amount_max=1004), [self.ids[7], self.ids[9]])
        one = self.get(f"/v1/payments/{self.ids[0]}").json
        self.assertIn(self.ids[0], self.found(connector=one["connector"]))
        self.assertEqual(self.found(connector="nobody"), [])
        self.assertNotIn(self.ids[0], self.found(created_after=one["created_at"]))
        self.assertNotIn(self.ids[0], self.found(created_before=one["created_at"]))
        hour_ago = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 3600)) + "+02:00"
        self.assertEqual(self.found(created_after=hour_ago), self.ids)
        self.assertEqual(self.found(created_before=hour_ago), [])

    def test_merchants_see_their_own_only(self):
        self.assertEqual([each["id"] for each in self.get("/v1/payments", self.other).json["data"]], [self.theirs])
        nothing = self.get("/v1/payments/pay_00000000000000000000000000").json
        for part in ("", "/attempts", "/events", "/decisions"):
            answer = self.get(f"/v1/payments/{self.theirs}{part}")
            self.assertEqual(answer.status, 404)
            self.assertEqual(answer.json["detail"], nothing["detail"])
        cursor = self.get("/v1/payments?limit=1").json["next_cursor"]
        refused = self.get(f"/v1/payments?cursor={cursor}", self.other)
        self.assertEqual((refused.status, refused.json["errors"][0]["field"]), (400, "cursor"))

    def test_cursors_survive_a_restart(self):
        cursor = self.get("/v1/payments?limit=3").json["next_cursor"]
        self.http.close()
        self.place.proxy.stop()
        self.place.proxy.start()
        type(self).http = Http(self.place.proxy.port)
        self.assertEqual(self.found(cursor=cursor), self.ids[3:])

    def test_compressed_answers(self):
        plain = self.get("/v1/payments")
        small = self.get("/v1/payments", **{"Accept-Encoding": "br;q=1.0, gzip;q=0.5"})
        self.assertEqual(small.headers["content-encoding"], "gzip")
        self.assertEqual(small.headers["vary"], "Accept-Encoding")
        self.assertEqual(gzip.decompress(small.text), plain.text)
        self.assertLess(len(small.text) * 3, len(plain.text))
        head = self.http.request("HEAD", "/v1/payments", headers={**self.demo, "Accept-Encoding": "gzip"})
        for name in ("content-length", "content-encoding", "vary", "content-type"):
            self.assertEqual(head.headers[name], small.headers[name])
        self.assertEqual(head.text, b"")

    def test_an_unchanged_payment_is_not_sent_again(self):
        path = f"/v1/payments/{self.ids[0]}?fields=status,amount"
        first = self.get(path)
        self.assertEqual(set(first.json), {"id", "object", "status", "amount"})
        again = self.get(path, **{"If-None-Match": first.headers["etag"]})
        self.assertEqual((again.status, again.text), (304, b""))
        self.assertEqual(again.headers["etag"], first.headers["etag"])
        self.assertNotIn("content-length", again.headers)
        self.assertEqual(self.get(path).text, first.text)  # the connection is in order
        self.assertNotEqual(self.get(f"/v1/payments/{self.ids[0]}").headers["etag"], first.headers["etag"])

    def test_events_in_pages(self):
        path = f"/v1/payments/{self.ids[0]}/events"
        all_events = self.get(path).json
        self.assertIsNone(all_events["next_cursor"])
        part = self.get(path + "?limit=1").json
        rest = self.get(path + "?cursor=" + part["next_cursor"]).json
        self.assertEqual(part["data"] + rest["data"], all_events["data"])


if __name__ == "__main__":
    unittest.main()
