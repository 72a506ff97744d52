"""bench/run --peers: the same workloads on uvawait and on others, in turn.

Writes a table to standard output, all samples as JSON, and, where asked for, a
page with plots and the tables as markdown. The exit status is 1 when a program
was wrong.
"""

import argparse
import datetime
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time

import machine
import measure
import page
import plan
import table

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


def in_tree(path):
    """A path of ours, from wherever this was called."""
    return os.path.relpath(os.path.join(TOP, path))


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(
        prog="bench/run --peers", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true",
                        help="a look: one round, few operations")
    parser.add_argument("--rounds", type=int, metavar="N",
                        help="samples of each (7)")
    parser.add_argument("--growth-rounds", type=int, metavar="N",
                        help="samples of what is run over a number of items "
                        "(3)")
    parser.add_argument("--only", metavar="WORKLOAD[,...]",
                        help="of " + " ".join(w.key for w in plan.WORKLOADS))
    parser.add_argument("--peer", metavar="NAME[,...]",
                        help="only these peers, by the beginning of the name")
    parser.add_argument("--no-growth", action="store_true",
                        help="nothing over a number of items")
    parser.add_argument("--output", metavar="FILE",
                        default=in_tree("build/peers.json"), help="(build/peers.json)")
    parser.add_argument("--page", metavar="FILE",
                        help="the HTML page with plots (docs/benchmarks.html "
                        "after a whole run, else build/peers.html)")
    parser.add_argument("--markdown", metavar="FILE",
                        default=in_tree("build/peers.md"), help="(build/peers.md)")
    parser.add_argument("--from", dest="source", metavar="FILE",
                        help="runs nothing: tables and page of a JSON file")
    parser.add_argument("--build", default=in_tree("build/release"), metavar="DIR",
                        help="where the programs are (build/release)")
    options = parser.parse_args(arguments)
    if options.rounds is None:
        options.rounds = 1 if options.quick else 7
    if options.growth_rounds is None:
        options.growth_rounds = 1 if options.quick else 3
    options.is_whole = not (options.quick or options.only or options.peer
                            or options.no_growth)
    if options.page is None:
        options.page = in_tree("docs/benchmarks.html" if options.is_whole
                               else "build/peers.html")
    return options


# ---- what is to be run -------------------------------------------------------

def wanted_workloads(options):
    keys = options.only.split(",") if options.only else None
    known = [w.key for w in plan.WORKLOADS]
    for key in keys or []:
        if key not in known:
            sys.exit(f"compare: --only {key}: there is no such workload")
    return [w for w in plan.WORKLOADS if keys is None or w.key in keys]


def wanted_peers(options):
    if not options.peer:
        return list(plan.PEERS)
    starts = tuple(options.peer.split(","))
    peers = [p for p in plan.PEERS if p.name.startswith(starts)]
    if not peers:
        sys.exit(f"compare: --peer {options.peer}: nobody is called so")
    return peers


def sizes_of(workload, options):
    """Pairs of a size and whether it is one of those it grows over."""
    sizes = [(size, False) for size in workload.sizes]
    if workload.grows and not options.no_growth:
        sizes += [(size, True) for size in plan.GROWTH]
    if options.quick:
        sizes = [(min(size, 10_000), grows) for size, grows in sizes]
    return list(dict.fromkeys(sizes))


def make_subjects(options, peers):
    subjects = []
    for workload in wanted_workloads(options):
        for size, grows in sizes_of(workload, options):
            for peer in peers:
                if (workload.key in peer.workloads
                        and (peer.grows or not grows)):
                    subjects.append(
                        measure.Subject(workload, size, peer, grows))
    return subjects


# ---- the JSON file -----------------------------------------------------------

def to_json(result, subjects, missing):
    return dict(result, missing=[peer.name for peer in missing], subjects=[
        {"workload": s.workload.key, "size": s.size, "peer": s.peer.name,
         "growth": s.growth, "samples": s.samples, "failure": s.failure,
         "skipped": s.skipped} for s in subjects])


def from_json(data):
    """The result, subjects and missing peers of a file."""
    workloads = {w.key: w for w in plan.WORKLOADS}

    def peer_of(name, key):
        return next(p for p in plan.PEERS
                    if p.name == name and key in p.workloads)

    subjects = [measure.Subject(
        workloads[one["workload"]], one["size"],
        peer_of(one["peer"], one["workload"]), one["growth"], one["samples"],
        one["failure"], one["skipped"]) for one in data["subjects"]]
    missing = [p for p in plan.PEERS if p.name in data["missing"]]
    return data, subjects, missing


def write(path, text):
    directory = os.path.dirname(os.path.abspath(path))
    os.makedirs(directory, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


# ---- running -----------------------------------------------------------------

def linear_picture(places):
    """bench_linear's picture, as SVG: group and cancel of N, ours alone."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "linear.svg")
        done = subprocess.run(
            [places.fill("{build}/bench/bench_linear"), "--runs", "3",
             "--plot", path], stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            print("compare: bench_linear: " + done.stderr.strip()[-300:],
                  file=sys.stderr)
            return ""
        with open(path, encoding="utf-8") as file:
            return file.read()


def describe(options, places, start, load):
    return {
        "command": shlex.join(["bench/run", "--peers"] + sys.argv[1:]),
        "started": datetime.datetime.fromtimestamp(
            start, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "minutes": round((time.time() - start) / 60),
        "load": [load, os.getloadavg()[0]],
        "rounds": options.rounds,
        "growth_rounds": options.growth_rounds,
        "machine": machine.describe(places),
    }


def run(options):
    """Measures; result, subjects, missing peers. The file is written after each
    round, so that little is lost when a long run is cut off."""
    places = plan.Places(options.build)
    peers = wanted_peers(options)
    missing = [peer for peer in peers if places.is_missing(peer)]
    subjects = make_subjects(options, [p for p in peers if p not in missing])
    start, load = time.time(), os.getloadavg()[0]
    runner = measure.Runner(places, options.quick, time.monotonic)

    def save(linear=""):
        done = max((len(s.samples) for s in subjects), default=0)
        result = dict(describe(options, places, start, load), linear=linear,
                      rounds_done=done)
        write(options.output, json.dumps(
            to_json(result, subjects, missing), indent=1) + "\n")
        return result

    def rounds(subject):
        return options.growth_rounds if subject.growth else options.rounds

    try:
        runner.run(subjects, rounds, save)
    finally:
        runner.close()
    linear = linear_picture(places) if options.is_whole else ""
    return save(linear), subjects, missing


def markdown(result, subjects, missing):
    out = [one.markdown() for one in table.tables(subjects, missing)]
    notes = table.missing_lines(missing) + table.failures(subjects)
    return "\n".join(out) + "\n" + "".join(f"- {note}\n" for note in notes)


def report(options, result, subjects, missing):
    for one in table.tables(subjects, missing):
        print(one.text())
    for line in table.missing_lines(missing) + table.failures(subjects):
        print(line)
    write(options.markdown, markdown(result, subjects, missing))
    write(options.page, page.page(result, subjects, missing))
    print(f"\n{options.output}, {options.markdown}, {options.page}")


def main(arguments):
    options = parse_arguments(arguments)
    if options.source:
        with open(options.source, encoding="utf-8") as file:
            result, subjects, missing = from_json(json.load(file))
    else:
        result, subjects, missing = run(options)
    report(options, result, subjects, missing)
    wrong = [s for s in subjects if s.failure and not s.may_fail]
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
