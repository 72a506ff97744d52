"""What everything ran on, and what it was built with."""

import os
import platform
import re
import subprocess

# Name, and the command whose output has the version.
COMMANDS = (
    ("gcc", "gcc -dumpfullversion"),
    ("libuv", "pkg-config --modversion libuv"),
    ("Boost", "dpkg-query -W -f ${Version} libboost-dev"),
    ("Boost.Fiber", "dpkg-query -W -f ${Version} libboost-fiber-dev"),
    ("Go", "go version"),
    ("rustc", "/usr/bin/rustc --version"),
    ("tokio", "dpkg-query -W -f ${Version} librust-tokio-dev"),
    ("hyper", "dpkg-query -W -f ${Version} librust-hyper-dev"),
    ("Node", "{node} --version"),
    ("Python", "{python} --version"),
    ("uvloop", "dpkg-query -W -f ${Version} python3-uvloop"),
    ("nginx", "nginx -v"),
    ("redis-server", "redis-server --version"),
    ("wrk", "dpkg-query -W -f ${Version} wrk"),
)


def output_of(command):
    try:
        done = subprocess.run(command, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def version_of(command, places):
    words = [places.names.get(word[1:-1], word) for word in command.split()]
    found = re.search(r"\d+(\.\d+)+\S*", output_of(words))
    return found.group().rstrip(",") if found else ""


def versions(places):
    """Of what is installed."""
    all_of_them = ((name, version_of(c, places)) for name, c in COMMANDS)
    return {name: version for name, version in all_of_them if version}


def cpu():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def system():
    with open("/etc/os-release", encoding="utf-8") as release:
        for line in release:
            if line.startswith("PRETTY_NAME="):
                return line.split("=", 1)[1].strip().strip('"')
    return platform.system()


def build_flags(places):
    """Of the release preset, as CMake has them."""
    path = os.path.join(places.names["build"], "CMakeCache.txt")
    try:
        with open(path, encoding="utf-8") as cache:
            for line in cache:
                if line.startswith("CMAKE_C_FLAGS_RELEASE:"):
                    return line.split("=", 1)[1].strip()
    except OSError:
        pass
    return ""


def describe(places):
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    commit = output_of(["git", "-C", places.names["bench"], "describe",
                        "--always", "--dirty"])
    return {
        "cpu": cpu(),
        "processors": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": system() + ", " + platform.system() + " "
        + platform.release(),
        "flags": build_flags(places),
        "commit": commit,
        "versions": versions(places),
    }
