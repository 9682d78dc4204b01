"""The audit itself: each of its rules catches what it is for."""
import unittest

from audit import audit, check_told, read_books


def operation(kind, reference="att_1", amount=100, gateway="alpha", charge="ch_1", **changes):
    return {"operation": kind, "gateway": gateway, "charge": charge, "reference": reference, "amount": amount,
            "result": "approved", "replayed": False, **changes}


class Place:
    """A journal and a ledger as somebody says they are; `audit` asks for nothing else."""

    def __init__(self, operations, **record):
        self.proxy = self.sandbox = self
        self.operations = lambda: operations
        self.record = {"status": "succeeded", "capture": "automatic", "amount_captured": 100, "amount_authorized": 100,
                       "attempts": [{"id": "att_1"}, {"id": "att_2"}], **record}

    def payments(self):
        return {"pay_1": self.record}


TOLD = {"object": "payment", "id": "pay_1", "status": "succeeded", "amount_captured": 100, "amount_refunded": 0}
SALE = operation("sale")
SECOND = operation("sale", "att_2", gateway="beta")
REFUND = operation("refund")
GOOD = [
    Place([SALE]),
    Place([SALE, operation("sale", replayed=True)]),
    Place([SECOND, operation("refund", "att_2", gateway="beta"), SALE]),
    Place([SALE, operation("refund", amount=40)], amount_refunded=40,
          modifications=[{"id": "ref_1", "kind": "refund", "status": "succeeded", "amount": 40}]),
    Place([operation("authorize"), operation("void")], status="canceled", amount_captured=0),
    Place([], status="failed", amount_captured=0),
]
BAD = [
    ("charged more than once", Place([SALE, SECOND])),
    ("yet its gateway does not say so", Place([])),
    ("yet its gateway does not say so", Place([SALE, REFUND])),
    ("yet its gateway does not say so", Place([SALE], amount_captured=101, amount_authorized=101)),
    ("yet more stands", Place([SALE], status="failed", amount_captured=0)),
    ("yet more stands", Place([operation("authorize")], status="canceled", amount_captured=0)),
    ("yet more stands", Place([SALE, REFUND, SECOND], amount_refunded=100)),
    ("not known to the journal", Place([operation("sale", "att_9")])),
    ("refunds are not their sum", Place([SALE, operation("refund", amount=40)], amount_refunded=40)),
    ("captures are not their sum", Place([operation("authorize"), operation("capture")], capture="manual")),
    ("never ended", Place([SALE], status="processing")),
    ("yet its gateway does not say so", Place([operation("authorize"), operation("void")], status="authorized", amount_captured=0)),
]


class Audit(unittest.TestCase):
    def test_what_is_right_passes(self):
        for place in GOOD:
            with self.subTest(place.record):
                audit(place, finished=True)
        audit(GOOD[0], [(201, TOLD, "key"), (201, TOLD, "key")])

    def test_what_is_wrong_is_caught(self):
        for message, place in BAD:
            with self.subTest(message):
                self.assertRaisesRegex(AssertionError, message, audit, place, finished=True)

    def test_at_every_moment(self):
        """A refund before its capture is wrong, though the sums are right in the end."""
        for operations in ([SALE, REFUND, operation("refund", amount=1)],
                           [operation("authorize"), operation("capture", amount=101)],
                           [operation("authorize"), operation("refund"), operation("capture")], [SALE, SALE],
                           [SALE, operation("sale", gateway="beta")]):
            self.assertRaises(AssertionError, read_books, operations)

    def test_what_was_told(self):
        payments = {"pay_1": GOOD[3].record}
        refund = {"object": "refund", "payment": "pay_1", "id": "ref_1", "amount": 40, "status": "succeeded"}
        check_told(201, TOLD, payments)
        check_told(201, refund, payments)
        for wrong in ({**TOLD, "id": "pay_2"}, {**TOLD, "status": "failed"}, {**TOLD, "amount_refunded": 41},
                      {**refund, "payment": "pay_2"}, {**refund, "id": "ref_2"}, {**refund, "amount": 41},
                      {**refund, "status": "failed"}):
            self.assertRaises(AssertionError, check_told, 201, wrong, payments)
        place, other = Place([SALE]), {**TOLD, "id": "pay_2", "status": "failed", "amount_captured": 0}
        failed = {**place.record, "status": "failed", "amount_captured": 0, "attempts": []}
        place.payments = lambda: {"pay_1": place.record, "pay_2": failed}
        audit(place, [(201, TOLD, "key"), (201, other, "key 2")])
        self.assertRaisesRegex(AssertionError, "the key", audit, place, [(201, TOLD, "key"), (201, other, "key")])


if __name__ == "__main__":
    unittest.main()
