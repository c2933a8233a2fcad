"""Numbers for people."""


def ratio(row):
    return faster(row) + (f" ({times(row['median'])})" if row["median"] else "")


def faster(row):
    return times(row["ratio"]) + " as fast"


def times(ratio):
    if ratio >= 100:
        digits = 10 ** (len(str(int(ratio))) - 2)
        return f"{round(ratio / digits) * digits:,} ×"
    return f"{ratio:.0f} ×" if ratio >= 10 else f"{ratio:.1f} ×" if ratio >= 2 else f"{ratio:.2f} ×"


def seconds(value):
    for unit, factor in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def size(number):
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if number >= factor:
            return f"{number / factor:.{0 if number >= 10 * factor else 1}f} {unit}"
    return f"{number} bytes"


def counted(*numbers):
    return "not counted" if None in numbers else ", ".join(map(size, numbers))
