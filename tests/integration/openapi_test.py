"""The API's description is true: what its schemas accept is what the API accepts,
its examples work, its problems are all there are, its page needs nothing from elsewhere."""
import copy
import json
import re
import shutil
import subprocess
import tempfile
import unittest
from urllib.parse import quote

import jsonschema

import contract
from harness import ROOT, SLOW, Http, Workplace, bearer, payment

SCHEMAS = contract.DOCUMENT["components"]["schemas"]
LONG = [1, 19, 20, 36, 40, 41, 64, 65, 100, 101, 254, 255, 500, 501, 2048, 2049]
ODD_TEXTS = [
    "", " ", "a", "é", "\u0000", "a\tb", "a\u007fb", "🚆", "automatic", "manual", "sometimes", "card", "cheque",
    "EUR", "JPY", "CHE", "XXQ", "eur", "EURO", "DE", "de", "DEU", "D", "D3", "0", "05", "5", "123", "1234", "12345",
    "12a", "4111 1111 1111 1111", "42424242424", "4" * 20, "4242abcd42424242",
    "a@example.com", "a@", "@a", "a@b@c", "a b@c", "é@ü",
    "192.0.2.7", "192.0.2", "192.0.2.256", "2001:db8::7", "::ffff:192.0.2.7", "2001:db8:::7", "fe80::1%eth0",
    "2.2.0", "2.1", "2", "2.2.0.1", "22.22.22", "222.0.0", "2..0", "2.2.",
    "AAABBEg0VhI0VniQEjRWAAAAAAA=", "AAABBEg0VhI0VniQEjRWAAAAAAA", "AAABBEg0VhI0VniQEjRWAAAAAA==",
    "AAABBEg0VhI0VniQEjRWAAAAA===", "AAABBEg0VhI0VniQEjRWAAAAAA=A", "A" * 28, "A" * 68, "A" * 30,
    "f25084f0-5b16-4c0a-ae5d-b24808a95e4b", "F25084F0-5B16-4C0A-AE5D-B24808A95E4B", "f25084f05b164c0aae5db24808a95e4b",
    "g25084f0-5b16-4c0a-ae5d-b24808a95e4b", "https://shop.example", "HTTP://shop.example:80/a?b=c#d", "https://",
    "https://:80/", "https://u@shop.example/", "https://shop.example/@a", "https://shop.example/a b",
    "https://shop.example/<", "https://shop.example/é", "javascript:alert(1)", "//shop.example", "ftp://shop.example",
    *(letter * count for count in LONG for letter in "aé"),
    *("https://shop.example/" + "a" * (count - 21) for count in LONG if count > 20),
    *("a" * (count - 12) + "@example.com" for count in LONG if count > 12),
]
ODD_VALUES = [
    *ODD_TEXTS, None, True, False, [], {}, ["a"], {"a": "b"}, {"a": 1}, {"": "b"}, {"id": "1", "shoe_size": 44},
    *({"k" * count: "v"} for count in (40, 41)), *({"k": "é" * count} for count in (500, 501)),
    *({f"k{n}": "v" for n in range(count)} for count in (50, 51)),
    -1, 0, 1, 12, 13, 12.5, 999, 10000, 10**15, 10**15 + 1, 2**63, 10**30, "1250", "12",
]
# What a schema cannot say: the check digit and the date of a card.
BEYOND_SCHEMAS = {("payment_method", "card", "number"), ("payment_method", "card", "exp_year")}


def problem_kinds():
    """{code: (status, title)} of the program, without what only the admin listener says."""
    declared, told = ((ROOT / "proxy/api" / name).read_text() for name in ("problem.hpp", "problem.cpp"))
    row = re.compile(r'\{\s*"(\w+)",\s*(\d{3}),\s*"([^"]+)"\s*\}')
    assert len(row.findall(declared)) == declared.count("inline constexpr problem_kind"), "a kind is not read"
    found = {code: (int(status), title) for code, status, title in row.findall(declared + told)}
    return {code: each for code, each in found.items() if code not in ("origin_refused", "reload_failed")}


