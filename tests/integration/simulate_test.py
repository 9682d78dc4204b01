"""`turnout simulate` as a person or a script uses it."""
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import jsonschema
from harness import ROOT

PROGRAM = os.environ["TURNOUT"]
WORLD = """version: 1
world: small
extends: {base}
traffic: {{tps: 20, duration: 60s}}
"""


def simulate(*arguments):
    return subprocess.run([PROGRAM, "simulate", *map(str, arguments)], capture_output=True, text=True, timeout=300)


class Simulate(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.world = Path(directory.name) / "small.yaml"
        self.world.write_text(WORLD.format(base=ROOT / "tests/bench/routing/S2.yaml"))

    def test_a_table_for_a_person(self):
        done = simulate(self.world, "--seeds", "1-2")
        self.assertEqual(done.returncode, 0, done)
        for title in ("random", "best static", "Envoy-like", "hedging", "D-UCB", "SW-UCB", "CUSUM", "Thompson", "Turnout", "oracle"):
            self.assertIn(title, done.stdout)
        self.assertIn("2 seeds", done.stdout)

    def test_json_for_a_script_is_the_same_every_time(self):
        arguments = (self.world, "--seeds", "7,9", "--algorithms", "ours,windowed_rate", "--format", "json", "--quiet")
        one, two = simulate(*arguments), simulate(*arguments)
        self.assertEqual((one.returncode, one.stderr), (0, ""))
        self.assertEqual(one.stdout, two.stdout)
        read = json.loads(one.stdout)
        self.assertEqual(list(read["algorithms"]), ["random", "windowed_rate", "ours", "oracle"])
        for of in read["algorithms"].values():
            self.assertEqual(list(of["seeds"]), ["7", "9"])
        self.assertEqual(read["algorithms"]["oracle"]["seeds"]["7"]["regret"], 0)
        self.assertFalse(read["timeouts_are_final"])
        final = json.loads(simulate(*arguments, "--final-timeouts").stdout)
        self.assertTrue(final["timeouts_are_final"])
        self.assertNotEqual(final["algorithms"], read["algorithms"])

    def test_a_mistake_has_a_position_and_exit_code_1(self):
        with self.world.open("a") as world:
            world.write("evnts: []\n")
        done = simulate(self.world)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("small.yaml:5:1: error: unknown key 'evnts'; did you mean 'events'?", done.stderr)
        gone = simulate(self.world.with_name("gone.yaml"))
        self.assertEqual(gone.returncode, 1)
        self.assertIn("gone.yaml: error: cannot be read", gone.stderr)

    def test_what_is_asked_for_is_checked(self):
        unknown = simulate(self.world, "--algorithms", "our")
        self.assertEqual(unknown.returncode, 1)
        self.assertIn("unknown algorithm 'our'; did you mean 'ours'?", unknown.stderr)
        for seeds in ("", "x", "3-1", "1-", "1,,2", "1-100000"):
            done = simulate(self.world, "--seeds", seeds)
            self.assertEqual(done.returncode, 1, seeds)
            self.assertIn("--seeds must be like", done.stderr)
        self.assertEqual(simulate(self.world, "--format", "xml").returncode, 2)
        self.assertEqual(simulate().returncode, 2)

    def test_the_benchmark_keeps_its_results_and_goes_on(self):
        with tempfile.TemporaryDirectory() as results:
            command = ["python3", "-B", str(ROOT / "tests/bench/routing/bench_routing.py"), str(Path(PROGRAM).parent),
                       "--worlds", "S7", "--algorithms", "ours,windowed_rate", "--results", results]
            for seeds in ("101", "101-102"):
                subprocess.run([*command, "--seeds", seeds], check=True, capture_output=True, timeout=600)
            first = Path(results) / "S7/101.json"
            self.assertTrue((Path(results) / "S7-final/102.json").exists())
            made = first.stat().st_mtime_ns
            done = subprocess.run([*command, "--seeds", "101-102"], check=True, capture_output=True, text=True, timeout=600)
            self.assertEqual(first.stat().st_mtime_ns, made)
            self.assertIn("Against the baselines (paired)", done.stdout)
            self.assertIn("<svg", (Path(results) / "routing-final-regret.svg").read_text())

    def test_the_schema_is_one(self):
        jsonschema.Draft202012Validator.check_schema(json.loads((ROOT / "conf/schema/world.json").read_text()))


if __name__ == "__main__":
    unittest.main()
