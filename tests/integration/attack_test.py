"""An attacker on the merchant API, over sockets: requests that two readers would
read differently, ways around the router, the keys and the tenants."""
import gzip
import json
import re
import socket
import time
import unittest

from harness import SLOW, VISA, Http, Workplace, bearer, basic, payment


class Answers:
    """What came back on one connection until the proxy closed it or fell silent."""

    def __init__(self, text):
        self.text = text
        self.statuses = [int(each) for each in re.findall(rb"(?:^|\r\n|\})HTTP/1\.1 (\d{3})", text)]


class Attack(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = Workplace()
        cls.addClassCleanup(cls.place.__exit__, None, None, None)
        cls.place.sandbox.calm()
        cls.place.proxy.edit("connectors/*.yaml", r"merchants: \[demo\]", "merchants: [demo, other]")
        cls.key, cls.other = cls.place.proxy.make_key(), cls.place.proxy.make_key("other")
        cls.place.proxy.start()
        cls.http = Http(cls.place.proxy.port)
        cls.addClassCleanup(cls.http.close)

    def raw(self, text, end=True, seconds=10.0):
        """Sends bytes as they are; reads until the end. `end` says that nothing follows."""
        with socket.create_connection(("127.0.0.1", self.place.proxy.port), timeout=seconds * SLOW) as peer:
            peer.sendall(text if isinstance(text, bytes) else text.encode())
            if end:
                peer.shutdown(socket.SHUT_WR)
            got = b""
            try:
                while chunk := peer.recv(65536):
                    got += chunk
            except (ConnectionResetError, socket.timeout):
                pass
            return Answers(got)

    def request(self, method="GET", path="/v1/payments", fields="", body="", key=None):
        return (f"{method} {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key or self.key}\r\n{fields}\r\n{body}")

    def post(self, fields, body, path="/v1/payments"):
        return self.request("POST", path, "Content-Type: application/json\r\n" + fields, body)

    def count(self):
        return len(self.place.proxy.payments())

    # ---- framing ----

    def test_smuggled_requests(self):
        inner = self.post("Content-Length: 2\r\n", "{}")
        body = json.dumps(payment())
        length = len(body)
        before = self.count()
        for what, text in {
            "length and chunked": self.post(f"Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + inner),
            "chunked and length": self.post(f"Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n", body),
            "two lengths": self.post(f"Content-Length: {length}\r\nContent-Length: 0\r\n", body),
            "the same length twice": self.post(f"Content-Length: {length}\r\nContent-Length: {length}\r\n", body),
            "a list of lengths": self.post(f"Content-Length: {length}, {length}\r\n", body),
            "a signed length": self.post(f"Content-Length: +{length}\r\n", body),
            "a hexadecimal length": self.post(f"Content-Length: 0x{length:x}\r\n", body),
            "xchunked": self.post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n" + inner),
            "identity": self.post("Transfer-Encoding: identity\r\n", inner),
            "chunked twice": self.post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + inner),
            "chunked, identity": self.post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n" + inner),
            "a tab before chunked": self.post("Transfer-Encoding:\tx chunked\r\n", "0\r\n\r\n" + inner),
            "a blank before the colon": self.post(f"Content-Length : {length}\r\n", body),
            "a folded header": self.post(f"X: a\r\n Content-Length: 0\r\nContent-Length: {length}\r\n", body),
            "a line break alone": self.post(f"X: a\nContent-Length: 0\r\nContent-Length: {length}\r\n", body),
            "a NUL": self.post(f"X: a\0b\r\nContent-Length: {length}\r\n", body),
            "no host": self.request().replace("Host: a\r\n", ""),
            "two hosts": self.request(fields="Host: b\r\n"),
            "a host with a path": self.request().replace("Host: a", "Host: a/b@c"),
            "HTTP/1.0": self.request().replace("HTTP/1.1", "HTTP/1.0"),
            "HTTP/0.9": "GET /v1/payments\r\n\r\n",
            "an absolute target": self.request(path="http://a/v1/payments"),
            "an asterisk": self.request("OPTIONS", "*"),
            "CONNECT": self.request("CONNECT", "a:443"),
            "a fragment": self.request(path="/v1/payments#x"),
            "a blank in the target": self.request(path="/v1/pay ments"),
            "a chunk of a signed size": self.post("Transfer-Encoding: chunked\r\n", "-1\r\n\r\n" + inner),
            "a chunk beyond 64 bits": self.post("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n" + inner),
        }.items():
            with self.subTest(what):
                got = self.raw(text + inner)
                self.assertEqual(len(got.statuses), 1, got.text)
                self.assertGreaterEqual(got.statuses[0], 400, got.text)
                self.assertLess(got.statuses[0], 600)
                self.assertIn(b"connection: close", got.text.lower())
        self.assertEqual(self.count(), before)

    def test_expectations(self):
        body = json.dumps(payment())
        with socket.create_connection(("127.0.0.1", self.place.proxy.port), timeout=10 * SLOW) as peer:
            peer.sendall(self.post(f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\n", "").encode())
            self.assertTrue(peer.recv(4096).startswith(b"HTTP/1.1 100 "))
            peer.sendall(body.encode())
            self.assertTrue(peer.recv(65536).startswith(b"HTTP/1.1 201 "))
        self.assertEqual(self.raw(self.post(f"Expect: 200-ok\r\nContent-Length: {len(body)}\r\n", body)).statuses, [417])
        # Who is refused before the body is not asked for it.
        refused = self.raw(self.request("POST", "/v1/nothing", "Expect: 100-continue\r\nContent-Length: 99999999\r\n"), end=False)
        self.assertEqual([each for each in refused.statuses if each >= 200], [413], refused.text)

    # ---- routes and methods ----

    def test_only_the_path_itself_is_the_path(self):
        for path in ("/v1//payments", "//v1/payments", "/v1/payments/", "/v1/%70ayments", "/v1%2Fpayments", "/v1/./payments",
                     "/v1/x/../payments", "/v1/%2e%2e/v1/payments", "/V1/payments", "/v1/payments;a=b", "/v1/payments%00",
                     "/v1\\payments", "/v1/payments/../../-/reload", "/health/live", "/metrics", "/-/reload", "/admin/connectors"):
            with self.subTest(path):
                self.assertIn(self.raw(self.request(path=path)).statuses, ([404], [400]))
        for identifier in ("..", "%2e%2e", "pay_%00", "pay_' OR 1=1 --", "x" * 4000, "%F0%9F%92%B6"):
            with self.subTest(identifier):
                self.assertIn(self.raw(self.request(path="/v1/payments/" + identifier.replace(" ", "%20"))).statuses, ([404],))

    def test_methods(self):
        before = self.count()
        body = json.dumps(payment())
        for fields in ("X-HTTP-Method-Override: POST\r\n", "X-Method-Override: POST\r\n", "X-HTTP-Method: POST\r\n"):
            got = self.raw(self.request("GET", "/v1/payments", f"{fields}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n", body))
            self.assertEqual(got.statuses, [200])
        self.assertEqual(self.raw(self.request(path="/v1/payments?_method=POST")).statuses, [400])
        for method, status in (("TRACE", 405), ("OPTIONS", 405), ("PUT", 405), ("PATCH", 405), ("DELETE", 405), ("post", 405),
                               ("PROPFIND", 405), ("X", 405)):
            with self.subTest(method):
                got = self.raw(self.request(method, fields="X-Secret: canary\r\n"))
                self.assertEqual(got.statuses, [status], got.text)
                self.assertNotIn(b"canary", got.text)
                self.assertNotIn(self.key.encode(), got.text)
        head = self.raw(self.request("HEAD"))
        self.assertEqual(head.statuses, [200])
        self.assertTrue(head.text.endswith(b"\r\n\r\n"), head.text)
        self.assertEqual(self.count(), before)

    def test_no_page_of_another_origin_reads_anything(self):
        for method in ("GET", "OPTIONS"):
            got = self.raw(self.request(method, fields="Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n"))
            self.assertNotIn(b"access-control-allow", got.text.lower())

    # ---- keys and tenants ----

    def test_credentials_at_the_edges(self):
        identifier, secret = self.key.split(":")
        foreign = self.other.split(":")[1]
        told = set()
        for field in ("Bearer", "Bearer ", f"Bearer {identifier}", f"Bearer {identifier}:", f"Bearer :{secret}", f"Bearer {identifier}:{foreign}",
                      f"Bearer {identifier}:{secret}x", f"Bearer {identifier}:{secret[:-1]}", f"Bearer {identifier.upper()}:{secret}",
                      f"Bearer {identifier}:{secret} x", f"Bearer {identifier}: {secret}", f"Bearer\t{self.key}", f"Token {self.key}",
                      f"Bearer {secret}:{identifier}", f"Bearer {self.key}, Bearer {self.key}", "Basic ", "Basic ====",
                      "Basic " + "A" * 2_000, f"Basic {self.key}", f"Bearer {identifier}:{secret}\x80"):
            with self.subTest(field):
                got = self.raw(f"GET /v1/payments HTTP/1.1\r\nHost: a\r\nAuthorization: {field}\r\n\r\n".encode("latin-1"))
                self.assertEqual(got.statuses, [401], got.text)
                told.add(re.sub(rb'"request_id":"[^"]*"', b"", got.text.split(b"\r\n\r\n", 1)[1]))
        self.assertEqual(len(told), 1, "what is wrong with a key is not told")
        twice = f"GET /v1/payments HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {self.key}\r\nAuthorization: Bearer {self.key}\r\n\r\n"
        self.assertEqual(self.raw(twice).statuses, [401])
        for good in (bearer(self.key), basic(self.key), {"Authorization": "bEARER " + self.key}):
            self.assertEqual(self.http.request("GET", "/v1/payments", headers=good).status, 200)

    def test_another_merchants_payment_does_not_exist(self):
        mine = self.http.request("POST", "/v1/payments", payment(), {**bearer(self.key), "Idempotency-Key": "shared-key"}).json
        nobody = "pay_" + "0" * (len(mine["id"]) - 4)
        for method, path in (("GET", ""), ("GET", "/attempts"), ("GET", "/events"), ("GET", "/decisions"), ("GET", "/captures"),
                             ("GET", "/refunds"), ("POST", "/captures"), ("POST", "/refunds"), ("POST", "/cancel")):
            with self.subTest(method + path):
                answers = [self.http.request(method, f"/v1/payments/{each}{path}", {} if method == "POST" else None, bearer(self.other))
                           for each in (mine["id"], nobody)]
                self.assertEqual([each.status for each in answers], [404, 404])
                bodies = [{**each.json, "request_id": ""} for each in answers]
                self.assertEqual(bodies[0], bodies[1])
        # The same key of another merchant is another key.
        theirs = self.http.request("POST", "/v1/payments", payment(), {**bearer(self.other), "Idempotency-Key": "shared-key"})
        self.assertEqual(theirs.status, 201)
        self.assertNotEqual(theirs.json["id"], mine["id"])
        self.assertNotIn("idempotency-replayed", theirs.headers)

    # ---- idempotency keys and bodies ----

    def test_idempotency_keys_at_the_edges(self):
        body = json.dumps(payment())
        before = self.count()
        for key in (b"", b'""', b'"', b'"a', b'a"b', b'"a"b"', b'"a\\"', b"a b", b"x" * 256, b'"' + b"x" * 256 + b'"', b"caf\xc3\xa9", b"\xff",
                    b'"\\n"', b"a\tb", VISA.encode(), b'"4242 4242 4242 4242"', b"k-4242-4242-4242-4242"):
            with self.subTest(key):
                got = self.raw(self.post("Idempotency-Key: KEY\r\nContent-Length: %d\r\n" % len(body), body).encode().replace(b"KEY", key))
                self.assertEqual(got.statuses, [400], got.text)
                self.assertNotIn(b"4242", got.text)
        twice = self.raw(self.post("Idempotency-Key: a\r\nIdempotency-Key: b\r\nContent-Length: %d\r\n" % len(body), body))
        self.assertEqual(twice.statuses, [400])
        self.assertEqual(self.count(), before)
        longest = "x" * 255
        for key in (longest, f'"{longest}"'):  # bare and quoted are one key
            answer = self.http.request("POST", "/v1/payments", payment(), {**bearer(self.key), "Idempotency-Key": key})
            self.assertEqual(answer.status, 201)
        self.assertEqual(self.count(), before + 1)
        for odd in ("'; DROP TABLE payments; --", "../../etc/passwd", "%00", "{}", "a\\b"):
            answer = self.http.request("POST", "/v1/payments", payment(), {**bearer(self.key), "Idempotency-Key": '"' + odd.replace("\\", "\\\\") + '"'})
            self.assertEqual(answer.status, 201, answer)

    def test_bodies_that_are_packed_or_lie(self):
        before = self.count()
        plain = json.dumps(payment()).encode()
        packed = gzip.compress(plain)
        bomb = gzip.compress(b" " * (50 << 20))
        for fields, body in (({"Content-Encoding": "gzip"}, packed), ({"Content-Encoding": "gzip"}, bomb), ({"Content-Encoding": "deflate"}, plain),
                             ({"Content-Encoding": "identity, gzip"}, packed), ({"Content-Type": "text/plain"}, plain),
                             ({"Content-Type": "application/x-www-form-urlencoded"}, plain), ({"Content-Type": "application/json; charset=utf-16"}, plain),
                             ({"Content-Type": "application/jsonx"}, plain)):
            with self.subTest(fields):
                self.assertEqual(self.http.request("POST", "/v1/payments", body, {**bearer(self.key), **fields}).status, 415)
        for what, body in (("gzip that nobody announced", packed), ("UTF-16", plain.decode().encode("utf-16")), ("a number that is none", plain.replace(b"1250", b"1e3")),
                           ("a number beyond all", plain.replace(b"1250", b"1e400")), ("minus zero", plain.replace(b"1250", b"-0")),
                           ("a lone surrogate", plain[:-1] + b', "reference": "\\ud800"}'),
                           ("metadata of a megabyte", json.dumps(payment(metadata={"k": "v" * 900_000})).encode()),
                           ("many members", json.dumps(payment(metadata={f"k{i}": "v" for i in range(20_000)})).encode()),
                           ("a number in the metadata", json.dumps(payment(metadata={"note": VISA})).encode()),
                           ("a number in the reference", json.dumps(payment(reference="card 4242 4242 4242 4242")).encode())):
            with self.subTest(what):
                begun = time.monotonic()
                answer = self.http.request("POST", "/v1/payments", body, bearer(self.key))
                self.assertEqual(answer.status, 400, answer)
                self.assertNotIn(b"4242424242424242", answer.text)
                self.assertLess(time.monotonic() - begun, 5 * SLOW)
        self.assertEqual(self.count(), before)

    # ---- the admin listener ----

    def test_a_rebound_name_reaches_nothing(self):
        port = self.place.proxy.admin_port
        for host, path, status in (("evil.example", "/metrics", 403), (f"evil.example:{port}", "/admin/connectors", 403),
                                   ("evil.example", "/health/ready", 403), (f"127.0.0.1:{port}", "/metrics", 200),
                                   (f"localhost:{port}", "/metrics", 200), (f"[::1]:{port}", "/health/live", 200)):
            with socket.create_connection(("127.0.0.1", port), timeout=10 * SLOW) as peer:
                peer.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                got = b""
                while chunk := peer.recv(65536):
                    got += chunk
                self.assertTrue(got.startswith(f"HTTP/1.1 {status} ".encode()), (host, got[:300]))
                if status == 403:
                    self.assertNotIn(b"turnout_", got)


if __name__ == "__main__":
    unittest.main()