def operations():
    for path, item in contract.DOCUMENT["paths"].items():
        for method, each in item.items():
            if "responses" in each:
                yield method.upper(), path, each


def request_validator(schema):
    return jsonschema.Draft202012Validator(
        {**schema, "components": contract.DOCUMENT["components"]}, format_checker=jsonschema.FormatChecker(["ipv4", "ipv6"]))


def members(value, path=()):
    """The path of every member, outermost first."""
    for key, each in value.items():
        yield (*path, key)
        if isinstance(each, dict):
            yield from members(each, (*path, key))


def changed(body, path, change):
    made = copy.deepcopy(body)
    at = made
    for key in path[:-1]:
        at = at[key]
    change(at, path[-1])
    return made


def mutants(body):
    """(what, path, body), each wrong or odd in one place."""
    yield "as it is", (), body
    for odd in (None, [], "a", 1):
        yield f"all of it: {odd!r}", (), odd
    yield "unknown", ("colour",), {**body, "colour": "red"}
    for path in members(body):
        yield "left out", path, changed(body, path, lambda at, key: at.pop(key))
        yield "misspelt", path, changed(body, path, lambda at, key: at.__setitem__(key + "x", at.pop(key)))
        for odd in ODD_VALUES:
            yield f"{str(odd)[:60]!r} of {len(str(odd))}", path, changed(body, path, lambda at, key: at.__setitem__(key, odd))


