"""A gateway that is broken or means harm, byte by byte: whatever it answers to a
charge, nothing is approved that is not plainly this payment's approval, nobody
else is asked, and the proxy goes on."""
import concurrent.futures
import json
import socket
import threading
import unittest

from harness import Http, Workplace, bearer, card, payment, wait_until

# A connector of its own for each case, so that no breaker opens; they differ in nothing but the name.
POLICY = """  - name: case-{amount}
    match: {{amount: {{at_least: {euros} EUR, below: {more} EUR}}}}
    route: {{strategy: priority, connectors: [{connector}, beta]}}
    retry: {{max_attempts: 3, deadline: 1500ms, on: [technical, not_sent, rejected, do_not_honor]}}
"""
FIRST = 1000
CVC = "987"


def approval(own, amount, **changes):
    """Of the charge with our reference `own`; what is changed to ... is left out."""
    made = {"id": "ch_1", "object": "charge", "status": "succeeded", "captured": True, "amount": amount,
            "currency": "EUR", "reference": own}
    made.update(changes)
    return {name: content for name, content in made.items() if content is not ...}


def http(body, status="200 OK", fields="", length=None):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    length = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{fields}\r\n".encode() + body


def raw(head, body=b""):
    return head.replace("\n", "\r\n").encode() + body


def said(**changes):
    """An approval with something wrong in it."""
    return lambda reference, amount: http(approval(reference, amount, **changes))


def text(transform):
    """An approval whose JSON text is changed."""
    return lambda reference, amount: http(transform(json.dumps(approval(reference, amount))).encode("utf-8", "surrogatepass"))


def framed(status_line, fields="", body=True):
    """An approval in a frame of its own, closed behind it."""
    def make(reference, amount):
        content = json.dumps(approval(reference, amount)).encode() if body else b""
        return (f"{status_line}\r\n{fields}\r\n".replace("LENGTH", str(len(content)))).encode() + content
    return make


def whole(fields):
    return framed("HTTP/1.1 200 OK", fields)


