"""From samples to numbers, and how numbers are written."""

import statistics

import plan


class Summary:
    """Of the samples of one metric."""

    def __init__(self, values):
        self.median = statistics.median(values)
        self.mad = statistics.median(abs(v - self.median) for v in values)
        self.least = min(values)
        self.most = max(values)
        self.count = len(values)


def summarise(subject, metric):
    """None where there is nothing."""
    values = [sample[metric] for sample in subject.samples]
    return Summary(values) if values else None


def number(value):
    """Three digits that count; thousands apart."""
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    if size >= 1:
        return f"{value:.2f}"
    return f"{value:.3f}" if size >= 0.0005 else "0"


def scale(metric, reference):
    """Factor and unit in which a value of that size is read best."""
    if metric == "ns" and abs(reference) >= 10_000:
        return 1e-3, " µs"
    if metric in ("us", "p99_us") and abs(reference) >= 10_000:
        return 1e-3, " ms"
    if metric.endswith("_busy"):
        return 100, " %"
    units = {"rate": "", "bytes": " B", "ns": " ns", "s": " s",
             "again_s": " s"}
    return 1, units.get(metric, " µs")


def written(metric, value):
    factor, unit = scale(metric, value)
    return number(factor * value) + unit


def with_spread(metric, found):
    """A summary's median and spread."""
    factor, unit = scale(metric, found.median)
    spread = f" ± {number(factor * found.mad)}" if found.mad else ""
    return number(factor * found.median) + spread + unit


def ratio(subjects, metric):
    """Ours over the best other of a workload: (ratio, its name) or None."""
    ours, others = None, []
    for subject in subjects:
        found = summarise(subject, metric)
        if found is None:
            continue
        if plan.is_ours(subject.peer.name):
            ours = found.median
        else:
            others.append((found.median, subject.peer.name))
    if ours is None or not others:
        return None
    best = (max if plan.is_more_better(metric) else min)(others)
    return (ours / best[0], best[1]) if best[0] > 0 else None
