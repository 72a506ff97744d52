"""What is compared: the workloads and the peers, as tables.

A peer is a program that is run as `COMMAND WORKLOAD OPERATIONS SIZE` and prints
lines "METRIC VALUE" (bench/peers/peer.h). What is not there is not left out in
silence: a peer says what it needs and which Debian package has that.
"""

import dataclasses
import os
import shutil

# How the metrics are called and written; the first of a workload is what its
# order goes by. Of a rate more is better, of everything else less.
UNITS = {
    "ns": "ns",
    "us": "µs",
    "s": "s",
    "again_s": "s",
    "bytes": "bytes",
    "rate": "requests/s",
    "cpu_us": "µs of CPU",
    "p99_us": "µs",
    "server_busy": "of a processor",
    "load_busy": "of a processor",
}

SERVER_METRICS = ("rate", "cpu_us", "p99_us", "server_busy", "load_busy")
GROWTH = (100, 1000, 10_000, 100_000, 1_000_000)


def is_more_better(metric):
    return metric == "rate"


@dataclasses.dataclass(frozen=True)
class Workload:
    key: str
    title: str
    about: str
    metrics: tuple = ("ns",)
    operations: int = 0
    sizes: tuple = (1,)
    group: str = "single"
    grows: str = ""  # run for the sizes of GROWTH as well: what is one of them


WORKLOADS = (
    Workload("yield", "Yield, two tasks in turn",
             "Two tasks that do nothing but give way to each other; for each "
             "yield.",
             operations=1_000_000, sizes=(2,), grows="yield"),
    Workload("spawn", "Spawn and await one",
             "A task is made, adds one to a sum, and is awaited; one after "
             "another.", operations=200_000),
    Workload("gather", "Spawn 1000 and gather",
             "A thousand tasks are made and then awaited together; for each "
             "task.", operations=200_000, sizes=(1000,), grows="task"),
    Workload("timeout", "Arm and disarm a timeout",
             "A timeout of a minute begins and is taken back at once.",
             operations=200_000),
    Workload("wait", "A wait",
             "A task waits for something that another one completes.",
             operations=200_000),
    Workload("wait-timeout", "A wait with a timeout that does not fire",
             "The same with a timeout of a minute around the wait.",
             operations=200_000),
    Workload("handoff", "Hand-off without a buffer",
             "Items go from one task to another through a channel without a "
             "place (tokio and asyncio have none: one place; Node: an async "
             "generator); for each item.", operations=200_000),
    Workload("queue", "A queue of 128",
             "Items go through a channel or queue with 128 places (Node: a "
             "stream of objects); for each item.", operations=500_000),
    Workload("semaphore", "100,000 workers, a semaphore of 100",
             "A hundred thousand tasks are made; each takes one of a hundred "
             "permits, yields once, and gives it back; for each worker.",
             operations=100_000, sizes=(100_000,), grows="worker"),
    Workload("sleep", "Sleeps of 10 ms",
             "So many tasks sleep for 10 ms at once; the time from the first "
             "spawn until all have ended, beyond the 10 ms.",
             metrics=("us",), sizes=(10, 100, 1000), group="sleep",
             grows="sleep"),
    Workload("million", "A million tasks asleep",
             "They sleep until moments spread over the second from 1 s to 2 s "
             "after the start. The most memory the process had, for each that "
             "was alive, the time until the last has ended beyond the last moment, and that "
             "time for a second million in the same process.",
             metrics=("s", "again_s", "bytes"), sizes=(1_000_000,),
             group="million"),
    Workload("files", "1000 small files",
             "Files of 1 KiB, cached, read whole; for each file.",
             operations=1000, group="files"),
    Workload("echo", "Echo over TCP, 64 bytes",
             "So many connections, each of which sends 64 bytes and waits "
             "until they are back. The server has processor 0, the load "
             "processor 1; with one connection both are on processor 0.",
             metrics=SERVER_METRICS, sizes=(1, 50, 1000), group="server"),
    Workload("http", "HTTP keep-alive, GET /hello",
             "wrk with 64 connections on processor 1, the server on "
             "processor 0.",
             metrics=SERVER_METRICS, sizes=(64,),
             group="server"),
    Workload("resp-get", "RESP, GET",
             "redis-benchmark with 50 connections on processor 1, pipelines "
             "of 1 and 16, the server on processor 0.",
             metrics=SERVER_METRICS, sizes=(1, 16),
             group="server"),
    Workload("resp-set", "RESP, SET",
             "The same with SET.",
             metrics=SERVER_METRICS, sizes=(1, 16),
             group="server"),
)

