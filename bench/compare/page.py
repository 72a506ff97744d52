"""The page: one file, no scripts, nothing from the network."""

import html

import plan
import plot
import summary
import table

STYLE = """
body { font: 16px/1.5 sans-serif; color: #24272c; background: #fff;
  max-width: 72rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; }
h3 { font-size: 1rem; margin: 1rem 0 0; font-weight: 600; }
figure { margin: 1rem 0; } svg { max-width: 100%; height: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.82rem; margin: 0.7rem 0; }
th, td { padding: 0.2rem 0.55rem; border-bottom: 1px solid #e0e2e6; }
td, thead th { text-align: right; white-space: nowrap; }
tbody th, thead th:first-child { text-align: left; font-weight: normal;
  white-space: nowrap; }
thead th { font-weight: 600; white-space: normal; min-width: 4.5rem; }
.ours { background: #fbeeea; } .last { color: #6b7078; }
.last td { white-space: normal; }
.note { color: #565c66; font-size: 0.9rem; }
.pair { display: flex; flex-wrap: wrap; gap: 0 1.5rem; align-items: start; }
.pair > * { min-width: 0; max-width: 100%; }
nav ul { columns: 2; }
"""

METRIC_TITLES = {
    "rate": "requests a second (more is better)",
    "cpu_us": "the server's CPU time for a request (less is better)",
    "p99_us": "99 of 100 answered within (less is better)",
    "s": "time beyond the last moment, the first million",
    "again_s": "time beyond the last moment, a second million",
    "bytes": "memory for each task",
    "us": "time beyond the 10 ms",
}


def size_title(workload, size):
    if workload.key == "echo":
        return f"{size:,} connection{'s' if size > 1 else ''}: "
    if workload.key.startswith("resp-"):
        return f"pipeline of {size}: "
    return f"{size:,} at once: " if workload.key == "sleep" else ""


class Figures:
    """Draws and numbers them."""

    def __init__(self):
        self.count = 0

    def figure(self, script, label):
        if script is None:
            return ""
        self.count += 1
        svg = plot.inline(plot.draw(script), self.count, label)
        return f"<figure>{svg}</figure>\n"


def dot_figures(workload, subjects, figures):
    out = []
    for size in table.sizes_of(workload, subjects):
        mine = [s for s in subjects if s.size == size]
        for metric in workload.metrics:
            if metric.endswith("_busy"):
                continue
            title = (workload.title if metric == "ns" else
                     size_title(workload, size) + METRIC_TITLES[metric])
            out.append(figures.figure(plot.dots(mine, metric, title), title))
    return "".join(out)


def per_item(workload, size, value):
    """Nanoseconds for each of so many."""
    return value * 1e3 / size if workload.metrics[0] == "us" else value


def growth_figure(workload, subjects, figures):
    series = {}
    metric = workload.metrics[0]
    for one in subjects:
        found = summary.summarise(one, metric)
        if found is None:
            continue
        values = [max(per_item(workload, one.size, v), 0.01)
                  for v in (found.median, found.least, found.most)]
        series.setdefault(one.peer.name, []).append((one.size, *values))
    title = f"For each {workload.grows}, over how many tasks there are at once"
    names = [p.name for p in plan.PEERS if p.name in series]
    ordered = [(name, sorted(series[name])) for name in dict.fromkeys(names)]
    return figures.figure(plot.lines(ordered, title, "ns for each"), title)


def section(workload, subjects, missing, figures):
    mine = [s for s in subjects if s.workload.key == workload.key]
    single = [s for s in mine if not s.growth]
    grids = table.tables_of(workload, single, missing)
    headed = "".join((f"<h3>{html.escape(one.title)}</h3>"
                      if len(grids) > 1 else "") + one.html() for one in grids)
    return (f'<section id="{workload.key}"><h2>{html.escape(workload.title)}'
            f"</h2>\n<p>{html.escape(workload.about)}</p>\n"
            + '<div class="pair">' + dot_figures(workload, single, figures)
            + f"<div>{headed}</div></div>"
            + growth_figure(workload, [s for s in mine if s.growth], figures)
            + "</section>\n")


def linear_section(svg):
    """What bench_linear has drawn."""
    if not svg:
        return ""
    label = "Gather, group and cancel of N, for each"
    picture = plot.inline(svg[svg.index("<svg"):], 0, label)
    return (f'<section id="linear"><h2>{label}</h2>\n<p>uvawait alone '
            "(<code>bench_linear</code>): what is made, and what is cancelled "
            f"while parked.</p><figure>{picture}</figure></section>\n")


def listed(lines):
    return "<ul>" + "".join(f"<li>{html.escape(line)}</li>"
                            for line in lines) + "</ul>"


def rounds_of(result):
    done = result.get("rounds_done", result["rounds"])
    if done < result["rounds"]:
        return f"cut off after {done} of {result['rounds']} rounds"
    return (f"{result['rounds']} rounds ({result['growth_rounds']} of those "
            "over a number of items; a program that takes long is run "
            "less often, but three times)")


def head_of(result):
    machine = result["machine"]
    versions = ", ".join(f"{name} {version}"
                         for name, version in machine["versions"].items())
    return (
        "<p>The same work, written for each as its own users would write it "
        "(<code>bench/peers</code>), run in turn in one go by "
        f"<code>{html.escape(result['command'])}</code>.</p>\n"
        + listed([
            f"{machine['processors']} processors, {machine['cpu']}, "
            f"{machine['memory_gib']} GiB of memory; {machine['system']}",
            versions,
            f"uvawait {machine['commit']}, {machine['flags']}",
            f"{result['started']}, {result['minutes']} minutes; load average "
            f"{result['load'][0]:.2f} before, {result['load'][1]:.2f} after; "
            + rounds_of(result)]))


HOW_TO_READ = """<p class="note">A dot is the median, the bar behind it goes
from the least to the most of all rounds; in the tables, what follows ± is the
median absolute deviation. All scales are logarithmic. Every program checks what
it has computed. Figures of one machine and one day: compare within a picture.
A table's last line is uvawait's median over that of the best other: below 1 is
less, above 1 more. Where the line over the number of items is level, the cost
of one does not depend on how many there are.</p>
"""


def notes_of(missing, subjects):
    out = []
    if missing:
        out.append("<h2>Missing</h2>" + listed(table.missing_lines(missing)))
    failed = table.failures(subjects)
    if failed:
        out.append("<h2>Failed or not run</h2>" + listed(failed))
    names = dict.fromkeys(f"{p.name}: {p.note}" for p in plan.PEERS if p.note)
    out.append("<h2>Who is who</h2>" + listed(names))
    return "\n".join(out)


def page(result, subjects, missing):
    """All of it. Raises OSError when gnuplot does not draw."""
    figures = Figures()
    found = [w for w in plan.WORKLOADS
             if any(s.workload.key == w.key for s in subjects)]
    body = "".join(section(w, subjects, missing, figures) for w in found)
    links = "".join(f'<li><a href="#{w.key}">{html.escape(w.title)}</a></li>'
                    for w in found)
    overview = table.tables(subjects, missing)[0]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>uvawait beside others</title>\n<style>{STYLE}</style></head>\n"
        "<body><h1>uvawait beside others</h1>\n" + head_of(result)
        + HOW_TO_READ + f"<nav><ul>{links}</ul></nav>\n"
        + f"<h2>{overview.title}</h2>" + overview.html() + body
        + linear_section(result.get("linear", ""))
        + notes_of(missing, subjects) + "</body></html>\n")
