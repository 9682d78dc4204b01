#!/usr/bin/env python3
"""Routing algorithms compared in every world of this directory.

  bench_routing.py build/release [--seeds 1-20] [--worlds S1,H3] [--jobs 2] [--figures DIR]

Runs `turnout simulate` once for each world, each way to treat timeouts and
each seed, several at once, and keeps every result: a run that is stopped goes
on where it was. Then it prints the tables and draws them.

Worlds S1 to S9 are run twice: with timeouts that may be tried elsewhere, as
in the study, and with timeouts that are final, as in the proxy. The harder
worlds H1, H2, … say it themselves.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import charts
import tables

HERE = Path(__file__).resolve().parent
BASES = {"realistic"}  # files that others extend
REFERENCES = ["random", "oracle"]


def parse_arguments():
    parser = argparse.ArgumentParser(description="Compare routing algorithms in simulated worlds")
    parser.add_argument("build", type=Path, help="the build directory: build/release")
    parser.add_argument("--seeds", default="1-20", help="1-20 are for reports, 101-200 for tuning (default: %(default)s)")
    parser.add_argument("--worlds", default="", help="S1,H3 (default: all)")
    parser.add_argument("--algorithms", default="", help="names as `turnout simulate` takes them (default: all)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--results", type=Path, help="where results are kept (default: BUILD/bench-routing)")
    parser.add_argument("--figures", type=Path, help="where the SVG files go (default: the results' directory)")
    parser.add_argument("--keep", action="store_true",
                        help="keep the other algorithms' results of another build: run only ours again")
    return parser.parse_args()


def seeds_of(text):
    seeds = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        seeds += range(int(first), int(last or first) + 1)
    return seeds


def world_files(wanted):
    found = {path.stem: path for path in HERE.glob("*.yaml") if path.stem not in BASES}
    unknown = [name for name in wanted if name not in found]
    if unknown:
        sys.exit(f"there is no world {', '.join(unknown)} in {HERE}")
    ordered = sorted(found, key=lambda name: (name[0] != "S", int(re.sub(r"\D", "", name) or 0), name))
    return {name: found[name] for name in ordered if not wanted or name in wanted}


def text_with_bases(path):
    """What the world says, and what it extends."""
    text = path.read_text(encoding="utf-8")
    base = re.search(r"^extends:\s*(\S+)", text, re.M)
    return (text_with_bases(path.parent / base.group(1)) if base else "") + text


def digest(data):
    return hashlib.sha256(data).hexdigest()[:16]


class Bench:
    def __init__(self, options):
        self.program = options.build / "turnout"
        if not self.program.exists():
            sys.exit(f"{self.program} is not built")
        self.results = options.results or options.build / "bench-routing"
        self.build = digest(self.program.read_bytes())
        self.algorithms = [name for name in options.algorithms.split(",") if name]
        self.keep = options.keep

    def place(self, world, final, seed):
        return self.results / (world + ("-final" if final else "")) / f"{seed}.json"

    def stored(self, path, world_digest):
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return kept if kept.get("world_digest") == world_digest else None

    def missing(self, kept):
        """The algorithms to run, or None when everything is there. An empty list: all."""
        if kept is None:
            return self.algorithms
        known = set(kept["algorithms"])
        if kept["build"] == self.build:
            return None if set(self.algorithms or known) <= known and (self.algorithms or kept["all"]) else self.algorithms
        return ["ours"] if self.keep else self.algorithms

    def run(self, name, path, final, seed):
        world_digest = digest(text_with_bases(path).encode())
        place = self.place(name, final, seed)
        kept = self.stored(place, world_digest)
        wanted = self.missing(kept)
        if wanted is None:
            return False
        command = [str(self.program), "simulate", str(path), "--seeds", str(seed), "--format", "json", "--quiet"]
        command += ["--algorithms", ",".join(wanted)] if wanted else []
        command += ["--final-timeouts"] if final else []
        done = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        everything = not wanted
        if kept is not None and (kept["build"] == self.build or self.keep) and self.same_world(kept, done, seed):
            done["algorithms"] = {**kept["algorithms"], **done["algorithms"]}
            everything = everything or kept["all"]
        done.update(world_digest=world_digest, build=self.build, all=everything)
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=place.parent, delete=False, encoding="utf-8") as out:
            json.dump(done, out)
        os.replace(out.name, place)
        return True

    @staticmethod
    def same_world(kept, done, seed):
        """Two builds draw the same world when random and the oracle fare alike in it."""
        return all(kept["algorithms"][name]["seeds"][str(seed)]["approved"] ==
                   done["algorithms"][name]["seeds"][str(seed)]["approved"] for name in REFERENCES)


def main():
    options = parse_arguments()
    bench = Bench(options)
    worlds = world_files([name for name in options.worlds.split(",") if name])
    seeds = seeds_of(options.seeds)
    jobs = [(name, path, final, seed) for seed in seeds for name, path in worlds.items()
            for final in ([False, True] if name.startswith("S") else [False])]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = [pool.submit(bench.run, *job) for job in jobs]
        for number, done in enumerate(concurrent.futures.as_completed(running), 1):
            done.result()
            print(f"\r{number} of {len(jobs)} runs", end="", file=sys.stderr)
    print(file=sys.stderr)

    read = {}
    for name, path, final, seed in jobs:
        kept = json.loads(bench.place(name, final, seed).read_text(encoding="utf-8"))
        into = read.setdefault(name + ("-final" if final else ""), {"title": kept["title"], "algorithms": {}})
        for algorithm, of in kept["algorithms"].items():
            into["algorithms"].setdefault(algorithm, {"title": of["title"], "seeds": {}})["seeds"].update(of["seeds"])
    text = tables.report(read, seeds)
    print(text)
    (bench.results / "report.md").write_text(text + "\n", encoding="utf-8")
    charts.draw(read, options.figures or bench.results)


if __name__ == "__main__":
    main()