# name, what the gateway sends, the code of the unknown attempt
UNKNOWN = [
    ("status line only", framed("HTTP/1.1 200 OK", "", body=False), "response_malformed"),
    ("HTTP/1.0", framed("HTTP/1.0 200 OK", "Content-Length: LENGTH\r\n"), "response_malformed"),
    ("HTTP/2.0", framed("HTTP/2.0 200 OK", "Content-Length: LENGTH\r\n"), "response_malformed"),
    ("no HTTP at all", lambda *_: b"220 smtp.example ESMTP\r\n\r\n", "response_malformed"),
    ("no length", whole(""), "response_malformed"),
    ("two lengths", whole("Content-Length: LENGTH\r\nContent-Length: LENGTH\r\n"), "response_malformed"),
    ("length and chunked", whole("Content-Length: LENGTH\r\nTransfer-Encoding: chunked\r\n"), "response_malformed"),
    ("a negative length", whole("Content-Length: -1\r\n"), "response_malformed"),
    ("a length beyond 64 bits", whole("Content-Length: 99999999999999999999\r\n"), "response_malformed"),
    ("a folded header", whole("Content-Length: LENGTH\r\nX-A: b\r\n c\r\n"), "response_malformed"),
    ("a NUL in a header", whole("Content-Length: LENGTH\r\nX-A: b\0c\r\n"), "response_malformed"),
    ("a huge header", whole("X-A: " + "a" * 70_000 + "\r\nContent-Length: LENGTH\r\n"), "response_too_large"),
    ("too many headers", whole("X-A: b\r\n" * 500 + "Content-Length: LENGTH\r\n"), "response_malformed"),
    ("interim answers without end", lambda *_: raw("HTTP/1.1 100 Continue\n\n") * 50, "response_malformed"),
    ("switching protocols", framed("HTTP/1.1 101 Switching Protocols", "Upgrade: x\r\n"), "response_malformed"),
    ("204 with a body", framed("HTTP/1.1 204 No Content", "Content-Length: LENGTH\r\n"), "response_malformed"),
    ("304 with a body", framed("HTTP/1.1 304 Not Modified", "Content-Length: LENGTH\r\n"), "no_rule_matched"),
    ("a redirect", framed("HTTP/1.1 302 Found", "Location: http://127.0.0.1:1/\r\nContent-Length: LENGTH\r\n"), "no_rule_matched"),
    ("a permanent redirect", framed("HTTP/1.1 308 Permanent Redirect", "Location: /v1/charges\r\nContent-Length: LENGTH\r\n"),
     "no_rule_matched"),
    ("another 2xx", framed("HTTP/1.1 202 Accepted", "Content-Length: LENGTH\r\n"), "no_rule_matched"),
    ("a status that is none", framed("HTTP/1.1 999 Odd", "Content-Length: LENGTH\r\n"), "no_rule_matched"),
    ("cut short", lambda r, a: http(approval(r, a))[:-5], "response_truncated"),
    ("closed without a length, cut", lambda r, a: raw("HTTP/1.1 200 OK\nConnection: close\n\n") + json.dumps(approval(r, a)).encode()[:-1],
     "no_rule_matched"),
    ("a chunk cut short", lambda r, a: raw("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n") + b"ff\r\n{}", "response_truncated"),
    ("a body that is too large", lambda *_: http(b" " * (2 << 20)), "response_too_large"),
    ("gzip that was not asked for", lambda *_: http(b"\x1f\x8b\x08\0\0\0\0\0", fields="Content-Encoding: gzip\r\n"), "no_rule_matched"),
    ("HTML", lambda *_: http(b"<html>approved</html>"), "no_rule_matched"),
    ("empty", lambda *_: http(b""), "no_rule_matched"),
    ("an array", lambda r, a: http([approval(r, a)]), "no_rule_matched"),
    ("deep nesting", lambda r, a: http(b'{"status":"succeeded","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "no_rule_matched"),
    ("two statuses", text(lambda t: t[:-1] + ', "status": "succeeded"}'), "no_rule_matched"),
    ("two amounts, one escaped", text(lambda t: t[:-1] + ', "\\u0061mount": 1}'), "no_rule_matched"),
    ("a lone surrogate", text(lambda t: t[:-1] + ', "x": "\\ud800"}'), "no_rule_matched"),
    ("bytes that are not UTF-8", text(lambda t: t[:-1] + ', "x": "\ud800"}'), "no_rule_matched"),
    ("a NUL in the status", said(status="succeeded\0"), "no_rule_matched"),
    ("a NUL behind the text", text(lambda t: t + "\0"), "no_rule_matched"),
    ("something behind the text", text(lambda t: t + "{}"), "no_rule_matched"),
    ("no id", said(id=...), "gateway_reference_unusable"),
    ("an empty id", said(id=""), "gateway_reference_unusable"),
    ("a long id", said(id="x" * 256), "gateway_reference_unusable"),
    ("an id that leaves the path", said(id="../../admin"), "gateway_reference_unusable"),
    ("an id with a line break", said(id="ch_1\r\nX-Evil: 1"), "gateway_reference_unusable"),
    ("the CVC as id", said(id=CVC), "gateway_reference_unusable"),
    ("the number as id", said(id="4242 4242 4242 4242"), "gateway_reference_unusable"),
    ("the number as id, without blanks", said(id="4242424242424242"), "gateway_reference_unusable"),
    ("no echo", said(reference=...), "foreign_answer"),
    ("an empty echo", said(reference=""), "foreign_answer"),
    ("the echo of another payment", said(reference="att_00000000000000000000000000"), "foreign_answer"),
    ("an echo that only begins alike", lambda r, a: http(approval(r + " ", a)), "foreign_answer"),
    ("a decline of another payment", lambda *_: http({"error": {"code": "do_not_honor"}, "reference": "att_other"}, "402 Payment Required"),
     "foreign_answer"),
]
# Approvals for something else than what was asked are undone, not believed.
WRONG_AMOUNT = [(str(each), text(lambda t, each=each: t.replace('"amount": ', f'"amount": {each}, "was": ')))
                for each in ("1e400", "-0", "0", "12.50", "1250.0", "1.25e3", "9223372036854775808", "null", '"12.50"', "[1250]")]


class Gateway:
    """Answers the first charge of each reference by the case that its amount names, everything else with 500."""

    def __init__(self):
        self.cases = {}
        self.after = lambda method, path, body: http({"error": {"code": "internal_error"}}, "500 Internal Server Error")
        self.requests = []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        with peer, peer.makefile("rb") as stream:
            while True:
                try:
                    line = stream.readline()
                    if not line:
                        return
                    fields = {}
                    while (each := stream.readline()) not in (b"\r\n", b""):
                        name, _, content = each.decode().partition(":")
                        fields[name.lower()] = content.strip()
                    body = json.loads(stream.read(int(fields.get("content-length", 0))) or b"{}")
                    method, path, _ = line.decode().split(" ")
                    answer, more = self._answer(method, path, body)
                    peer.sendall(answer)
                    if not more:
                        peer.shutdown(socket.SHUT_WR)
                        stream.read()
                        return
                except OSError:
                    return

    def _answer(self, method, path, body):
        with self.lock:
            self.requests.append((method, path, body))
            case = self.cases.pop(body.get("amount"), None) if (method, path) == ("POST", "/v1/charges") else None
        if case is None:
            return self.after(method, path, body), True
        return case(body["reference"], body["amount"]), False

    def close(self):
        self.listener.close()


class Hostile(unittest.TestCase):
    def open(self, cases, workers=2):
        """`cases`: by amount, from FIRST on."""
        gateway = Gateway()
        self.addCleanup(gateway.close)
        gateway.cases = dict(cases)
        policies = "".join(POLICY.format(amount=amount, euros=f"{amount / 100:.2f}", more=f"{(amount + 1) / 100:.2f}",
                                         connector=f"c{amount}") for amount in cases)
        place = Workplace(policies="version: 1\npolicies:\n" + policies, workers=workers)
        self.addCleanup(place.__exit__, None, None, None)
        place.sandbox.calm()
        alpha = (place.proxy.conf / "connectors" / "alpha.yaml").read_text()
        for amount in cases:
            (place.proxy.conf / "connectors" / f"c{amount}.yaml").write_text(alpha.replace("connector: alpha", f"connector: c{amount}"))
        place.proxy.environment["ALPHA_URL"] = gateway.url
        self.headers = bearer(place.proxy.make_key())
        place.proxy.start()
        self.place, self.gateway = place, gateway
        return place, gateway

    def pay(self, amount):
        client = Http(self.place.proxy.port)
        try:
            return client.request("POST", "/v1/payments", payment(amount=amount, payment_method=card(cvc=CVC)), self.headers)
        finally:
            client.close()

    def metrics(self):
        admin = Http(self.place.proxy.admin_port)
        try:
            return admin.request("GET", "/metrics").text.decode()
        finally:
            admin.close()

    def test_no_such_answer_is_believed(self):
        amounts = {FIRST + number: (name, code) for number, (name, _, code) in enumerate(UNKNOWN)}
        good = FIRST + len(UNKNOWN)
        place, gateway = self.open({**{FIRST + number: answer for number, (_, answer, _) in enumerate(UNKNOWN)}, good: said()})
        with concurrent.futures.ThreadPoolExecutor(12) as clients:
            answers = dict(zip(amounts, clients.map(self.pay, amounts)))
        for amount, (name, code) in amounts.items():
            with self.subTest(name):
                told = answers[amount]
                self.assertEqual((told.status, told.json["status"]), (202, "processing"), told)
                first = told.json["attempts"][0]
                self.assertEqual((len(told.json["attempts"]), first["outcome"], first["code"]), (1, "unknown", code))
                self.assertNotIn("gateway_reference", first)
                self.assertEqual(told.json["amount_captured"], 0)
        self.assertEqual({each["gateway"] for each in place.sandbox.operations()}, set(), "nobody else was asked")
        for method, path, _ in gateway.requests:
            self.assertIn(path.split("?")[0], ("/v1/charges", "/v1/reversals"), "no redirect is followed")
        metrics = self.metrics()
        for amount, (name, code) in amounts.items():
            counted = 1 if code == "foreign_answer" else 0
            self.assertIn(f'turnout_foreign_answers_total{{connector="c{amount}"}} {counted}', metrics, name)
        # Plainly approved, on the same proxy.
        self.assertEqual(self.pay(good).json["status"], "succeeded")
        self.assertEqual(place.proxy.stop(), 0)
        for file in place.directory_files():
            if "keys" not in file.parts and "conf" not in file.parts:
                self.assertNotIn(b"4242424242424242", file.read_bytes(), file)

    def test_an_amount_that_is_not_exactly_ours_is_undone(self):
        cases = {FIRST + number: answer for number, (_, answer) in enumerate(WRONG_AMOUNT)}
        _, gateway = self.open(cases)
        gateway.after = lambda method, path, body: (
            http({"object": "reversal", "status": "reversed", "reference": body["reference"], "charge": "ch_1"})
            if path == "/v1/reversals" else http({}, "500 Internal Server Error"))
        for amount, (name, _) in zip(cases, WRONG_AMOUNT):
            with self.subTest(name):
                told = self.pay(amount)
                self.assertEqual(told.json["attempts"][0]["outcome"], "rejected", told)
                self.assertIn(("POST", "/v1/reversals", {"reference": told.json["attempts"][0]["id"]}), gateway.requests)

    def test_an_answer_too_many_is_not_the_next_payments(self):
        """The gateway says its first answer again before each later one."""
        _, gateway = self.open({FIRST: None}, workers=1)
        said_first = []

        def after(method, path, body):
            if (method, path) != ("POST", "/v1/charges"):
                return http({}, "500 Internal Server Error")
            mine = http(approval(body["reference"], body["amount"]))
            said_first.append(mine)
            return mine if len(said_first) == 1 else said_first[0] + mine

        gateway.after = after
        self.assertEqual(self.pay(FIRST).json["status"], "succeeded")
        second = self.pay(FIRST).json
        self.assertEqual(second["attempts"][0]["outcome"], "unknown", second)
        self.assertEqual(second["attempts"][0]["code"], "foreign_answer")
        self.assertEqual(len(second["attempts"]), 1)
        self.assertRegex(self.metrics(), r'turnout_foreign_answers_total\{connector="c1000"\} [1-9]')
        wait_until("the log to tell", lambda: any('"foreign_answer"' in each for each in self.place.proxy.process.lines))


if __name__ == "__main__":
    unittest.main()