TASKS = ("yield", "spawn", "gather", "timeout", "wait", "wait-timeout",
         "handoff", "queue", "semaphore", "sleep", "million", "files")
THREADED = ("gather", "semaphore", "sleep", "million", "files")


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str
    # Of the programs: {build}, {peers}, {node}, {python} are filled in.
    command: tuple
    workloads: tuple
    package: str = ""  # Debian's, named when the peer is missing
    environment: tuple = ()
    slow: int = 1  # does so many times fewer operations
    task_bytes: int = 3000  # a sleeping task's, roughly: may it be run here?
    may_fail: tuple = ()  # workloads in which failing is what is shown
    alias: tuple = ()  # (workload, what the program calls it) ...
    note: str = ""
    is_bare: bool = False  # has no tasks: callbacks, contexts, loops
    grows: bool = True  # does the work of any number at once


def micro(name, program, workloads=TASKS, **rest):
    return Peer(name, tuple(program.split()), tuple(workloads), **rest)


def echo(name, program, **rest):
    """Through bench-echo, which has a name of its own for each server."""
    return Peer(name, ("{build}/bench/bench-echo", "--sample", program),
                ("echo",), **rest)


def serves(name, server, workloads, **rest):
    return Peer(name, ("{bench}/servers", server), workloads, **rest)


OURS = "uvawait"
RESP = ("resp-get", "resp-set")
GO = "golang-go"
TOKIO = "librust-tokio-dev cargo rustc"
HYPER = "librust-hyper-dev"
TOKIO_MICRO = "{build}/bench/tokio/target/release/micro"
FIBER = "{build}/bench/peer_fiber"

PEERS = (
    micro(OURS, "{build}/bench/peer_uvawait", task_bytes=6000),
    micro("libuv", "{build}/bench/peer_libuv",
          ("timeout", "sleep", "million", "files"), package="libuv1-dev",
          note="callbacks, no tasks; files: a job of the pool for each", is_bare=True),
    micro("libuv, uv_fs", "{build}/bench/peer_libuv", ("files",),
          alias=(("files", "files-steps"),), package="libuv1-dev",
          note="uv_fs_open, uv_fs_read and uv_fs_close", is_bare=True),
    micro("read(2) in a loop", "{build}/bench/peer_libuv", ("files",),
          alias=(("files", "files-loop"),), package="libuv1-dev",
          note="one after another, no threads", is_bare=True),
    micro("Boost.Context", "{build}/bench/peer_context", ("yield", "spawn"),
          package="libboost-context-dev g++",
          note="bare contexts, no scheduler; stacks without guards",
          is_bare=True, grows=False),
    micro("Boost.Fiber", FIBER,
          [w for w in TASKS if w not in ("timeout", "files")],
          package="libboost-fiber-dev g++", task_bytes=11000,
          note="stacks without guards"),
    micro("Boost.Fiber, guarded", FIBER, ("million",),
          package="libboost-fiber-dev g++", task_bytes=8500,
          environment=(("PEER_GUARDED", "1"),), may_fail=("million",),
          note="protected_fixedsize_stack"),
    micro("Go", "{build}/bench/peer_micro", package=GO, slow=2,
          environment=(("PEER_PROCS", "1"),), note="GOMAXPROCS=1"),
    micro("Go, all processors", "{build}/bench/peer_micro", THREADED,
          package=GO, slow=2, note="as Go is by default"),
    micro("tokio", TOKIO_MICRO, package=TOKIO, slow=2,
          note="current_thread"),
    micro("tokio, threads", TOKIO_MICRO, THREADED, package=TOKIO, slow=2,
          environment=(("PEER_THREADS", "1"),), note="multi_thread"),
    micro("Node", "{node} {peers}/micro.js", package="nodejs", slow=4),
    micro("asyncio", "{python} {peers}/micro.py", package="python3", slow=20),
    micro("uvloop", "{python} {peers}/micro.py", slow=20,
          package="python3-uvloop", environment=(("PEER_LOOP", "uvloop"),)),

    echo(OURS, "uvawait"),
    echo("libuv", "libuv callbacks", package="libuv1-dev",
         note="uv_try_write, one buffer for all", is_bare=True),
    echo("epoll by hand", "epoll by hand", is_bare=True),
    echo("Go", "Go", package=GO, note="GOMAXPROCS=1"),
    echo("tokio", "tokio", package=TOKIO, note="current_thread"),
    echo("Node", "Node", package="nodejs"),
    echo("asyncio", "asyncio", package="python3", note="streams"),
    echo("uvloop", "uvloop", package="python3-uvloop", note="streams"),

    serves("uvawait, http-server", "http-server", ("http",),
           package="node-llhttp libjansson-dev"),
    serves("nginx", "nginx", ("http",), package="nginx-light",
           note="one worker, no log"),
    serves("Go net/http", "Go", ("http",), package=GO, note="GOMAXPROCS=1"),
    serves("hyper", "hyper", ("http",), package=TOKIO + " " + HYPER,
           note="current_thread"),
    serves("Node http", "Node", ("http",), package="nodejs"),
    serves("uvawait, resp-server", "resp-server", RESP,
           package="uthash-dev"),
    serves("redis-server", "redis-server", RESP, package="redis-server",
           note="nothing saved"),
)

