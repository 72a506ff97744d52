"""Pictures, drawn by gnuplot as SVG that stands inside a page."""

import math
import re
import subprocess

import plan
import summary

OURS = "#c8553d"
OTHERS = "#1f6f8b"
INK = "#3c4048"
# For lines: told apart by colour and by mark.
PALETTE = ("#1f6f8b", "#b8860b", "#5b8c5a", "#7a5195", "#2f4b7c", "#8c564b",
           "#d45087", "#17a2a2", "#6b6b6b", "#9aa31f", "#444444", "#a05195",
           "#003f5c")
NAMES = list(dict.fromkeys(p.name for p in plan.PEERS))
STYLE = f"""
set encoding utf8
set border 3 lc rgb '#8a8f98'
set tics nomirror out scale 0.6 textcolor rgb '{INK}' font ',11'
set grid xtics ytics lc rgb '#e6e8eb' lt 1 lw 1
set key off
"""


def draw(script):
    """The script's picture as an <svg> element. Raises OSError."""
    done = subprocess.run(["gnuplot"], input=script, text=True,
                          capture_output=True, check=False)
    if done.returncode != 0 or "<svg" not in done.stdout:
        raise OSError("gnuplot: " + done.stderr.strip()[-300:])
    return done.stdout[done.stdout.index("<svg"):]


def inline(svg, number, label):
    """Names inside a page must be its own; a reader is told what it is."""
    svg = re.sub(r"<(title|desc)>.*?</\1>\s*", "", svg, flags=re.S)
    svg = re.sub(r"\bid\s*=\s*(['\"])([^'\"]+)\1", rf'id="p{number}-\2"', svg)
    svg = re.sub(r"href\s*=\s*(['\"])#([^'\"]+)\1", rf'href="#p{number}-\2"',
                 svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#p{number}-\1)", svg)
    label = quote_xml(label)
    return svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


def quote_xml(text):
    return (text.replace("&", "&amp;").replace("<", "&lt;")
            .replace('"', "&quot;"))


def quote(text):
    """A string of gnuplot's."""
    return "'" + text.replace("'", "''") + "'"


def tics(least, most):
    """The fewest round numbers that are at least three; decades where they are
    many."""
    powers = range(math.floor(math.log10(least)),
                   math.ceil(math.log10(most)) + 1)
    out = []
    for steps in ((1,), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 7, 8)):
        out = [step * 10.0 ** power for power in powers for step in steps
               if least <= step * 10.0 ** power <= most]
        if len(out) >= 3:
            break
    return out


def short(value):
    """A tic's text."""
    for limit, letter in ((1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:g} {letter}"
    return f"{value:g}"


def tic_list(values):
    return ", ".join(f"{quote(short(v))} {v:g}" for v in values)


def dots(subjects, metric, title):
    """A line for each peer: the median, the span from least to most, and the
    median in figures. Logarithmic. None when there is nothing to draw."""
    found = [(summary.summarise(one, metric), one.peer.name)
             for one in subjects if one.samples]
    # A logarithm has no place for what is not above 0.
    floor = {"s": 1e-3, "again_s": 1e-3, "us": 1.0}.get(metric, 1e-9)
    rows = [(max(s.median, floor), max(s.least, floor), max(s.most, floor),
             name, summary.written(metric, s.median)) for s, name in found]
    if not rows:
        return None
    rows.sort(reverse=not plan.is_more_better(metric))
    least = min(row[1] for row in rows) / 1.5
    most = max(row[2] for row in rows)
    room = (most / least) ** 0.24 * 1.3  # for the figures
    height = 112 + 24 * len(rows)
    names = ", ".join(f"{quote(row[3])} {i}" for i, row in enumerate(rows))
    points = "\n".join(
        f"{i} {row[0]:.6g} {row[1]:.6g} {row[2]:.6g} "
        f"{int(OURS[1:], 16) if plan.is_ours(row[3]) else int(OTHERS[1:], 16)} "
        f'"{row[4]}"' for i, row in enumerate(rows))
    return f"""{STYLE}
set terminal svg size 760,{height} font 'Helvetica,12' background rgb 'white'
set title {quote(title)} noenhanced font ',13' textcolor rgb '{INK}'
set logscale x
set xrange [{least:g}:{most * room:g}]
set yrange [-0.7:{len(rows) - 0.3}]
set ytics ({names}) noenhanced
set xtics ({tic_list(tics(least, most))}) noenhanced
set xlabel {quote(plan.UNITS[metric])} noenhanced textcolor rgb '{INK}'
set lmargin 25
set rmargin 3
$data << END
{points}
END
plot $data u 2:1:3:4:5 w xerrorbars lc rgb variable pt 7 ps 0.01 lw 2, \
  $data u 2:1:5 w p pt 7 ps 1.1 lc rgb variable, \
  $data u 4:1:6 w labels left offset 1,0 noenhanced textcolor rgb '{INK}'
"""


def lines(series, title, unit):
    """Cost for each item over how many there are, both logarithmic. series:
    (name, [(n, median, least, most)]) each; a level line is linear growth."""
    series = [(name, points) for name, points in series if points]
    if not series:
        return None
    values = [v for _, points in series for p in points for v in p[1:]]
    least, most = min(values) / 1.6, max(values) * 1.6
    blocks, plots = [], []
    for i, (name, points) in enumerate(series):
        text = "\n".join(f"{n} {m:.6g} {a:.6g} {b:.6g}"
                         for n, m, a, b in points)
        blocks.append(f"$s{i} << END\n{text}\nEND")
        is_ours = plan.is_ours(name)
        mark = NAMES.index(name) if name in NAMES else i
        colour = OURS if is_ours else PALETTE[mark % len(PALETTE)]
        width = 3.5 if is_ours else 1.7
        plots.append(f"$s{i} u 1:2:3:4 w yerrorbars lc rgb '{colour}' pt 7 "
                     f"ps 0.01 lw 1.2 notitle, $s{i} u 1:2 w lp "
                     f"lc rgb '{colour}' lw {width} pt {5 + mark % 9} ps 0.7 "
                     f"t {quote(name)} noenhanced")
    sizes = [p[0] for _, points in series for p in points]
    body = "\n".join(blocks)
    return f"""{STYLE}
set terminal svg size 760,460 font 'Helvetica,12' background rgb 'white'
set title {quote(title)} noenhanced font ',13' textcolor rgb '{INK}'
set logscale xy
set xrange [{min(sizes) / 1.4:g}:{max(sizes) * 1.4:g}]
set yrange [{least:g}:{most:g}]
set xtics ({tic_list(sorted(set(sizes)))}) noenhanced
set ytics ({tic_list(tics(least, most))}) noenhanced
set xlabel 'how many at once' textcolor rgb '{INK}'
set ylabel {quote(unit)} textcolor rgb '{INK}' noenhanced
set key outside right top reverse Left samplen 2 font ',11' width -2
{body}
plot {", ".join(plots)}
"""
