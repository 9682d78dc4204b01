"""3-D Secure with real processes: a shopper is challenged, comes back, fails,
gives up, never comes back; the proxy is killed in between; links are forged.

The walk of a browser is done over plain HTTP, and again by a real one where a
chromium is installed.
"""
import html.parser
import http.client
import http.server
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import unittest
from urllib.parse import parse_qs, urlencode, urlsplit

import contract
from harness import Http, SLOW, Workplace, audit, bearer, card, payment, wait_until

CHALLENGED = "4000002500003155"
CRYPTOGRAM = "Y2F2di1pbi1ub2JvZHlzLWxvZyE="  # of nobody's log
# Shoppers know the proxy under this name, whatever its port is after a restart.
PUBLIC = "pay.example"

POLICIES = """version: 1
policies:
  - {name: short, match: {currency: [JPY]}, route: {strategy: priority, connectors: [alpha]}, retry: {action_expires_after: 2s}}
  - {name: forms, match: {currency: [GBP]}, route: {strategy: priority, connectors: [gamma]}}
  - {name: without, match: {currency: [USD]}, route: {strategy: priority, connectors: [beta]}}
  - {name: rest, route: {strategy: priority, connectors: [alpha]}}
"""


class Shop(http.server.ThreadingHTTPServer):
    """The merchant's own site: remembers who came back, and sends shoppers on by a form."""

    def __init__(self):
        shop = self

        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path.startswith("/return"):
                    shop.visits.append(self.path)
                text = shop.checkout if self.path == "/checkout" else "<p id=shop>thank you</p>"
                body = f"<!doctype html><title>shop</title>{text}".encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Page)
        self.visits, self.checkout = [], ""
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def send_by_form(self, action):
        fields = "".join(f'<input type=hidden name="{name}" value="{value}">' for name, value in action["fields"].items())
        self.checkout = (f'<form method=post action="{action["url"]}">{fields}</form>'
                         "<script>document.forms[0].submit()</script>")