# Beside the programs of the tables: what makes the load.
LOADS = {"http": ("wrk", "wrk"),
         "resp-get": ("redis-benchmark", "redis-tools"),
         "resp-set": ("redis-benchmark", "redis-tools")}

# What a server of bench/servers is: a command, or a path in the build.
SERVER_PROGRAMS = {
    "http-server": "{build}/docs/examples/http-server/http-server",
    "resp-server": "{build}/docs/examples/resp-server/resp-server",
    "nginx": "nginx",
    "Go": "{build}/bench/peer_http",
    "hyper": "{build}/bench/tokio/target/release/http",
    "Node": "{node}",
    "redis-server": "redis-server",
}
ECHO_PROGRAMS = {
    "uvawait": "{build}/bench/echo_server_uva",
    "libuv callbacks": "{build}/bench/echo_server_uv",
    "epoll by hand": "{build}/bench/echo_server_epoll",
    "Go": "{build}/bench/peer_echo",
    "tokio": "{build}/bench/tokio/target/release/echo",
    "Node": "{node}",
    "asyncio": "{python}",
    "uvloop": "{python}",
}


def is_ours(name):
    return name.startswith(OURS)


def have_uvloop(python):
    return os.system(f"'{python}' -c 'import uvloop' 2>/dev/null") == 0


class Places:
    """Where the programs are."""

    def __init__(self, build):
        bench = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        python = "/usr/bin/python3"
        self.names = {
            "bench": bench,
            "peers": os.path.join(bench, "peers"),
            "build": os.path.abspath(build),
            "node": shutil.which("node") or shutil.which("nodejs") or "node",
            "python": python if os.access(python, os.X_OK) else "python3",
        }

    def fill(self, text):
        return text.format(**self.names)

    def has(self, program):
        return shutil.which(self.fill(program)) is not None

    def programs(self, peer):
        """What must be there for the peer to run."""
        if "echo" in peer.workloads:
            return [peer.command[0], ECHO_PROGRAMS[peer.command[2]]]
        if peer.command[0] == "{bench}/servers":
            loads = [LOADS[w][0] for w in peer.workloads]
            return [SERVER_PROGRAMS[peer.command[1]]] + loads
        return [peer.command[0]]

    def is_missing(self, peer):
        if not all(self.has(program) for program in self.programs(peer)):
            return True
        return ("uvloop" in peer.package
                and not have_uvloop(self.names["python"]))
