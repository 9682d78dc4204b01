"""docs/api.md does what it says: its commands run, in order and in one shell, against a
proxy and a sandbox, and each prints what stands below it."""
import json
import re
import subprocess
import unittest

import contract
from harness import ROOT, SLOW, Http, Workplace, bearer, payment

PAGE = (ROOT / "docs/api.md").read_text()
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
SEPARATOR = "---- the next block ----"
# In examples these differ from run to run; their shapes are the contract's business.
TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
PASSING = {"latency_ms"}


def blocks():
    """(commands, kind of what is expected, what is expected) of each block of shell."""
    found = BLOCK.findall(PAGE)
    for (kind, text), (next_kind, next_text) in zip(found, [*found[1:], ("", "")]):
        if kind == "sh":
            yield text, *((next_kind, next_text) if next_kind in ("json", "text") else ("", ""))


def differences(shown, given, path=""):
    """What the page shows and the answer does not have. An ellipsis stands for any text."""
    if isinstance(shown, dict) and isinstance(given, dict):
        for name, each in shown.items():
            if name not in given:
                yield f"{path}{name} is missing"
            elif name not in PASSING:
                yield from differences(each, given[name], f"{path}{name}.")
    elif isinstance(shown, list) and isinstance(given, list) and len(shown) == len(given):
        for n, (one, other) in enumerate(zip(shown, given)):
            yield from differences(one, other, f"{path}{n}.")
    elif isinstance(shown, str) and isinstance(given, str):
        pattern = ".*".join(map(re.escape, re.sub(r"(?<=_)[0-9A-Z]+…", "…", shown).split("…")))
        if not (TIME.fullmatch(shown) and TIME.fullmatch(given)) and not re.fullmatch(pattern, given, re.S):
            yield f"{path[:-1]}: {shown!r} is shown, {given!r} was given"
    elif shown != given:
        yield f"{path[:-1]}: {shown!r} is shown, {given!r} was given"


class Documentation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # The page's answers are alpha's.
        cls.place = Workplace(policies="version: 1\npolicies:\n  - {name: all, route: {strategy: priority, connectors: [alpha, beta]}}\n")
        cls.addClassCleanup(cls.place.__exit__, None, None, None)
        cls.place.sandbox.calm()
        cls.key = cls.place.proxy.make_key()
        cls.place.proxy.start()

    def test_the_commands_of_the_page(self):
        every = list(blocks())
        self.assertGreater(len(every), 8)
        script = f"\necho; echo '{SEPARATOR}'\n".join(commands for commands, _, _ in every)
        run = subprocess.run(["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, timeout=120 * SLOW,
                             env={"PATH": "/usr/bin:/bin", "KEY": self.key, "API": f"http://127.0.0.1:{self.place.proxy.port}"})
        self.assertEqual(run.returncode, 0, run.stderr + run.stdout)
        outputs = [each.strip() for each in run.stdout.split(SEPARATOR)]
        self.assertEqual(len(outputs), len(every))
        for (commands, kind, expected), output in zip(every, outputs):
            with self.subTest(commands):
                if kind == "json":
                    self.assertEqual(list(differences(json.loads(expected), json.loads(output))), [], output)
                elif kind == "text":
                    self.assertEqual(output, expected.strip())

    def test_every_shown_answer_belongs_to_a_command(self):
        for (before, _), (kind, text) in zip([("", ""), *BLOCK.findall(PAGE)], BLOCK.findall(PAGE)):
            if kind in ("json", "text"):
                self.assertEqual(before, "sh", text)

    def test_the_table_of_errors_has_every_code_once(self):
        described = set(contract.DOCUMENT["components"]["schemas"]["Problem"]["properties"]["code"]["enum"])
        told = []
        for row in PAGE.partition("| status | `code` |")[2].partition("\n\n")[0].splitlines()[2:]:
            told += re.findall(r"`(\w+)`", row.split("|")[2])
        self.assertEqual(sorted(told), sorted(described | {"origin_refused"}))

    def test_links_within_the_page_lead_somewhere(self):
        titles = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in re.findall(r"^#+ (.*)$", PAGE, re.M)}
        for link in re.findall(r"\]\(#([^)]+)\)", PAGE):
            self.assertIn(link, titles)
        for link in re.findall(r"\]\((?!http)([^)#]+)\)", PAGE):
            self.assertTrue((ROOT / "docs" / link).is_file(), link)

    def test_pages_of_named_origins_may_use_the_api_after_a_reload(self):
        proxy, shop = self.place.proxy, "https://backoffice.example"
        http, admin = Http(proxy.port), Http(proxy.admin_port)
        question = {"Origin": shop, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        self.assertEqual(http.request("OPTIONS", "/v1/payments", headers=question).status, 405)
        configured = re.search(r"```yaml\n(.*?)```", PAGE, re.S).group(1)
        file = proxy.conf / "turnout.yaml"
        file.write_text(file.read_text() + "\n" + configured)
        self.assertEqual(admin.request("POST", "/-/reload").status, 200)
        answer = http.request("OPTIONS", "/v1/payments", headers=question)
        self.assertEqual((answer.status, answer.headers["access-control-allow-origin"]), (204, shop))
        self.assertIn("Authorization", answer.headers["access-control-allow-headers"])
        self.assertNotIn("content-length", answer.headers)
        made = http.request("POST", "/v1/payments", payment(), {**bearer(self.key), "Origin": shop})
        self.assertEqual((made.status, made.headers["access-control-allow-origin"]), (201, shop))
        other = http.request("POST", "/v1/payments", payment(), {**bearer(self.key), "Origin": "https://evil.example"})
        self.assertNotIn("access-control-allow-origin", other.headers)
        http.close()
        admin.close()


if __name__ == "__main__":
    unittest.main()