class TheDocument(unittest.TestCase):
    def test_every_schema_is_one(self):
        for name, schema in SCHEMAS.items():
            with self.subTest(name):
                jsonschema.Draft202012Validator.check_schema(schema)

    def test_every_object_is_closed(self):
        for name, schema in SCHEMAS.items():
            if schema.get("type") == "object":
                self.assertIn("additionalProperties", schema, name)

    def test_every_example_fits_its_schema(self):
        count = 0
        for method, path, each in operations():
            places = [contract.resolved(one) for one in each["responses"].values()]
            if "requestBody" in each:
                places.append(each["requestBody"])
            for place in places:
                for media_type, content in place.get("content", {}).items():
                    examples = [one["value"] for one in content.get("examples", {}).values()]
                    examples += [content["example"]] if "example" in content else []
                    self.assertTrue(examples or media_type == "text/javascript", (method, path, place))
                    for example in examples:
                        self.assertEqual(contract.faults(contract.validator(content["schema"]), example), [], (method, path))
                        count += 1
        self.assertGreater(count, 100)

    def test_every_problem_is_described_and_none_else(self):
        kinds = problem_kinds()
        self.assertEqual(set(SCHEMAS["Problem"]["properties"]["code"]["enum"]), set(kinds))
        described = {}
        for name, each in contract.DOCUMENT["components"]["responses"].items():
            content = each["content"]["application/problem+json"]
            limits = content["schema"]["allOf"][1]["properties"]
            self.assertEqual(set(content["examples"]), set(limits["code"]["enum"]), name)
            for code in limits["code"]["enum"]:
                described[code] = (limits["status"]["const"], content["examples"][code]["value"]["title"])
        self.assertEqual(described, kinds)

    def test_the_check_of_answers_notices(self):
        headers = {"request-id": "req_1", "cache-control": "no-store", "content-type": "application/json",
                   "content-security-policy": "x", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
        good = contract.DOCUMENT["paths"]["/v1/payments"]["post"]["responses"]["201"]
        body = good["content"]["application/json"]["examples"]["succeeded"]["value"]

        def check(status=201, made=body, target="/v1/payments", method="POST", **changes):
            fields = {**headers, **{name.replace("_", "-"): value for name, value in changes.items()}}
            contract.check(method, target, status, {k: v for k, v in fields.items() if v is not None},
                           json.dumps(made).encode())

        check()
        one = {"target": "/v1/payments/" + body["id"], "method": "GET", "status": 200}
        check(**one)
        partial = {"id": body["id"], "object": "payment"}
        check(**{**one, "target": one["target"] + "?fields=id"}, made=partial)
        for wrong in ({"status": 418}, {"made": {**body, "colour": "red"}}, {"made": {**body, "amount": "1250"}},
                      {"made": {k: v for k, v in body.items() if k != "error"}}, {"request_id": None}, {"colour": "red"},
                      {"retry_after": "soon"}, {"content_type": "text/html"}, {"target": "/v2"}, {**one, "made": partial},
                      {"made": {**body, "attempts": [{**body["attempts"][0], "outcome": "lucky"}]}}):
            with self.subTest(wrong), self.assertRaises(AssertionError):
                check(**wrong)


class TheApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # alpha takes several captures of one payment
        cls.place = Workplace(policies="version: 1\npolicies:\n  - {name: all, route: {strategy: priority, connectors: [alpha]}}\n")
        cls.addClassCleanup(cls.place.__exit__, None, None, None)
        cls.place.sandbox.calm()
        cls.headers = bearer(cls.place.proxy.make_key())
        cls.place.proxy.start()
        cls.http = Http(cls.place.proxy.port)
        cls.addClassCleanup(cls.http.close)

    def post(self, target, body, **headers):
        return self.http.request("POST", target, json.dumps(body).encode(), {**self.headers, **headers})

    def bodies(self, method, path):
        """The request's schema and its examples."""
        content = contract.DOCUMENT["paths"][path][method]["requestBody"]["content"]["application/json"]
        return content["schema"], {name: each["value"] for name, each in content["examples"].items()}

    def authorized(self):
        made = self.post("/v1/payments", payment(capture="manual"))
        self.assertEqual(made.json["status"], "authorized", made)
        return "/v1/payments/" + made.json["id"]

    def compare(self, target, schema, body):
        """The API and the schema agree on each mutant."""
        check = request_validator(schema)
        disagreed, refused, accepted = [], 0, 0
        for what, path, mutant in mutants(body):
            right = check.is_valid(mutant)
            answer = self.post(target, mutant)
            taken = answer.status != 400
            refused, accepted = refused + (not taken), accepted + taken
            if taken != right and not (path in BEYOND_SCHEMAS and right):
                disagreed.append(f"{'.'.join(path)} {what}: the schema says {right}, the API {answer.status} {answer.text[:300]}")
        self.assertEqual(disagreed, [], "\n".join(disagreed[:20]))
        self.assertGreater(refused, 10)
        self.assertGreater(accepted, 3)

    def test_examples_of_payments_are_taken(self):
        _, examples = self.bodies("post", "/v1/payments")
        wanted = {"manual": "authorized"}
        for name, body in examples.items():
            with self.subTest(name):
                answer = self.post("/v1/payments", body)
                self.assertEqual((answer.status, answer.json.get("status")), (201, wanted.get(name, "succeeded")), answer)

    def test_examples_of_operations_are_taken(self):
        for path in ("captures", "refunds", "cancel"):
            _, examples = self.bodies("post", "/v1/payments/{id}/" + path)
            for name, body in examples.items():
                with self.subTest(path=path, example=name):
                    payment_path = self.authorized()
                    if path == "refunds":
                        self.assertEqual(self.post(payment_path + "/captures", {}).status, 201)
                    answer = self.post(f"{payment_path}/{path}", body)
                    self.assertEqual(answer.status, 201, answer)

    def test_payments_are_accepted_as_the_schema_says(self):
        schema, examples = self.bodies("post", "/v1/payments")
        body = {}
        for each in examples.values():
            body.update(copy.deepcopy(each))
        body["payment_method"]["card"]["holder"] = "A. Buyer"
        body["customer"] = examples["challenge"]["customer"]
        self.assertEqual(set(body), set(SCHEMAS["NewPayment"]["properties"]))
        self.compare("/v1/payments", schema, body)

    def test_operations_are_accepted_as_the_schema_says(self):
        for path in ("captures", "refunds", "cancel"):
            with self.subTest(path):
                schema, examples = self.bodies("post", "/v1/payments/{id}/" + path)
                body = {"amount": 400, "final": False, "reference": "parcel-1", "reason": "damaged"}
                known = contract.resolved(schema)["properties"]
                self.compare(f"{self.authorized()}/{path}", schema, {k: v for k, v in body.items() if k in known})

    def test_query_parameters_are_accepted_as_the_schema_says(self):
        odd = ["", "0", "1", "100", "101", "-1", "1.5", "1e2", "a", "é" * 100, "é" * 101, "EUR", "eur", "XXQ", "failed",
               "failed,canceled", "failed,", "lost", "id", "id,status", "error.code,metadata.a.b", "merchant", "id,,id",
               "2026-11-20T10:00:00Z", "2026-11-20t10:00:00.5+01:00", "2026-11-20", "2026-11-20T10:00:00", "now",
               str(10**15), str(10**15 + 1)]
        count = 0
        for method, path, each in operations():
            if method != "GET" or "x-required-scope" not in each:
                continue
            target = path.replace("{id}", "pay_none")
            for parameter in map(contract.resolved, each.get("parameters", [])):
                if parameter["in"] != "query" or parameter["name"] == "cursor":
                    continue
                check, schema = request_validator(parameter["schema"]), contract.resolved(parameter["schema"])
                for text in odd:
                    value = text.split(",") if schema["type"] == "array" else text
                    if schema["type"] == "integer" and re.fullmatch("-?[0-9]+", text):
                        value = int(text)
                    asked = f"{target}?{parameter['name']}={quote(text)}"
                    answer = self.http.request("GET", asked, headers=self.headers)
                    self.assertEqual(answer.status != 400, check.is_valid(value), (asked, answer))
                    count += 1
            self.assertEqual(self.http.request("GET", target + "?colour=red", headers=self.headers).status, 400)
        self.assertGreater(count, 200)

    def test_idempotency_keys_are_accepted_as_the_schema_says(self):
        schema = contract.DOCUMENT["components"]["parameters"]["IdempotencyKey"]["schema"]
        for n, key in enumerate(["", "a", "a b", '"a b"', '"', '""', '"a', 'a"b', '"a"b"', r'"a\"b"', r'"a\\b"', r'"a\b"', "a\\b",
                                 "é", "k" * 255, "k" * 256, '"' + "k" * 255 + '"', '"' + "k" * 256 + '"']):
            answer = self.post("/v1/payments", payment(reference=f"k{n}"), **{"Idempotency-Key": key})
            self.assertEqual(answer.status != 400, re.search(schema["pattern"], key) is not None, (key, answer))

    def test_it_is_served_as_it_is_written(self):
        http = Http(self.place.proxy.port)
        answer = http.request("GET", "/openapi.json")
        self.assertEqual(answer.text, (ROOT / "proxy/api/openapi.json").read_bytes())
        self.assertEqual(http.request("HEAD", "/openapi.json").headers["etag"], answer.headers["etag"])
        again = http.request("GET", "/openapi.json", headers={"If-None-Match": answer.headers["etag"]})
        self.assertEqual(again.status, 304)
        coded = http.request("GET", "/docs", headers={"Accept-Encoding": "gzip"})
        self.assertEqual(coded.headers["content-encoding"], "gzip")
        http.close()

    def test_the_page_shows_in_a_browser_with_nothing_from_elsewhere(self):
        chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        if chromium is None:
            self.skipTest("no chromium is installed")
        with tempfile.TemporaryDirectory() as directory:
            run = subprocess.run(
                [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={directory}/profile",
                 "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "--virtual-time-budget=8000",
                 "--enable-logging=stderr", "--dump-dom", f"http://127.0.0.1:{self.place.proxy.port}/docs"],
                capture_output=True, text=True, timeout=60 * SLOW)
        self.assertEqual(run.returncode, 0, run.stderr[-2000:])
        console = [line for line in run.stderr.splitlines() if "CONSOLE" in line]
        self.assertEqual(console, [])
        if self.http.request("GET", "/docs/renderer.js").status == 200:
            # The script took the page over: it writes the titles it found into the element.
            self.assertIn("<rapi-doc", run.stdout)
            self.assertNotIn("spec-url=\"\"", run.stdout)
        else:
            self.assertIn("/v1/payments/{id}/refunds</code>", run.stdout)


if __name__ == "__main__":
    unittest.main()
