"""Running the subjects in turn, A B C A B C ..., and keeping what they say."""

import dataclasses
import os
import signal
import subprocess
import sys
import tempfile

import plan

# A subject that takes long is not run again once its runs have taken so many
# seconds together, but so many times in any case (as the harness's plan has it
# for costly subjects).
COSTLY_SECONDS = 60
COSTLY_RUNS = 3
LIMIT_SECONDS = 300
FILES = 1000
FILE_BYTES = 1024


@dataclasses.dataclass
class Subject:
    """A peer at a workload of one size."""
    workload: plan.Workload
    size: int
    peer: plan.Peer
    growth: bool = False
    samples: list = dataclasses.field(default_factory=list)
    failure: str = ""
    skipped: str = ""  # why it is not run here
    spent: float = 0.0

    @property
    def may_fail(self):
        return self.workload.key in self.peer.may_fail

    def is_finished(self, rounds):
        if self.failure or self.skipped or len(self.samples) >= rounds:
            return True
        return (self.spent > COSTLY_SECONDS
                and len(self.samples) >= COSTLY_RUNS)


class Wrong(Exception):
    """A run that was not as it must be."""


def operations_of(subject, is_quick):
    """How many operations a run has: enough to be measured, whole rounds."""
    size, wanted = subject.size, subject.workload.operations
    if subject.workload.key == "files":
        return wanted
    if is_quick:
        wanted //= 20
    wanted //= subject.peer.slow
    if subject.workload.key == "yield" and size > 2:
        wanted = max(wanted, 4 * size)
    return max(size, wanted // size * size)


def command_of(subject, places, is_quick):
    """The command line of a run."""
    peer, key, size = subject.peer, subject.workload.key, subject.size
    start = [places.fill(word) for word in peer.command]
    seconds = "0.3" if is_quick else "2"
    if key == "echo":
        return start + ["--connections", str(size), "--seconds", seconds]
    if peer.command[0] == "{bench}/servers":
        command = [start[0], "http", "--sample", start[1], "--build",
                   places.names["build"], "--seconds",
                   "1" if is_quick else "2"]
        if key.startswith("resp-"):
            command[1] = "resp"
            command += ["--test", key[len("resp-"):], "--pipeline", str(size)]
        return command
    name = dict(peer.alias).get(key, key)
    return start + [name, str(operations_of(subject, is_quick)), str(size)]


def parse(text):
    """The metrics that a run has printed."""
    sample = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) != 2:
            raise Wrong(f"printed '{line[:60]}'")
        try:
            sample[words[0]] = float(words[1])
        except ValueError:
            raise Wrong(f"printed '{line[:60]}'") from None
    return sample


def say_end(process, errors):
    lines = [line for line in errors.splitlines() if line.strip()]
    if process.returncode < 0:
        name = signal.Signals(-process.returncode).name
        lines.append(f"ended by {name}")
    return lines[-1].strip()[:120] if lines else "exit status " + str(
        process.returncode)


def run_command(command, environment):
    """Runs a command to its end; its metrics. Raises Wrong."""
    settings = dict(os.environ, **environment)
    with subprocess.Popen(command, env=settings, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE,
                          start_new_session=True) as process:
        try:
            output, errors = process.communicate(timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise Wrong(f"not ended after {LIMIT_SECONDS} s") from None
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode != 0:
        raise Wrong(say_end(process, errors))
    return parse(output)


def check_metrics(sample, metrics):
    missing = [name for name in metrics if name not in sample]
    if missing:
        raise Wrong("did not print " + ", ".join(missing))


def available_bytes():
    with open("/proc/meminfo", encoding="ascii") as info:
        for line in info:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 0


class Runner:
    """Runs what is planned. `clock` is time.monotonic."""

    def __init__(self, places, is_quick, clock):
        self.places = places
        self.is_quick = is_quick
        self.clock = clock
        self.directory = tempfile.TemporaryDirectory(prefix="bench-peers-")
        for i in range(FILES):
            path = os.path.join(self.directory.name, str(i))
            with open(path, "wb") as file:
                file.write(b"x" * FILE_BYTES)

    def close(self):
        self.directory.cleanup()

    def sample(self, subject):
        """One run. A failure is noted in the subject."""
        command = command_of(subject, self.places, self.is_quick)
        environment = dict(subject.peer.environment,
                           BENCH_FILES=self.directory.name)
        start = self.clock()
        try:
            sample = run_command(command, environment)
            check_metrics(sample, subject.workload.metrics)
            subject.samples.append(sample)
        except (Wrong, OSError) as wrong:
            subject.failure = str(wrong)
        subject.spent += self.clock() - start

    def fits(self, subject):
        """Whether it fits into the memory that is free now; if not, and it has
        never done so, it is noted as not run."""
        if subject.workload.group == "server":
            return True
        needed = subject.size * subject.peer.task_bytes
        free = available_bytes()
        if needed <= 0.8 * free:
            return True
        if not subject.samples:
            subject.skipped = (f"takes about {needed / 2**30:.0f} GiB of "
                               f"memory, {free / 2**30:.0f} are free")
        return False

    def turn(self, subjects, rounds_of, label):
        """One sample of each that is not finished."""
        for number, subject in enumerate(subjects):
            if subject.is_finished(rounds_of(subject)):
                continue
            progress(f"{label}, {number + 1} of {len(subjects)}: "
                     f"{subject.workload.key} {subject.size}, "
                     f"{subject.peer.name}")
            if self.fits(subject):
                self.sample(subject)
            if subject.failure and not subject.may_fail:
                complain(subject)

    def run(self, subjects, rounds_of, after_turn=lambda: None):
        """All of them in turn, `rounds_of(subject)` times each."""
        most = max((rounds_of(subject) for subject in subjects), default=0)
        for turn in range(most):
            label = f"round {turn + 1} of {most}"
            if not sys.stderr.isatty():
                print(label, file=sys.stderr, flush=True)
            self.turn(subjects, rounds_of, label)
            after_turn()
        progress("")


def progress(text):
    """In place on a terminal; a log gets a line for each round."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text[:100])
        sys.stderr.flush()


def complain(subject):
    progress("")
    print(f"compare: {subject.peer.name}, {subject.workload.key} "
          f"{subject.size}: {subject.failure}", file=sys.stderr)
