"""Holds answers to the API's own description, proxy/api/openapi.json.

Every answer of the merchant API that a test receives goes through check():
status, headers, media type and body must be as the document says. Its schemas
are closed, so a field that is not described is as wrong as one that is missing.
"""
import functools
import gzip
import json
import re
from pathlib import Path

import jsonschema

DOCUMENT = json.loads((Path(__file__).resolve().parents[2] / "proxy/api/openapi.json").read_text())

# What HTTP itself needs; the rest an answer may have only where it is described.
FRAMING = {"content-type", "content-length", "connection", "date", "server", "transfer-encoding"}
# Of requests that the router never sees: their path and method may be unreadable.
OTHER_ADDRESS = "#/components/responses/NotFound"


def resolved(part):
    while "$ref" in part:
        target = DOCUMENT
        for name in part["$ref"].removeprefix("#/").split("/"):
            target = target[name.replace("~1", "/").replace("~0", "~")]
        part = target
    return part


def validator(schema):
    """For a schema of the document; references are looked up in it."""
    return jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def faults(check, value):
    return [f"{'.'.join(map(str, each.absolute_path)) or 'it'}: {each.message}" for each in check.iter_errors(value)]


@functools.cache
def operation(method, path):
    """The operation's responses, or None."""
    for template, item in DOCUMENT["paths"].items():
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path):
            found = item.get("get" if method == "HEAD" else method.lower())
            return (found or next(each for each in item.values() if "responses" in each))["responses"]
    return None


@functools.cache
def response(method, path, status):
    """(headers by lower-case name, body schemas by media type), or None where nothing is described."""
    responses = operation(method, path)
    if responses is None:
        responses = {"404": {"$ref": OTHER_ADDRESS}, **operation("GET", "/v1/payments")}
    if str(status) not in responses:
        return None
    found = resolved(responses[str(status)])
    return {name.lower(): resolved(each) for name, each in found["headers"].items()}, found.get("content", {})


@functools.cache
def body_validator(method, path, status, media_type, selected):
    schema = response(method, path, status)[1][media_type]["schema"]
    if not selected:  # then nothing may be left out
        if schema.get("anyOf", [])[:1] == [{"$ref": "#/components/schemas/Payment"}]:
            schema = schema["anyOf"][0]
        elif schema.get("$ref", "").endswith("/PaymentList"):
            whole = resolved(schema)
            items = {"type": "array", "items": {"$ref": "#/components/schemas/Payment"}}
            schema = {**whole, "properties": {**whole["properties"], "data": items}}
    return validator(schema)


@functools.cache
def header_validator(method, path, status, name):
    return validator(response(method, path, status)[0][name]["schema"])


def check(method, target, status, headers, body):
    """`headers` by lower-case name. Raises AssertionError that says what is not as described."""
    if method == "OPTIONS" and status == 204:  # a browser's question, which is no operation of the API
        assert "access-control-allow-methods" in headers and not body, headers
        return
    path, _, query = target.partition("?")
    path = re.sub(r"^(/v1/payments/)[^/]+", r"\1{id}", path)  # one entry of the caches for all payments
    what = f"{method} {target}: {status}"
    described = response(method, path, status)
    assert described, f"{what} is not described"
    wanted, content = described
    for name, value in headers.items():
        if name in FRAMING:
            continue
        assert name in wanted, f"{what}: the header {name} is not described"
        wrong = faults(header_validator(method, path, status, name), value)
        assert not wrong, f"{what}: the header {name}: {wrong}"
    for name, each in wanted.items():
        assert not each.get("required") or name in headers, f"{what}: the header {name} is missing"
    if method == "HEAD" or not content:
        assert not body, f"{what} has a body"
        return
    media_type = headers.get("content-type", "").partition(";")[0]
    assert media_type in content, f"{what}: {media_type!r} is not one of {list(content)}"
    if not media_type.endswith("json"):
        return
    text = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
    wrong = faults(body_validator(method, path, status, media_type, "fields=" in query), json.loads(text))
    assert not wrong, f"{what}: {wrong}\n{text[:2000]!r}"
