"""Draws points over two logarithmic axes, and bars over one, as SVG. The colors follow the light or dark scheme of the reader."""

from dataclasses import dataclass
from math import floor, log10
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 84, 40, 84, 62  # margins of the plot
MARGIN = 24  # of titles and labels

STYLE = """
  text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .tick { font-size: 12px; fill: #59636e }
  .page { fill: #ffffff }
  .grid { stroke: #d8dee4; stroke-width: 1 }
  .axis { stroke: #818b98; stroke-width: 1 }
  .line { fill: none; stroke-width: 1.5 }
  .s0 { color: #0a5fd0 } .s1 { color: #bc4c00 } .s2 { color: #6f42c1 } .s3 { color: #6e7781 }
  .mark { fill: currentColor; fill-opacity: .8; stroke: none }
  .hollow { fill: none; stroke: currentColor; stroke-width: 1.5 }
  .line { stroke: currentColor }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .tick { fill: #9198a1 }
    .page { fill: #0d1117 }
    .grid { stroke: #2a313c }
    .axis { stroke: #656c76 }
    .s0 { color: #58a6ff } .s1 { color: #f0883e } .s2 { color: #bc8cff } .s3 { color: #9198a1 }
  }
"""


@dataclass
class Series:
    """A series of (x, y) points, optionally joined by a line."""

    name: str
    points: list
    joined: bool = False
    dashed: bool = False


@dataclass
class Axis:
    """The label of an axis, and the format of its ticks."""

    label: str
    written: callable


class Scale:
    """Maps values to positions between two ends."""

    def __init__(self, values, begin, end):
        self.low, self.high = step_below(min(values)), step_above(max(values))
        self.begin, self.end = begin, end

    def __call__(self, value):
        share = (log10(value) - log10(self.low)) / (log10(self.high) - log10(self.low))
        return self.begin + share * (self.end - self.begin)

    def steps(self):
        """Returns the ticks: the decades, and 2 and 5 times each if there are few decades."""
        decades = [10.0**power for power in range(floor(log10(self.low)), floor(log10(self.high) + 1e-9) + 1)]
        written = [1] if self.high / self.low > 1_000 else [1, 2, 5]
        steps = [decade * step for decade in decades for step in written]
        return [step for step in steps if self.low * 0.999 <= step <= self.high * 1.001]


def step_below(value):
    decade = 10.0 ** floor(log10(value))
    return max(step * decade for step in (0.5, 1, 2, 5) if step * decade <= value * 0.95)


def step_above(value):
    decade = 10.0 ** floor(log10(value))
    return min(step * decade for step in (1, 2, 5, 10, 20) if step * decade >= value * 1.05)


def draw(title, description, x_axis, y_axis, series):
    """Returns the picture."""
    points = [point for one in series for point in one.points]
    x = Scale([x for x, _ in points], LEFT, WIDTH - RIGHT)
    y = Scale([y for _, y in points], HEIGHT - BOTTOM, TOP)
    parts = [
        *legend(series),
        *axes(x, y, x_axis, y_axis),
        *(part for nth, one in enumerate(series) for part in drawn(nth, one, x, y)),
    ]
    return framed(title, description, HEIGHT, parts)


def framed(title, description, height, parts):
    """Returns the picture around its parts."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-labelledby="title description">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="description">{escape(description)}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}" rx="6"/>',
        text(MARGIN, 28, title, "title"),
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def bars(title, description, rows):
    """Returns a picture of ratios: a bar to the right if the ratio is above 1, and to the left if it is below."""
    left, right, step = 330, 110, 30
    height = 48 + step * len(rows) + 14
    scale = Scale([min(1, *(ratio for _, ratio, _ in rows)), max(2, *(ratio for _, ratio, _ in rows))], left, WIDTH - right)
    one = scale(1)
    parts = [f'<path class="axis" d="M{one:.1f} 42V{height - 12}"/>']
    for nth, (label, ratio, said) in enumerate(rows):
        at, end = 48 + step * nth, scale(ratio)
        low, high = min(one, end), max(one, end)
        parts.append(f'<g class="s{0 if ratio >= 1 else 1}"><rect class="mark" x="{low:.1f}" y="{at + 5}" '
                     f'width="{max(1, high - low):.1f}" height="{step - 10}" rx="2"/></g>')
        parts.append(text(MARGIN, at + step / 2 + 4.5, label))
        parts.append(text(high + 8, at + step / 2 + 4.5, said))
    return framed(title, description, height, parts)


def legend(series):
    """Yields the legend, one line above the plot. The widths of the names are estimated."""
    at = LEFT
    for nth, one in enumerate(series):
        yield f'<g class="s{nth}">'
        if one.joined or one.dashed:
            yield stroke([(at - 2, 54), (at + 20, 54)], one.dashed)
        if not one.dashed:
            yield mark(nth, at + 9, 54)
        yield "</g>"
        yield text(at + 26, 58.5, one.name)
        at += 26 + 7.6 * len(one.name) + 14
    assert at <= WIDTH, "the legend is too long for one line"


def axes(x, y, x_axis, y_axis):
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for value in x.steps():
        yield f'<path class="grid" d="M{x(value):.1f} {TOP}V{bottom}"/>'
        yield text(x(value), bottom + 20, x_axis.written(value), "tick", "middle")
    for value in y.steps():
        yield f'<path class="grid" d="M{LEFT} {y(value):.1f}H{right}"/>'
        yield text(LEFT - 8, y(value) + 4, y_axis.written(value), "tick", "end")
    yield f'<path class="axis" d="M{LEFT} {TOP}V{bottom}H{right}" fill="none"/>'
    yield text((LEFT + right) / 2, HEIGHT - 16, x_axis.label, anchor="middle")
    middle = (TOP + bottom) / 2
    yield text(20, middle, y_axis.label, anchor="middle", more=f' transform="rotate(-90 20 {middle:.1f})"')


def drawn(nth, series, x, y):
    places = [(x(at), y(value)) for at, value in sorted(series.points)]
    yield f'<g class="s{nth}">'
    if series.joined or series.dashed:
        yield stroke(places, series.dashed)
    if not series.dashed:
        yield from (mark(nth, *place) for place in places)
    yield "</g>"


def stroke(places, dashed):
    way = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    return f'<path class="line" d="M{way}"' + (' stroke-dasharray="5 4"' if dashed else "") + "/>"


def mark(nth, x, y):
    """Returns the mark of a series. Shapes differ, so that series are distinguishable without color."""
    shapes = [
        f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="4"/>',
        f'<path class="mark" d="M{x:.1f} {y - 4.8:.1f}l4.6 8.4h-9.2z"/>',
        f'<path class="hollow" d="M{x - 3.6:.1f} {y - 3.6:.1f}h7.2v7.2h-7.2z"/>',
    ]
    return shapes[nth % len(shapes)]


def text(x, y, said, kind="", anchor="", more=""):
    kind = f' class="{kind}"' if kind else ""
    anchor = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{kind}{anchor}{more}>{escape(said)}</text>'
