"""The benchmark's figures: grouped bars with intervals, as SVG."""
import math
import statistics
from xml.sax.saxutils import escape

import tables

# Colour-blind safe (Okabe, Ito 2008).
COLOURS = ["#999999", "#56b4e9", "#e69f00", "#009e73", "#d55e00"]
SHOWN = ["outlier_ejection", "windowed_rate", "d_thompson", "cusum_ucb", "ours"]
# Ejection's regret is so large that the others could not be told apart.
SHOWN_REGRET = ["windowed_rate", "d_ucb", "d_thompson", "cusum_ucb", "ours"]
MUCH = .3  # of the traffic, before an outage
WIDTH, HEIGHT = 900, 340
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 62, 44


class Scale:
    """From figures to the height of a pixel; linear from 0, or logarithmic."""

    def __init__(self, highest, logarithmic=False, lowest=1):
        self.logarithmic = logarithmic
        self.low = math.log10(lowest) if logarithmic else 0
        self.high = math.log10(max(highest, lowest * 10)) if logarithmic else (highest or 1)

    def height(self, value):
        if self.logarithmic:
            value = math.log10(max(value, 10 ** self.low))
        share = (value - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - min(max(share, 0), 1.02) * (HEIGHT - BOTTOM - TOP)

    def ticks(self):
        if self.logarithmic:
            return [10 ** power for power in range(math.ceil(self.low), math.floor(self.high) + 1)]
        step = 10 ** math.floor(math.log10(self.high))
        while self.high / step < 4:
            step /= 2
        return [step * i for i in range(int(self.high / step) + 1)]


def text(x, y, words, anchor="middle", size=12, weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
            f'font-weight="{weight}">{escape(words)}</text>')


def legend(names):
    parts, x = [], LEFT
    for colour, name in zip(COLOURS, names):
        parts.append(f'<rect x="{x}" y="34" width="11" height="11" fill="{colour}"/>')
        parts.append(text(x + 16, 44, name, "start"))
        x += 30 + 7 * len(name)
    return parts


def frame(title, names):
    return [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
            f'role="img" aria-label="{escape(title)}">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', text(LEFT, 20, title, "start", 15, "bold"),
            *legend(names)]


def grid(scale):
    parts = []
    for tick in scale.ticks():
        y = scale.height(tick)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dddddd"/>')
        parts.append(text(LEFT - 6, y + 4, f"{tick:g}", "end"))
    return parts


def bars(title, groups, names, scale):
    """`groups`: [(label, [(value, half-width) or None for each name])]."""
    parts = [*frame(title, names), *grid(scale)]
    room = (WIDTH - LEFT - RIGHT) / max(1, len(groups))
    width = .84 * room / len(names)
    for number, (label, values) in enumerate(groups):
        start = LEFT + room * number + .08 * room
        parts.append(text(LEFT + room * (number + .5), HEIGHT - BOTTOM + 18, label))
        for place, value in enumerate(values):
            if value is not None:
                parts += bar(start + place * width, width, value, COLOURS[place % len(COLOURS)], scale)
    return "\n".join(parts + ["</svg>", ""])


def bar(x, width, value, colour, scale):
    mean, half = value
    top, floor = scale.height(mean), HEIGHT - BOTTOM
    parts = [f'<rect x="{x:.1f}" y="{top:.1f}" width="{width * .9:.1f}" height="{max(0, floor - top):.1f}" '
             f'fill="{colour}"/>']
    if math.isfinite(half) and half > 0:
        middle, high, low = x + width * .45, scale.height(mean + half), scale.height(max(mean - half, 0))
        parts.append(f'<line x1="{middle:.1f}" x2="{middle:.1f}" y1="{high:.1f}" y2="{low:.1f}" stroke="black"/>')
    return parts


def known(names, worlds):
    return [name for name in names if all(name in world["algorithms"] for world in worlds.values())]


def regret_chart(title, worlds):
    names = known(SHOWN_REGRET, worlds)
    groups = [(label.removesuffix("-final"), [tables.interval(tables.per_seed(world, name)) for name in names])
              for label, world in worlds.items()]
    means = [(name, tables.mean_over_worlds(worlds.values(), name)) for name in names]
    groups.append(("mean", [tables.interval(values) for _, values in means]))
    highest = max(mean for _, values in groups for mean, _ in values)
    return bars(title, groups, [tables.title_of(worlds, name) for name in names], Scale(highest))


def outage_chart(title, worlds):
    names = known(SHOWN, worlds)
    groups = []
    for label, world in worlds.items():
        lost = [[one["lost"] for one in tables.outages(world, name)] for name in names]
        if any(lost):
            groups.append((label.removesuffix("-final"), [(statistics.fmean(each), 0) if each else None for each in lost]))
    highest = max((value[0] for _, values in groups for value in values if value), default=1)
    return bars(title, groups, [tables.title_of(worlds, name) for name in names], Scale(highest, logarithmic=True))


def gap_chart(title, worlds):
    names = known(SHOWN, worlds)
    groups = [(label.removesuffix("-final"), [(100 * max(0, tables.gap_closed(world, name)), 0) for name in names])
              for label, world in worlds.items()]
    return bars(title, groups, [tables.title_of(worlds, name) for name in names], Scale(100))


def line_chart(title, curves, names, from_s):
    """`curves`: shares from 0 to 1, second by second, one list for each name."""
    scale = Scale(100)
    seconds = len(curves[0])
    room = (WIDTH - LEFT - RIGHT) / max(1, seconds - 1)
    parts = [*frame(title, names), *grid(scale)]
    for second in range(0, seconds, 10):
        parts.append(text(LEFT + room * second, HEIGHT - BOTTOM + 18, f"{second + from_s} s"))
    zero = LEFT - room * from_s
    parts.append(f'<line x1="{zero:.1f}" x2="{zero:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="black" '
                 'stroke-dasharray="4 3"/>')
    for curve, colour in zip(curves, COLOURS):
        points = " ".join(f"{LEFT + room * second:.1f},{scale.height(100 * share):.1f}"
                          for second, share in enumerate(curve))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
    return "\n".join(parts + ["</svg>", ""])


def share_chart(title, world, moment):
    """Where first attempts go around the moment, of those gateways that had much of the traffic."""
    names, curves, from_s = [], [], 0
    for name in [each for each in SHOWN if each in world["algorithms"]]:
        courses = [one for one in tables.outages(world, name) if one["share_before"] >= MUCH and moment in one]
        if not courses:
            continue
        from_s = courses[0][moment]["from_s"]
        seconds = range(len(courses[0][moment]["all"]))
        all_, here = ([sum(one[moment][which][second] for one in courses) for second in seconds]
                      for which in ("all", "here"))
        names.append(world["algorithms"][name]["title"])
        curves.append([b / a if a else 0 for a, b in zip(all_, here)])
    return line_chart(title, curves, names, from_s) if curves else None


def draw_courses(read, directory):
    """The outages of S2, where each stands alone."""
    world = read.get("S2-final")
    if world is None:
        return
    for moment, words in (("around_begin", "dies"), ("around_end", "works again")):
        figure = share_chart(f"Share of first attempts sent to a gateway that {words} at 0 s, %", world, moment)
        if figure:
            (directory / f"routing-course-{moment.removeprefix('around_')}.svg").write_text(figure, encoding="utf-8")


def draw(read, directory):
    directory.mkdir(parents=True, exist_ok=True)
    draw_courses(read, directory)
    final = {name: world for name, world in read.items() if name.endswith("-final")}
    study = {name: world for name, world in read.items() if name.startswith("S") and name not in final}
    harder = {name: world for name, world in read.items() if not name.startswith("S")}
    kinds = {"final": (final, "timeouts are final"), "study": (study, "timeouts may be tried elsewhere"),
             "harder": (harder, "harder worlds")}
    for kind, (worlds, words) in kinds.items():
        if not worlds:
            continue
        figures = {"regret": regret_chart(f"Regret after failover, points ({words})", worlds),
                   "gap": gap_chart(f"Share of the gap between random and the oracle that is closed, % ({words})", worlds),
                   "outages": outage_chart(f"Payments lost before traffic leaves a dead gateway ({words})", worlds)}
        for name, figure in figures.items():
            (directory / f"routing-{kind}-{name}.svg").write_text(figure, encoding="utf-8")
