"""The benchmark's tables, as Markdown."""
import math
import statistics

# Two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom.
STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
           2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042]
# Knowing the future or the truth: no router could be it.
NOT_RUNNABLE = {"best_static", "oracle", "ours"}
WINDOWED = "windowed_rate"


def interval(values):
    """Mean and half-width of its 95 % interval."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return mean, math.inf
    quantile = STUDENT[len(values) - 2] if len(values) - 1 <= len(STUDENT) else 1.96
    return mean, quantile * statistics.stdev(values) / math.sqrt(len(values))


def shown(values, digits=2):
    mean, half = interval(values)
    return f"{mean:.{digits}f}" + (f" ±{half:.{digits}f}" if math.isfinite(half) else "")


def per_seed(world, algorithm, key="regret"):
    return [one[key] for _, one in sorted(world["algorithms"][algorithm]["seeds"].items(), key=lambda pair: int(pair[0]))]


def differences(world, one, other, key="regret"):
    return [a - b for a, b in zip(per_seed(world, one, key), per_seed(world, other, key))]


def mean_over_worlds(worlds, algorithm, key="regret"):
    """Each seed's mean over the worlds: the worlds of a seed share their gateways."""
    return [statistics.fmean(values) for values in zip(*(per_seed(world, algorithm, key) for world in worlds))]


def algorithms_in(worlds):
    first = next(iter(worlds.values()))["algorithms"]
    return [name for name in first if all(name in world["algorithms"] for world in worlds.values())]


def title_of(worlds, algorithm):
    return next(iter(worlds.values()))["algorithms"][algorithm]["title"]


def best_baseline(world):
    runnable = [name for name in world["algorithms"] if name not in NOT_RUNNABLE]
    return min(runnable, key=lambda name: statistics.fmean(per_seed(world, name)))


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def regret_table(worlds):
    rows = []
    for name in algorithms_in(worlds):
        if name == "oracle":
            continue
        cells = [f"{statistics.fmean(per_seed(world, name)):.2f}" for world in worlds.values()]
        row = [title_of(worlds, name), *cells, shown(mean_over_worlds(worlds.values(), name)),
               shown(mean_over_worlds(worlds.values(), name, "first_regret"))]
        rows.append([f"**{cell}**" for cell in row] if name == "ours" else row)
    return table(["", *(name.removesuffix("-final") for name in worlds), "mean", "first attempt"], rows)


def gap_closed(world, algorithm):
    return 1 - statistics.fmean(per_seed(world, algorithm)) / statistics.fmean(per_seed(world, "random"))


def comparison_table(worlds):
    """Ours against the best that could be run, and against what is run today: paired by seed."""
    rows = []
    for name, world in worlds.items():
        best = best_baseline(world)
        ours, theirs = (statistics.fmean(per_seed(world, each)) for each in ("ours", best))
        rows.append([name.removesuffix("-final") + " " + world["title"], shown(per_seed(world, "ours")),
                     world["algorithms"][best]["title"], f"{theirs:.2f}", shown(differences(world, "ours", best)),
                     f"{ours / theirs:.2f}" if theirs > 0 else "–", shown(differences(world, "ours", WINDOWED)),
                     f"{100 * gap_closed(world, 'ours'):.1f} %"])
    return table(["world", "Turnout", "best baseline", "its regret", "difference", "ratio", "against the windowed rate",
                  "gap closed"], rows)


def outages(world, algorithm):
    return [one for seed in world["algorithms"][algorithm]["seeds"].values() for one in seed["outages"]]


def median_back(courses):
    """Seconds until half of the traffic was back; those that never came count as infinitely long."""
    median = statistics.median(one["back_s"] if one["back"] else math.inf for one in courses)
    return f"{median:.0f}" if math.isfinite(median) else "never"


def outage_cells(world, algorithm):
    courses = outages(world, algorithm)
    if not courses:
        return ["–"] * 4
    return [str(len(courses)), f"{statistics.fmean(one['lost'] for one in courses):.1f}",
            f"{statistics.fmean(one['left_s'] for one in courses):.1f}", median_back(courses)]


def outage_table(worlds, algorithms=(WINDOWED, "cusum_ucb", "ours")):
    rows = []
    for name, world in worlds.items():
        known = [each for each in algorithms if each in world["algorithms"]]
        if any(outages(world, each) for each in known):
            for each in known:
                rows.append([name.removesuffix("-final"), world["algorithms"][each]["title"], *outage_cells(world, each)])
    return table(["world", "", "outages", "payments lost", "seconds", "back after (s, median)"], rows)


def false_alarms(world, algorithm):
    seeds = world["algorithms"][algorithm]["seeds"].values()
    hours = sum(one["watched_gateway_hours"] for one in seeds)
    return sum(one["false_alarms"] for one in seeds) / hours if hours > 0 else math.nan


def calm_table(worlds):
    rows = []
    for name, world in worlds.items():
        seeds = world["algorithms"]["ours"]["seeds"].values()
        calm = [one for one in seeds if one["calm_payments"] > 0]
        cells = ["–"] * 3
        if calm:
            cells = [f"{statistics.fmean(one['calm_first_regret'] for one in calm):.2f}",
                     f"{100 * statistics.fmean(one['calm_explored'] for one in calm):.1f} %",
                     f"{statistics.fmean(one['calm_explored_regret'] for one in calm):.2f}"]
        rows.append([name.removesuffix("-final"), shown(per_seed(world, "ours", "first_regret")), *cells,
                     f"{false_alarms(world, 'ours'):.2f}"])
    return table(["world", "first-attempt regret", "in calm", "explored in calm", "their regret",
                  "false alarms per gateway-hour"], rows)


def report(read, seeds):
    """`read`: by world ("S1", "S1-final", "H1"), what `turnout simulate --format json` says, seeds joined."""
    study = {name: world for name, world in read.items() if name.startswith("S") and not name.endswith("-final")}
    final = {name: world for name, world in read.items() if name.startswith("S") and name.endswith("-final")}
    harder = {name: world for name, world in read.items() if not name.startswith("S")}
    parts = [f"Seeds {seeds[0]} to {seeds[-1]} ({len(seeds)}). Regret: points of payments that the oracle had approved "
             "and the algorithm did not. ±: 95 % interval over the seeds."]
    for heading, worlds in (("Timeouts are final, as in the proxy", final),
                            ("Timeouts may be tried elsewhere, as in the study", study), ("Harder worlds", harder)):
        if not worlds:
            continue
        parts += [f"## {heading}", "### Regret after failover (points)", regret_table(worlds)]
        if all("ours" in world["algorithms"] and WINDOWED in world["algorithms"] for world in worlds.values()):
            parts += ["### Against the baselines (paired)", comparison_table(worlds), "### Outages", outage_table(worlds),
                      "### Calm and false alarms", calm_table(worlds)]
    return "\n\n".join(parts)
