"""Compares uvawait with CPython's asyncio on random programs; see README.md."""

import argparse
import difflib
import multiprocessing
import os
import subprocess
import sys

import generate
import language
import reference
from shrink import shrink

BATCH = 250          # programs in one process of the interpreter
MOST_SHRUNK = 3      # differences that are cut down and printed
OTHER_SEED = 10 ** 9  # from one attempt at a program to the next


def canonical(program, lines):
    """What both promise: of a strict program the order of all lines; of any
    other that within each task, at each moment."""
    if program.strict:
        return lines

    def moment_and_task(line):
        words = line.split(" ", 2)
        try:
            return int(words[0]), int(words[1])
        except (ValueError, IndexError):
            return 1 << 62, 0  # a report, a death, half a line

    return sorted(lines, key=moment_and_task)


def run_reference(program):
    """The log on asyncio; None for a program that is no use, because two
    timers fell on the same moment."""
    lines, tied = reference.run(program)
    if tied and not program.strict:
        return None
    return canonical(program, [" ".join(map(str, line)) for line in lines])


def run_once(interpreter, programs, seed):
    """What one process says: logs by name, of the programs that ended, and of
    the one that did not, if any; and why."""
    text = "".join(program.text() for program in programs)
    command = [interpreter] + ([str(seed)] if seed else [])
    why = ""
    try:
        done = subprocess.run(command, input=text, capture_output=True,
                              text=True, timeout=20 + len(programs) / 10)
        output = done.stdout
        if done.returncode != 0:
            why = f"died: status {done.returncode}: {done.stderr[-2000:]}"
    except subprocess.TimeoutExpired as expired:
        output = (expired.stdout or b"").decode()
        why = "died: it hung"
    logs, name, ended = {}, None, set()
    for line in output.splitlines():
        word, _, rest = line.partition(" ")
        if word == "program":
            name = rest
            logs[name] = []
        elif line == "run 0":
            ended.add(name)
        else:
            logs[name].append(line)
    return logs, ended, why


def run_interpreter(interpreter, programs, seed=0):
    """The logs on uvawait, by name. A program that kills the process, or hangs,
    has that in its log, and the rest is run without it."""
    logs = {}
    while programs:
        said, ended, why = run_once(interpreter, programs, seed)
        logs.update(said)
        left = [program for program in programs if program.name not in ended]
        if not left:
            break
        logs.setdefault(left[0].name, []).append(why or "died: no end")
        programs = left[1:]
    return logs


class Batch:
    """A stretch of programs, compared in one go."""

    def __init__(self, interpreter, strict, first, count):
        self.interpreter = interpreter
        self.strict = strict
        self.first = first
        self.count = count

    def make(self):
        programs, expected = [], {}
        for number in range(self.first, self.first + self.count):
            log, attempt = None, 0
            while log is None:
                seed = number + attempt * OTHER_SEED
                name = f"{'s' if self.strict else 't'}{seed}"
                program = generate.make(name, seed, self.strict)
                log = run_reference(program)
                attempt += 1
            programs.append(program)
            expected[name] = log
        return programs, expected

    def compare(self):
        """The programs that differ, each with the seed of the schedule."""
        programs, expected = self.make()
        differing = {}
        # In the order of the ready queue, and in a random one: what is compared
        # of a program that is not strict does not depend on it.
        seeds = [0] if self.strict else [0, 1 + self.first]
        for seed in seeds:
            logs = run_interpreter(self.interpreter, programs, seed)
            for program in programs:
                log = canonical(program, logs.get(program.name, []))
                if log != expected[program.name]:
                    differing.setdefault(program.name, (program, seed))
        return self.count, list(differing.values())


def compare_batch(batch):
    return batch.compare()


def differs(interpreter, program, seed):
    expected = run_reference(program)
    if expected is None:
        return False
    log = run_interpreter(interpreter, [program], seed).get(program.name, [])
    return canonical(program, log) != expected


def show(interpreter, program, seed):
    expected = run_reference(program)
    if expected is None:
        print("two timers fall on the same moment: nothing to compare")
        expected = []
    log = run_interpreter(interpreter, [program], seed).get(program.name, [])
    print(program.text())
    print("--- lines of asyncio, +++ of uvawait"
          + (f" (schedule_seed {seed})" if seed else ""))
    print("moment, task, operation, what came of it")
    for line in difflib.ndiff(expected, canonical(program, log)):
        if not line.startswith("?"):
            print(line)
    print()


def run_all(options):
    """Compares options.soak programs of either kind; returns the counts."""
    batches = [
        Batch(options.interpreter, strict, first,
              min(BATCH, options.soak + options.seed - first))
        for strict in (False, True)
        for first in range(options.seed, options.seed + options.soak, BATCH)]
    passed, failures = 0, []
    with multiprocessing.Pool(options.jobs) as pool:
        for count, differing in pool.imap(compare_batch, batches):
            passed += count - len(differing)
            failures.extend(differing)
    for program, seed in failures[:MOST_SHRUNK]:
        print(f"program {program.name} differs; cut down:")
        small = shrink(program, lambda candidate: differs(
            options.interpreter, candidate, seed))
        show(options.interpreter, small, seed)
    for program, _ in failures[MOST_SHRUNK:]:
        print(f"program {program.name} differs, too")
    return passed, len(failures)


def run_file(options):
    with open(options.program, encoding="ascii") as file:
        program = language.parse(file.read())
    show(options.interpreter, program, 0)
    failed = differs(options.interpreter, program, 0)
    return int(not failed), int(failed)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("interpreter", help="differential_interpret, as built")
    parser.add_argument("--soak", type=int, default=2000, metavar="N",
                        help="compare N programs of either kind (2000)")
    parser.add_argument("--seed", type=int, default=1, metavar="S",
                        help="the number of the first program (1)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(),
                        metavar="J", help="processes at once")
    parser.add_argument("--program", metavar="FILE",
                        help="compare this program and print both logs")
    options = parser.parse_args()
    options.interpreter = os.path.abspath(options.interpreter)
    passed, failed = (run_file if options.program else run_all)(options)
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
