"""Clients of the merchant API who pay, capture, cancel and refund in a loop while
things break under them. They keep what they were told, and ask again, with the
same key, where they heard nothing.
"""
import http.client
import random
import threading
from dataclasses import dataclass

from harness import DECLINED_FUNDS, Http, bearer, card, payment, wait_until

# Refusals after which nothing was taken on.
REFUSED = {"invalid_state", "amount_too_large", "not_supported", "authorization_expired"}
LATER = {"operation_pending", "idempotency_in_progress", "journal_unavailable", "shutting_down"}


@dataclass
class Request:
    path: str
    body: dict
    key: str  # or None


class Client(threading.Thread):
    def __init__(self, crowd, seed):
        super().__init__(daemon=True)
        self.crowd, self.dice = crowd, random.Random(seed)
        self.http = None
        self.told = []    # (HTTP status, document, key)
        self.unsure = []  # requests with a key whose answer was not heard, or was "not now"
        self.mine = []    # paths of payments that may be captured, canceled or refunded
        self.fault = None

    def run(self):
        try:
            while self.crowd.wait_until_open():
                self.step()
        except Exception as error:  # told to the main thread, which fails the test
            self.fault = error
        finally:
            self.hang_up()

    def hang_up(self):
        if self.http:
            self.http.close()
            self.http = None

    def step(self):
        draw = self.dice.random()
        if self.unsure and draw < 0.4:
            return self.ask(self.unsure.pop(0))
        if draw < 0.1 and self.crowd.asked:
            return self.ask(self.dice.choice(self.crowd.asked))  # a key is used again, perhaps somebody else's
        if draw < 0.15 and self.told:
            return self.look(self.dice.choice(self.told))
        if draw < 0.45 and self.mine:
            return self.modify(self.dice.choice(self.mine))
        wish = payment(amount=self.dice.randrange(100, 100000), reference="order-%d" % self.dice.getrandbits(40),
                       capture="manual" if self.dice.random() < 0.4 else "automatic")
        if self.dice.random() < 0.1:
            wish["payment_method"] = card(DECLINED_FUNDS)
        self.ask(Request("/v1/payments", wish, self.new_key(0.7)))

    def new_key(self, share=1.0):
        return "key-%d" % self.dice.getrandbits(60) if self.dice.random() < share else None

    def modify(self, path):
        kind = self.dice.choice(("/captures", "/captures", "/refunds", "/refunds", "/cancel"))
        body = {}
        if kind != "/cancel" and self.dice.random() < 0.7:
            body["amount"] = self.dice.randrange(1, 60)
        # Without a key nobody may ask again, so that would be heard once or never.
        self.ask(Request(path + kind, body, self.new_key(0.9)))

    def ask(self, request):
        headers = bearer(self.crowd.api_key)
        if request.key:
            headers["Idempotency-Key"] = request.key
        answer = self.call("POST", request.path, request.body, headers)
        if answer is None:
            if request.key:
                self.unsure.append(request)
            return
        if answer.status in (201, 202):
            document = answer.json
            self.told.append((answer.status, document, request.key))
            if request.path == "/v1/payments" and document["status"] in ("authorized", "succeeded"):
                self.mine = [*self.mine[-15:], request.path + "/" + document["id"]]
            if request.key:
                self.crowd.asked.append(request)
            return
        code = answer.json["code"]
        if code in LATER:
            if request.key:
                self.unsure.append(request)
            return
        assert code in REFUSED, f"{request}: {answer}"

    def look(self, told):
        identifier = told[1].get("payment") or told[1]["id"]
        answer = self.call("GET", "/v1/payments/" + identifier, None, bearer(self.crowd.api_key))
        assert answer is None or answer.status == 200, f"{told} was told, and now {answer}"

    def call(self, method, path, body, headers):
        """None: nothing was heard."""
        if self.http is None:
            self.http = Http(self.crowd.place.proxy.port, timeout=30)
        try:
            return self.http.request(method, path, body, headers)
        except (OSError, http.client.HTTPException):
            self.hang_up()
            return None


class Crowd:
    """Some clients. close() before the proxy's port changes or to see what they hold; open() lets them go on."""

    def __init__(self, place, seed, clients=8):
        self.place, self.api_key = place, place.proxy.make_key()
        self.asked = []  # requests with a key that were answered
        self._gate = threading.Event()
        self._done = False
        self.clients = [Client(self, f"{seed}-{number}") for number in range(clients)]
        for each in self.clients:
            each.start()

    def wait_until_open(self):
        self._gate.wait()
        return not self._done

    def open(self):
        self._gate.set()

    def close(self):
        self._gate.clear()

    def check(self):
        for each in self.clients:
            if each.fault:
                raise each.fault

    def end(self):
        """Everybody stops; unheard requests are kept in `unsure`."""
        self._done = True
        self._gate.set()
        for each in self.clients:
            each.join(60)
            assert not each.is_alive(), "a client hangs"
        self.check()

    @property
    def told(self):
        return [entry for each in self.clients for entry in each.told]

    def ask_again(self):
        """After end(), with all faults gone: whoever heard nothing asks until there is an answer. Returns how many."""
        unheard = sum(len(each.unsure) for each in self.clients)
        for each in self.clients:
            each.hang_up()

            def all_heard():
                if each.unsure:
                    each.ask(each.unsure.pop(0))
                return not each.unsure

            wait_until("an answer other than 'not now'", all_heard, 60)
            each.hang_up()
        return unheard
