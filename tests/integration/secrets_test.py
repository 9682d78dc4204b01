"""No card number and no CVC on disk, in logs, in metrics or in error answers."""
import base64
import unittest
import urllib.parse

from harness import Http, Workplace, bearer, card, payment

NUMBER = "4242426789012348"  # passes Luhn, and appears nowhere else
CVC = "7391"


def encodings(text):
    raw = text.encode()
    spaced = " ".join(text[i:i + 4] for i in range(0, len(text), 4))
    made = {raw, raw[::-1], raw.hex().encode(), raw.hex().upper().encode(), spaced.encode(), spaced.replace(" ", "-").encode(),
            urllib.parse.quote(text, safe="").encode(), "".join("%%%02x" % b for b in raw).encode(), text.encode("utf-16-le"),
            "".join("\\u%04x" % b for b in raw).encode()}
    for shift in range(3):  # base64 at any alignment: the inner part of it
        coded = base64.b64encode(b"\0" * shift + raw)
        made.add(coded[4 if shift else 0:-4])
    return made


class Secrets(unittest.TestCase):
    def test_nothing_is_left_anywhere(self):
        place = Workplace(replace=[("turnout.yaml", r"level: info", "level: debug"),
                                   ("connectors/*.yaml", r"(?m)^timeouts: .*$", "timeouts: {connect: 500ms, response: 500ms}")])
        self.addCleanup(place.__exit__, None, None, None)
        place.sandbox.calm()
        place.sandbox.control("alpha", faults={"charge_then_drop": 0.2, "error_after_charge": 0.2, "rate_limited": 0.2})
        place.sandbox.control("beta", approval_rate=0.5, declines={"do_not_honor": 1})
        headers = bearer(place.proxy.make_key())
        place.proxy.start()
        http = Http(place.proxy.port)
        answers = []
        good = payment(payment_method=card(NUMBER, cvc=CVC))
        wrong = [payment(payment_method=card(NUMBER, cvc=CVC, exp_month=13)),
                 payment(payment_method=card(NUMBER, cvc=CVC + "9")),
                 payment(payment_method=card(NUMBER[:-1] + str((int(NUMBER[-1]) + 1) % 10), cvc=CVC)),
                 payment(currency="CHF", payment_method=card(NUMBER, cvc=CVC)),
                 payment(reference="r" * 200, payment_method=card(NUMBER, cvc=CVC)),
                 {"amount": NUMBER, "card": {"number": NUMBER, "cvc": CVC}}, {NUMBER: CVC}]
        for turn in range(20):
            answers.append(http.request("POST", "/v1/payments", good, {**headers, "Idempotency-Key": f"turn-{turn}"}))
            self.assertIn(answers[-1].status, (201, 202))
        for body in wrong:
            answers.append(http.request("POST", "/v1/payments", body, headers))
            self.assertGreaterEqual(answers[-1].status, 400, body)
        answers.append(http.request("GET", f"/v1/payments/{NUMBER}?cvc={CVC}", headers=headers))
        made = next(each.json["id"] for each in answers if each.status == 201)
        for part in ("", "/attempts", "/events", "/decisions"):
            answers.append(http.request("GET", f"/v1/payments/{made}{part}", headers=headers))
            self.assertEqual(answers[-1].status, 200, part)
        admin = Http(place.proxy.admin_port)
        metrics = admin.request("GET", "/metrics")
        connectors = admin.request("GET", "/admin/connectors")
        http.close()
        admin.close()
        self.search(place, "while running", answers + [metrics, connectors])
        place.proxy.stop()
        self.search(place, "after the end", [])

    def search(self, place, when, answers):
        texts = {f"{when}: answer {i}": each.text for i, each in enumerate(answers)}
        texts[f"{when}: log"] = "\n".join(place.proxy.outputs or place.proxy.process.lines).encode()
        files = [each for each in place.directory_files() if each.is_file()]
        self.assertTrue(any(each.name == "journal.db" for each in files))
        for each in files:
            texts[f"{when}: {each.name}"] = each.read_bytes()
        for where, text in texts.items():
            for form in encodings(NUMBER):
                self.assertNotIn(form, text, f"card number in {where}")
            # Four digits alone may be anything: what must not be there is the CVC as a value.
            for form in (b'"%s"' % CVC.encode(), b"=%s" % CVC.encode(), b": %s" % CVC.encode(), b":%s," % CVC.encode()):
                self.assertNotIn(form, text, f"CVC in {where}")


if __name__ == "__main__":
    unittest.main()