class Form(html.parser.HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.method, self.inputs, self.buttons = None, [], set()
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.method = attributes.get("method", "get").upper()
        if tag == "input":
            self.inputs.append(attributes["name"])
        if tag == "button":
            self.buttons.add((attributes["name"], attributes["value"]))


class Walks(unittest.TestCase):
    """A shop, a proxy, a sandbox, and what people do with them."""

    @classmethod
    def setUpClass(cls):
        cls.shop = Shop()
        cls.addClassCleanup(cls.shop.server_close)
        cls.addClassCleanup(cls.shop.shutdown)
        cls.place = Workplace(policies=POLICIES, replace=[
            ("turnout.yaml", r"(?m)^workers: .*$", f"workers: 3\npublic_url: http://{PUBLIC}")])
        cls.addClassCleanup(cls.place.__exit__, None, None, None)
        cls.key = cls.place.proxy.make_key()
        cls.place.proxy.start()

    def setUp(self):
        self.place.sandbox.calm()
        self.shop.visits.clear()

    # ---- what people and programs do ----------------------------------------

    def api(self, method, path, body=None, **headers):
        connection = Http(self.place.proxy.port)
        try:
            return connection.request(method, path, body, {**bearer(self.key), **headers})
        finally:
            connection.close()

    def pay(self, key=None, **changes):
        wish = payment(payment_method=card(CHALLENGED), return_url=f"{self.shop.url}/return?cart=7#top")
        wish.update(changes)
        return self.api("POST", "/v1/payments", wish, **({"Idempotency-Key": key} if key else {}))

    def challenged(self, **changes):
        answer = self.pay(**changes)
        self.assertEqual((answer.status, answer.json["status"]), (201, "requires_action"), answer)
        return answer.json

    def read(self, made):
        answer = self.api("GET", f"/v1/payments/{made['id']}")
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def browse(self, url, form=None):
        """One request of a browser; redirects are followed by whoever calls."""
        parts = urlsplit(url)
        host, port = (("127.0.0.1", self.place.proxy.port) if parts.hostname == PUBLIC
                      else (parts.hostname, parts.port))
        self.assertEqual((parts.scheme, host), ("http", "127.0.0.1"), url)
        connection = http.client.HTTPConnection(host, port, timeout=30 * SLOW)
        target = parts.path + ("?" + parts.query if parts.query else "")
        fields = {"Host": parts.netloc}
        if form is not None:
            fields["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("GET" if form is None else "POST", target, None if form is None else urlencode(form), fields)
        answer = connection.getresponse()
        text = answer.read().decode()
        if port == self.place.proxy.port:
            headers = {name.lower(): value for name, value in answer.getheaders()}
            contract.check("GET" if form is None else "POST", target, answer.status, headers, text.encode())
        connection.close()
        return answer.status, answer.getheader("Location"), text

    def open_action(self, action):
        status, _, page = self.browse(action["url"], action["fields"] if action["type"] == "form" else None)
        self.assertEqual(status, 200, page)
        return Form(page)

    def act(self, made, result, code=""):
        """Does what the page asks for; the address that the bank sends the shopper to."""
        action = made["next_action"]
        form = self.open_action(action)
        self.assertEqual(form.method, "POST")
        self.assertEqual(form.inputs, ["code"])
        self.assertIn(("result", result), form.buttons)
        status, back, page = self.browse(action["url"], {"code": code, "result": result})
        self.assertEqual(status, 303, page)
        self.assertTrue(back.startswith(f"http://{PUBLIC}/v1/payments/{made['id']}/return?token="), back)
        return back

    def come_back(self, back):
        """Follows the address to the shop; what the shop is told."""
        status, location, page = self.browse(back)
        self.assertEqual(status, 303, page)
        self.assertTrue(location.startswith(self.shop.url + "/return?cart=7&payment="), location)
        self.assertTrue(location.endswith("#top"), location)
        self.browse(location.removesuffix("#top"))
        told = parse_qs(urlsplit(self.shop.visits[-1]).query)
        self.assertEqual(told["cart"], ["7"])
        return {"payment": told["payment"][0], "status": told["status"][0]}

    def charges(self, made):
        attempts = {each["id"] for each in made["attempts"]}
        return [each for each in self.place.sandbox.operations()
                if each["reference"] in attempts and each["operation"] in ("sale", "authorize")]

    def assert_failed(self, made, code):
        now = self.read(made)
        self.assertEqual(now["status"], "failed", now)
        self.assertEqual((now["error"]["code"], now["error"]["class"], now["error"]["advice"]),
                         (code, "authentication", "authenticate"))
        self.assertIsNone(now["next_action"])
        self.assertEqual([each for each in self.charges(made) if each["result"] == "approved"], [])
        audit(self.place)


class OverHttp(Walks):
    def test_passed(self):
        for _ in range(6):  # over several connections: whoever is asked need not be the payment's owner
            made = self.challenged()
            action = made["next_action"]
            self.assertEqual(action["type"], "redirect")
            self.assertRegex(action["expires_at"], r"^\d{4}-.*Z$")
            self.assertEqual(self.charges(made), [])
            told = self.come_back(self.act(made, "approve"))
            self.assertEqual(told, {"payment": made["id"], "status": "succeeded"})
            now = self.read(made)
            self.assertEqual((now["status"], now["amount_captured"], now["next_action"]), ("succeeded", 1250, None))
            self.assertEqual(len(self.charges(made)), 1)
        audit(self.place)

    def test_passed_by_a_form(self):
        made = self.challenged(currency="GBP")
        action = made["next_action"]
        self.assertEqual((action["type"], action["method"], list(action["fields"])), ("form", "POST", ["creq"]))
        told = self.come_back(self.act(made, "approve", code="123456"))
        self.assertEqual(told["status"], "succeeded")
        audit(self.place)

    def test_authorized(self):
        made = self.challenged(capture="manual")
        self.assertEqual(self.come_back(self.act(made, "approve"))["status"], "authorized")

    def test_coming_back_twice_is_harmless(self):
        made = self.challenged()
        back = self.act(made, "approve")
        answers, threads = [], []
        for _ in range(8):
            threads.append(threading.Thread(target=lambda: answers.append(self.browse(back)[1])))
            threads[-1].start()
        for each in threads:
            each.join()
        self.assertEqual(len(answers), 8)
        self.assertEqual({re.search(r"status=(\w+)", each).group(1) for each in answers}, {"succeeded"})
        self.assertEqual(self.come_back(back)["status"], "succeeded")
        self.assertEqual(len(self.charges(made)), 1)

    def test_failed_and_cancelled(self):
        for result, code in (("fail", ""), ("cancel", ""), ("approve", "000000")):
            made = self.challenged()
            self.assertEqual(self.come_back(self.act(made, result, code))["status"], "failed")
            self.assert_failed(made, "authentication_failed")

    def test_nobody_comes(self):
        made = self.challenged(currency="JPY")
        wait_until("the action to expire", lambda: self.read(made)["status"] == "failed", 30)
        self.assert_failed(made, "action_expired")
        self.assertEqual(self.browse(made["next_action"]["url"])[0], 404)  # blocked at the gateway, too

    def test_passed_and_never_came_back(self):
        made = self.challenged(currency="JPY")
        self.act(made, "approve")
        wait_until("the last question", lambda: self.read(made)["status"] == "succeeded", 30)
        audit(self.place)

    def test_a_key_tells_the_current_state(self):
        first = self.pay(key="challenge-1")
        again = self.pay(key="challenge-1")
        self.assertEqual((again.status, again.json["id"], again.json["status"]),
                         (201, first.json["id"], "requires_action"))
        self.assertEqual(again.headers.get("idempotency-replayed"), "true")
        self.come_back(self.act(first.json, "approve"))
        self.assertEqual(self.pay(key="challenge-1").json["status"], "succeeded")

    def test_a_lost_challenge_is_found(self):
        for gateway, currency in (("alpha", "EUR"), ("gamma", "GBP")):
            self.place.sandbox.control(gateway, faults={"charge_then_drop": 1})
            made = self.challenged(currency=currency)
            self.place.sandbox.calm()
            self.assertEqual(self.come_back(self.act(made, "approve"))["status"], "succeeded")
        audit(self.place)

    def test_cancelled_by_the_merchant(self):
        made = self.challenged()
        answer = self.api("POST", f"/v1/payments/{made['id']}/cancel", {})
        self.assertIn(answer.status, (201, 202), answer)
        wait_until("the end", lambda: self.read(made)["status"] == "canceled")
        self.assertEqual(self.browse(made["next_action"]["url"])[0], 404)
        self.assertEqual([each for each in self.charges(made) if each["result"] == "approved"], [])
        audit(self.place)

    def test_killed_between_challenge_and_return(self):
        waiting, passed = self.challenged(), self.challenged(currency="GBP")
        self.place.proxy.kill()
        back = self.act(passed, "approve")  # while nobody is there
        self.place.proxy.start()
        self.assertEqual(self.come_back(back)["status"], "succeeded")
        now = self.read(waiting)
        self.assertEqual(now["status"], "requires_action")
        self.assertEqual(now["next_action"], waiting["next_action"])
        self.assertEqual(self.come_back(self.act(now, "approve"))["status"], "succeeded")
        for each in (waiting, passed):
            self.assertEqual(len(self.charges(each)), 1)
        audit(self.place)

    def test_forged_addresses(self):
        made, other = self.challenged(), self.challenged()
        back = self.act(made, "approve")
        token = parse_qs(urlsplit(back).query)["token"][0]
        until, mac = token.split(".")
        path = f"http://{PUBLIC}/v1/payments/{{}}/return"
        for bad in (path.format(made["id"]), path.format(made["id"]) + "?token=",
                    path.format(other["id"]) + "?token=" + token,
                    path.format(made["id"]) + f"?token={int(until) + 1}.{mac}",
                    path.format(made["id"]) + f"?token={until}.{mac[:-1]}{'0' if mac[-1] != '0' else '1'}",
                    path.format(made["id"]) + f"?token={until}.", path.format("pay_none") + "?token=" + token):
            status, location, page = self.browse(bad)
            self.assertEqual((status, location), (404, None), bad)
            self.assertNotIn("pay_", page)
        self.assertEqual(self.read(other)["status"], "requires_action")
        # Nothing that stands in the address, or is posted to it, changes where it leads.
        evil = "https://evil.example/"
        for more in ("&return_url=", "&url=", "&redirect="):
            self.assertTrue(self.browse(back + more + evil)[1].startswith(self.shop.url))
        self.assertTrue(self.browse(back, {"return_url": evil, "cres": "e30"})[1].startswith(self.shop.url))

    def test_addresses_that_are_no_web_pages(self):
        for bad in ("javascript:alert(1)", "//evil.example", "/return", "ftp://shop.example/", "https://u@evil.example/",
                    "https:evil.example", "data:text/html,x", "https://shop.example/\r\nX: y"):
            answer = self.pay(return_url=bad)
            self.assertEqual((answer.status, answer.json["errors"][0]["field"]), (400, "return_url"), bad)

    def test_without_a_return_url(self):
        wish = payment(payment_method=card(CHALLENGED))
        answer = self.api("POST", "/v1/payments", wish)
        self.assertEqual((answer.status, answer.json["status"]), (201, "failed"))
        self.assertEqual(answer.json["error"]["code"], "authentication_required")

    def test_the_merchants_own_authentication(self):
        brought = {"version": "2.2.0", "eci": "05", "cryptogram": CRYPTOGRAM,
                   "ds_transaction_id": "c4e59ceb-a382-4d6a-bc87-385d591fa09d"}
        answer = self.pay(authentication=brought)
        self.assertEqual((answer.status, answer.json["status"]), (201, "succeeded"), answer)
        shown = {name: value for name, value in brought.items() if name != "cryptogram"}
        self.assertEqual(answer.json["authentication"], shown)
        self.assertEqual(self.pay(authentication=brought, currency="GBP").json["status"], "succeeded")
        refused = self.pay(authentication=brought, currency="USD")
        self.assertEqual((refused.status, refused.json["code"]), (422, "no_connector"))
        self.assertIn({"connector": "beta", "reason": "authentication_not_supported"}, refused.json["exclusions"])
        for each in self.place.directory_files():
            self.assertNotIn(CRYPTOGRAM.encode(), each.read_bytes(), each)
        self.assertNotIn(CRYPTOGRAM, self.place.proxy.process.output())


class Browser:
    """A headless chromium, driven over the pipe of its debugging protocol."""

    def __init__(self, binary, directory, hosts):
        asks, self._send = os.pipe()
        self._receive, says = os.pipe()
        command = [binary, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                   "--remote-debugging-pipe", f"--user-data-dir={directory}", f"--host-resolver-rules={hosts}", "about:blank"]
        # The protocol's pipe is descriptors 3 and 4.
        self.child = subprocess.Popen(["bash", "-c", f'exec "$@" 3<&{asks} 4>&{says}', "browser", *command],
                                      pass_fds=(asks, says), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(asks)
        os.close(says)
        self._calls, self._rest = 0, b""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def call(self, method, **parameters):
        self._calls += 1
        message = {"id": self._calls, "method": method, "params": parameters}
        if hasattr(self, "_session"):
            message["sessionId"] = self._session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        while True:
            end = self._rest.find(b"\0")
            if end < 0:
                more = os.read(self._receive, 65536)
                if not more:
                    raise AssertionError("the browser has ended")
                self._rest += more
                continue
            told, self._rest = json.loads(self._rest[:end]), self._rest[end + 1:]
            if told.get("id") == self._calls:
                if "navigated" in told.get("error", {}).get("message", ""):
                    return {}
                if "error" in told:
                    raise AssertionError(f"{method}: {told['error']}")
                return told["result"]

    def evaluate(self, expression):
        """None also while the page is just being left for another one."""
        return self.call("Runtime.evaluate", expression=expression).get("result", {}).get("value")

    def open(self, url):
        self.call("Page.navigate", url=url)

    def click(self, selector):
        wait_until(f"{selector} on the page", lambda: self.evaluate(f"document.querySelector('{selector}') !== null"))
        self.evaluate(f"document.querySelector('{selector}').click()")

    def close(self):
        self.child.kill()
        self.child.wait()
        os.close(self._send)
        os.close(self._receive)


CHROMIUM = next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)


class InABrowser(Walks):
    """The same walks, by a person's browser."""

    @classmethod
    def setUpClass(cls):
        if CHROMIUM is None:
            print("skipped: no chromium is installed; the walks over plain HTTP were done")
            raise unittest.SkipTest("no chromium is installed")
        super().setUpClass()
        directory = tempfile.mkdtemp(prefix="turnout-browser-")
        cls.addClassCleanup(shutil.rmtree, directory, True)
        cls.browser = Browser(CHROMIUM, directory, f"MAP {PUBLIC}:80 127.0.0.1:{cls.place.proxy.port}")
        cls.addClassCleanup(cls.browser.close)

    def walk(self, made, result):
        action = made["next_action"]
        if action["type"] == "form":
            self.shop.send_by_form(action)
            self.browser.open(self.shop.url + "/checkout")
        else:
            self.browser.open(action["url"])
        self.browser.click("#" + result)
        wait_until("the shop's page", lambda: self.shop.visits and
                   self.browser.evaluate("document.querySelector('#shop') !== null"))
        self.assertEqual(self.browser.evaluate("location.hash"), "#top")
        told = parse_qs(urlsplit(self.shop.visits[-1]).query)
        self.assertEqual((told["cart"], told["payment"]), (["7"], [made["id"]]))
        return told["status"][0]

    def test_a_browser_passes(self):
        for currency in ("EUR", "GBP"):
            self.shop.visits.clear()
            made = self.challenged(currency=currency)
            self.assertEqual(self.walk(made, "approve"), "succeeded")
            self.assertEqual(self.read(made)["status"], "succeeded")
        audit(self.place)

    def test_a_browser_fails(self):
        made = self.challenged()
        self.assertEqual(self.walk(made, "fail"), "failed")
        self.assert_failed(made, "authentication_failed")


if __name__ == "__main__":
    unittest.main()
