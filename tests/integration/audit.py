"""Compares what gateways did, what the journal says and what clients were told.

The numbers are those of the invariants in docs/ARCHITECTURE.md and the simulation:
1 at most one attempt of a payment stands; 2 what a merchant was told is true and
stays; 3 one key, one thing; 4 captured <= authorised and refunded <= captured, at
every moment; 5 everything comes to an end.
"""

# What a payment that was told to be in this status may have become.
LATER = {
    "processing": {"processing", "requires_action", "authorized", "succeeded", "failed", "canceled"},
    "requires_action": {"processing", "requires_action", "authorized", "succeeded", "failed", "canceled"},
    "authorized": {"authorized", "succeeded", "canceled"},
    "succeeded": {"succeeded"},
    "failed": {"failed"},
    "canceled": {"canceled"},
}


class Charge:
    """One charge in a gateway's ledger."""

    def __init__(self, gateway, reference, authorized, captured):
        self.gateway, self.reference, self.authorized, self.captured = gateway, reference, authorized, captured
        self.refunded, self.voided = 0, False

    @property
    def stands(self):
        """Somebody's money is taken or held."""
        return self.captured > self.refunded or (self.captured == 0 and not self.voided)

    def __repr__(self):
        return (f"<{self.reference} at {self.gateway}: authorized {self.authorized}, captured {self.captured}, "
                f"refunded {self.refunded}{', voided' if self.voided else ''}>")


def read_books(operations):
    """The charges by reference, from a ledger's operations in their order; holds every one to invariant 4."""
    charges = {}
    for each in operations:
        if each["result"] != "approved" or each["replayed"]:
            continue
        kind, amount, key = each["operation"], each["amount"], (each["gateway"], each["charge"])
        if kind in ("sale", "authorize"):
            assert key not in charges, f"one charge twice: {each}"
            charges[key] = Charge(each["gateway"], each["reference"], amount, amount if kind == "sale" else 0)
            continue
        charge = charges.get(key)
        if charge is None:
            continue  # the reversal of a reference that never charged
        if kind == "capture":
            charge.captured += amount
        elif kind == "refund":
            charge.refunded += amount
        else:
            charge.voided = True
        assert charge.refunded <= charge.captured <= charge.authorized, f"{charge} after {each}"
    by_reference = {}
    for charge in charges.values():
        assert charge.reference not in by_reference, f"charged twice: {charge}, {by_reference[charge.reference]}"
        by_reference[charge.reference] = charge
    return by_reference


def check_payment(key, record, charges):
    """One payment of the journal against the charges of its attempts."""
    status, story = record["status"], (record, charges)
    assert sum(each.stands for each in charges) <= 1, f"{key} is charged more than once: {story}"
    captured, refunded = record.get("amount_captured", 0), record.get("amount_refunded", 0)
    assert refunded <= captured <= max(record.get("amount_authorized", 0), captured), story
    same = [each for each in charges if (each.captured, each.refunded) == (captured, refunded)]
    if status == "succeeded":
        own = next((each for each in same if each.captured), None)
        assert own, f"{key} succeeded, yet its gateway does not say so: {story}"
    elif status == "authorized":
        own = next((each for each in same if not each.voided), None)
        assert own, f"{key} is authorized, yet its gateway does not say so: {story}"
    else:
        own = None
    if status in ("succeeded", "authorized", "failed", "canceled"):
        assert not any(each.stands for each in charges if each is not own), f"{key} is {status}, yet more stands: {story}"
    sums = {"capture": 0, "refund": 0}
    for each in record.get("modifications", []):
        if each["status"] == "succeeded" and each["kind"] in sums:
            sums[each["kind"]] += each["amount"]
    assert sums["refund"] == refunded, f"{key}: its refunds are not their sum: {record}"
    if record["capture"] == "manual":
        assert sums["capture"] == captured, f"{key}: its captures are not their sum: {record}"


def check_told(status, document, payments):
    """One answer that a client received, against the journal as it is now."""
    if document["object"] == "payment":
        record = payments.get(document["id"])
        assert record, f"acknowledged with {status} and lost: {document['id']}"
        if status == 201:
            assert record["status"] in LATER[document["status"]], \
                f"{document['id']} was told {document['status']} and is {record['status']}"
            for name in ("amount_captured", "amount_refunded"):
                assert record.get(name, 0) >= document[name], f"{document['id']} was told {name} {document[name]}: {record}"
        return
    record = payments.get(document["payment"])
    assert record, f"acknowledged with {status} and lost: {document['payment']} with {document['id']}"
    found = [each for each in record.get("modifications", []) if each["id"] == document["id"]]
    assert found, f"acknowledged with {status} and lost: {document['id']} of {document['payment']}"
    assert found[0]["amount"] == document["amount"], (found, document)
    if document["status"] != "pending":
        assert found[0]["status"] == document["status"], f"{document['id']} was told {document['status']}: {found}"


def audit(workplace, told=(), finished=False):
    """`told` holds (HTTP status, document) of each answer, with the request's key as a third if it had one.

    With `finished` nothing may be left open. Returns counts for the report.
    """
    payments = workplace.proxy.payments()
    owner = {each["id"]: key for key, record in payments.items() for each in record.get("attempts", [])}
    charges = {}
    for reference, charge in read_books(workplace.sandbox.operations()).items():
        assert reference in owner, f"{charge} is not known to the journal"
        charges.setdefault(owner[reference], []).append(charge)
    for key, record in payments.items():
        check_payment(key, record, charges.get(key, []))
        if finished:
            assert record["status"] not in ("processing", "requires_action"), f"{key} never ended: {record}"
            assert all(each["status"] != "pending" for each in record.get("modifications", [])), record
    by_key = {}
    for status, document, *key in told:
        check_told(status, document, payments)
        if key and key[0]:
            first = by_key.setdefault(key[0], document["id"])
            assert first == document["id"], f"the key {key[0]} made {first} and {document['id']}"
    counted = {"payments": len(payments), "charged": len(charges), "told": len(told)}
    if any(record.get("modifications") for record in payments.values()):
        counted["modifications"] = sum(len(record.get("modifications", [])) for record in payments.values())
    return counted
