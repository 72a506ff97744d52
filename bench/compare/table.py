"""The tables: rows are peers, columns are workloads; as text, markdown, HTML."""

import html

import plan
import summary

SINGLE_TITLE = "Single operations"


def cell(subject, metric):
    """Median and spread of a subject, or why there is none."""
    if subject is None:
        return "-"
    if subject.skipped:
        return "not run"
    if subject.failure:
        return "fails"
    found = summary.summarise(subject, metric)
    if found is None:
        return "-"
    return summary.with_spread(metric, found)


class Table:
    def __init__(self, title, header, rows, last):
        self.title = title
        self.header = header
        self.rows = rows
        self.last = last  # rows that say what our place among the others is

    def all_rows(self):
        return self.rows + self.last

    def text(self):
        lines = [self.header] + self.all_rows()
        widths = [max(len(line[i]) for line in lines)
                  for i in range(len(self.header))]
        out = [self.title]
        for line in lines:
            cells = [line[0].ljust(widths[0])]
            cells += [c.rjust(w) for c, w in zip(line[1:], widths[1:])]
            out.append("  " + "  ".join(cells).rstrip())
        return "\n".join(out) + "\n"

    def markdown(self):
        out = [f"### {self.title}", "", "| " + " | ".join(self.header) + " |",
               "|---" + "|---:" * (len(self.header) - 1) + "|"]
        out += ["| " + " | ".join(row) + " |" for row in self.all_rows()]
        return "\n".join(out) + "\n"

    def html(self):
        def line(cells, tag, kind=""):
            first = f'<th scope="row">{html.escape(cells[0])}</th>'
            rest = "".join(f"<{tag}>{html.escape(c)}</{tag}>"
                           for c in cells[1:])
            return f"<tr{kind}>{first}{rest}</tr>"

        rows = [line(row, "td", ' class="ours"' if plan.is_ours(row[0]) else "")
                for row in self.rows]
        rows += [line(row, "td", ' class="last"') for row in self.last]
        return ('<div class="wide"><table><thead>'
                + line(self.header, "th") + "</thead><tbody>"
                + "\n".join(rows) + "</tbody></table></div>")


def chosen(subjects, key, size):
    return [s for s in subjects if (s.workload.key, s.size) == (key, size)]


def places_among(columns, subjects, is_counted, label):
    """A row: in each column, ours over the best of those who are counted."""
    row = [label]
    for _, key, size, metric in columns:
        mine = [s for s in chosen(subjects, key, size)
                if plan.is_ours(s.peer.name) or is_counted(s.peer)]
        found = None
        if not metric.endswith("_busy"):
            found = summary.ratio(mine, metric)
        row.append(f"{found[0]:.2f} ({found[1]})" if found else "")
    return row


def last_rows(columns, subjects):
    rows = [places_among(columns, subjects, lambda peer: not peer.is_bare,
                         "uvawait / best with tasks"),
            places_among(columns, subjects, lambda peer: True,
                         "uvawait / best of all")]
    if rows[0][1:] == rows[1][1:]:
        rows = [["uvawait / best other"] + rows[1][1:]]
    return [row for row in rows if any(row[1:])]


def grid(title, columns, subjects, missing):
    """columns: (heading, workload key, size, metric) each."""
    places = {(key, size) for _, key, size, _ in columns}
    names = dict.fromkeys(s.peer.name for s in subjects
                          if (s.workload.key, s.size) in places)
    rows = []
    for name in names:
        row = [name]
        for _, key, size, metric in columns:
            mine = [s for s in chosen(subjects, key, size)
                    if s.peer.name == name]
            row.append(cell(mine[0] if mine else None, metric))
        rows.append(row)
    rows += [[name] + ["missing"] * len(columns)
             for name in missing_in(missing, {c[1] for c in columns})]
    return Table(title, [""] + [c[0] for c in columns], rows,
                 last_rows(columns, subjects))


def missing_in(missing, keys):
    """The names of missing peers that have one of the workloads."""
    return [peer.name for peer in missing
            if any(key in keys for key in peer.workloads)]


HEADINGS = {"rate": "requests/s", "cpu_us": "CPU a request", "p99_us": "p99",
            "server_busy": "server busy", "load_busy": "load busy",
            "s": "beyond the last", "again_s": "once more",
            "bytes": "memory for each", "us": "beyond", "ns": "for each"}
SIZES = {"echo": "{:,} conn.", "sleep": "{:,} at once",
         "resp-get": "pipeline of {}", "resp-set": "pipeline of {}"}


def sizes_of(workload, subjects):
    """Those that were run; a quick run has smaller ones."""
    return sorted({s.size for s in subjects if s.workload == workload})


def titled(workload, size):
    """The title; a quick run, with other sizes, does not pass for a whole."""
    if size in workload.sizes:
        return workload.title
    return f"{workload.title} (only {size:,} at once)"


def tables_of(workload, subjects, missing):
    """One with a column for each metric; where there are several sizes and
    metrics one for each metric, with a column for each size."""
    sizes = sizes_of(workload, subjects)
    if len(sizes) == 1:
        columns = [(HEADINGS[metric], workload.key, sizes[0], metric)
                   for metric in workload.metrics]
        return [grid(titled(workload, sizes[0]), columns, subjects, missing)]
    out = []
    for metric in workload.metrics:
        columns = [(SIZES[workload.key].format(size), workload.key, size,
                    metric) for size in sizes]
        title = f"{workload.title}: {HEADINGS[metric]}"
        out.append(grid(title, columns, subjects, missing))
    return out


def tables(subjects, missing):
    """All of them; what grows is in the plots and the JSON only."""
    subjects = [subject for subject in subjects if not subject.growth]
    found = [w for w in plan.WORKLOADS
             if any(s.workload == w for s in subjects)]
    columns = [(w.key, w.key, sizes_of(w, subjects)[0], "ns")
               for w in found if w.group == "single"]
    out = []
    if columns:
        out.append(grid(SINGLE_TITLE, columns, subjects, missing))
    for workload in found:
        if workload.group != "single":
            out += tables_of(workload, subjects, missing)
    return out


def failures(subjects):
    """A line for each subject that failed or was not run."""
    lines = []
    for one in subjects:
        what = one.failure or one.skipped
        if what:
            how = "fails" if one.failure else "not run"
            lines.append(f"{one.peer.name}, {one.workload.key} of "
                         f"{one.size:,}: {how}: {what}")
    return lines


def missing_lines(missing):
    return [f"{peer.name} ({', '.join(peer.workloads)}): missing; Debian: "
            f"{peer.package}" for peer in missing]
