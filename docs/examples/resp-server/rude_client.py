#!/usr/bin/env python3
"""Clients that redis-cli is not: they trickle, stall, go away, talk nonsense.

    rude_client.py PORT TEST...

Each test is a function below; "N passed, M failed" at the end. `limits` and
`stalling` want a server with the options that test.sh gives it.
"""
import os
import re
import signal
import socket
import struct
import sys
import threading
import time

port = int(sys.argv[1])
passed = failed = 0


def check(name, got, wanted):
    global passed, failed
    if got == wanted:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {name}: got {got!r:.200}, wanted {wanted!r:.200}")


def connect():
    client = socket.create_connection(("127.0.0.1", port), timeout=20)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def command(*words):
    """As a client sends it."""
    words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    return b"*%d\r\n" % len(words) + b"".join(
        b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def bulk(data):
    return b"$%d\r\n%s\r\n" % (len(data), data)


def receive(client, count):
    """So many bytes, or what there was to the end; None after a reset."""
    data = bytearray()
    try:
        while len(data) < count:
            some = client.recv(min(1 << 20, count - len(data)))
            if not some:
                break
            data += some
    except ConnectionResetError:
        return None
    return bytes(data)


def rest(client):
    return receive(client, 1 << 40)


def ask(client, *words):
    """One command whose reply is one line, or a bulk string."""
    client.sendall(command(*words))
    line = b""
    while not line.endswith(b"\r\n"):
        some = client.recv(1)
        if not some:
            return line
        line += some
    if line[:1] == b"$" and line != b"$-1\r\n":
        return receive(client, int(line[1:]) + 2)[:-2]
    return line


def clients(client):
    return int(re.search(rb"connected_clients:(\d+)",
                         ask(client, "INFO"))[1])


def wait_for(what, seconds=10):
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        time.sleep(0.02)
    return what()


def binary():
    client = connect()
    value = bytes(range(256)) * 3 + b"\r\n\0\r\n"
    key = b"\0\r\n*1\r\n$4\r\n\xff"
    check("set bytes", ask(client, "SET", key, value), b"+OK\r\n")
    check("get bytes", ask(client, "GET", key), value)
    check("part of a key", ask(client, "GET", b"\0"), b"$-1\r\n")
    check("empty key, empty value", ask(client, "SET", "", ""), b"+OK\r\n")
    check("empty value", ask(client, "GET", ""), b"")
    big = os.urandom(1 << 20)
    check("set 1 MB", ask(client, "SET", "big", big), b"+OK\r\n")
    check("get 1 MB", ask(client, "GET", "big") == big, True)
    check("small again", ask(client, "SET", "big", "x"), b"+OK\r\n")
    check("small", ask(client, "GET", "big"), b"x")
    check("the echo of a NUL", ask(client, "ECHO", b"a\0b"), b"a\0b")
    check("the echo of an error", ask(client, b"a\r\nb\0c"),
          b"-ERR unknown command 'a  b'\r\n")
    client.close()


def batch():
    """Requests of every kind, and their replies."""
    sent, wanted = b"", b""
    for i in range(50):
        key, value = f"batch:{i}", b"v" * i + b"\r\n\0"
        sent += command("SET", key, value) + command("GET", key)
        sent += b"PING\r\n" + b"\r\n" + b"*0\r\n" + command("DEL", key)
        sent += b'ECHO "a b"\n' + command("NONE")
        wanted += b"+OK\r\n" + bulk(value) + b"+PONG\r\n" + b":1\r\n"
        wanted += bulk(b"a b") + b"-ERR unknown command 'NONE'\r\n"
    return sent, wanted


def pipelined():
    sent, wanted = batch()
    client = connect()
    client.sendall(sent)
    check("a batch at once", receive(client, len(wanted)), wanted)
    for i in range(0, len(sent)):
        client.sendall(sent[i:i + 1])
    check("a batch byte by byte", receive(client, len(wanted)), wanted)
    for size in (2, 7, 1023, 1024, 1025):
        for i in range(0, len(sent), size):
            client.sendall(sent[i:i + size])
        check(f"in pieces of {size}", receive(client, len(wanted)), wanted)
    client.sendall(sent)
    client.shutdown(socket.SHUT_WR)
    check("a batch and the end", rest(client), wanted)
    client.close()


def long_pipeline():
    """More replies than fit anywhere: the server has to wait for us."""
    client = connect()
    value = b"x" * 10000
    ask(client, "SET", "long", value)
    sender = threading.Thread(
        target=lambda: client.sendall(command("GET", "long") * 5000))
    sender.start()
    time.sleep(0.3)
    other = connect()
    check("another one meanwhile", ask(other, "PING"), b"+PONG\r\n")
    other.close()
    wanted = bulk(value) * 5000
    check("5000 replies of 10 KB", receive(client, len(wanted)) == wanted,
          True)
    sender.join()
    client.close()


def nonsense():
    error = b"-ERR Protocol error: "
    cases = {
        "no number": (b"*x\r\n", b"Bad multi-bulk length"),
        "a negative length": (b"*1\r\n$-5\r\n",
                              b"Bulk string length out of range"),
        "nil": (b"*1\r\n$-1\r\n", b"invalid bulk length"),
        "an integer": (b"*1\r\n:1\r\n", b"expected '$'"),
        "a status": (b"*1\r\n+OK\r\n", b"expected '$'"),
        "an array": (b"*1\r\n*1\r\n$4\r\nPING\r\n", b"expected '$'"),
        "no type": (b"*1\r\nPING\r\n",
                    b'Protocol error, got "P" as reply type byte'),
        "too many": (b"*1048577\r\n", b"invalid multibulk length"),
        "too many for a number": (b"*99999999999999999999\r\n",
                                  b"Bad multi-bulk length"),
        "a long count": (b"*" + b"1" * 100, b"too big count or length"),
        "a long length": (b"*1\r\n$" + b"1" * 100,
                          b"too big count or length"),
        "quotes": (b'GET "a\r\n', b"unbalanced quotes in request"),
        "a long line": (b"x" * 70000, b"too big inline request"),
    }
    for name, (sent, wanted) in cases.items():
        client = connect()
        client.sendall(command("PING") + sent)
        got = rest(client)
        check(name, got, b"+PONG\r\n" + error + wanted + b"\r\n")
        client.close()
    client = connect()
    noise = bytes(range(255, 0, -1)).replace(b'"', b"").replace(b"'", b"")
    client.sendall(noise + b"\n")
    check("noise", receive(client, 20), b"-ERR unknown command")
    client.close()


def resets():
    other = connect()
    before = clients(other)
    pieces = [b"", b"*2\r\n", b"*2\r\n$3\r\nGE", command("GET", "a")[:-1],
              command("GET", "a") * 100]
    for i in range(300):
        client = connect()
        client.sendall(pieces[i % len(pieces)])
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                          struct.pack("ii", 1, 0))
        client.close()
    check("all are gone", wait_for(lambda: clients(other) == before), True)
    other.close()


def counting():
    """Many clients count at the same time."""
    def count():
        client = connect()
        client.sendall(command("INCR", "counter") * 500)
        data = b""
        while data.count(b"\n") < 500:
            data += client.recv(65536)
        client.close()
    threads = [threading.Thread(target=count) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client = connect()
    check("10 times 500", ask(client, "GET", "counter"), b"5000")
    client.close()


def scan(client, *words, between=lambda: None):
    cursor, keys = b"0", []
    while True:
        client.sendall(command("SCAN", cursor, *words))
        line = client.makefile("rb", 0)
        line.readline()
        line.readline()
        cursor = line.readline()[:-2]
        for _ in range(int(line.readline()[1:])):
            keys.append(receive(client, int(line.readline()[1:]) + 2)[:-2])
        between()
        if cursor == b"0":
            return keys


def scanning():
    """Every key that is there all the time is found, however the table
    grows."""
    client = connect()
    ask(client, "SELECT", 5)
    for i in range(300):
        ask(client, "SET", f"old:{i}", i)
    added = iter(range(2000))

    def add():
        for _, i in zip(range(100), added):
            ask(client, "SET", f"new:{i}", "")
    found = scan(client, "MATCH", "old:*", between=add)
    check("all are found", len(set(found)), 300)
    check("by count", len(set(scan(client, "COUNT", 1000))) >= 300, True)
    ask(client, "FLUSHDB")
    check("none are found", scan(client), [])
    client.close()


def expiring():
    client = connect()
    ask(client, "SELECT", 6)
    client.sendall(b"".join(command("SET", f"e:{i}", i, "PX", 700)
                            for i in range(2000)))
    receive(client, 2000 * 5)
    ask(client, "SET", "stays", 1, "EX", 100)
    check("they are there", ask(client, "DBSIZE"), b":2001\r\n")
    gone = wait_for(lambda: ask(client, "DBSIZE") == b":1\r\n")
    check("swept, though nobody asked for them", gone, True)
    check("not too early", ask(client, "GET", "stays"), b"1")
    client.close()


def limits():
    client = connect()
    client.sendall(command("SET", "k", b"x" * 1000))
    check("a value of 1000", receive(client, 5), b"+OK\r\n")
    check("appended to", ask(client, "APPEND", "k", "y"),
          b"-ERR string exceeds maximum allowed size\r\n")
    for name, sent, wanted in (
            ("a value of 1001", command("SET", "k", b"x" * 1001), b"bulk"),
            ("a value without end", b"*1\r\n$99999999\r\n" + b"x" * 2000,
             b"bulk"),
            ("11 arguments", command(*range(11)), b"multibulk"),
            ("3001 bytes", command(*[b"x" * 800] * 4), b"request")):
        rude = connect()
        rude.sendall(sent)
        got = rest(rude)
        check(name, (got or b"").startswith(b"-ERR Protocol error: ") and
              wanted in got, True)
        rude.close()
    crowd = [connect() for _ in range(3)]
    check("4 at once", [ask(c, "PING") for c in crowd], [b"+PONG\r\n"] * 3)
    fifth = connect()
    fifth.sendall(command("PING"))
    fifth.settimeout(0.2)
    try:
        check("the fifth waits", fifth.recv(1), "nothing")
    except socket.timeout:
        check("the fifth waits", True, True)
    crowd.pop().close()
    fifth.settimeout(20)
    check("the fifth's turn", receive(fifth, 7), b"+PONG\r\n")
    for other in crowd + [client, fifth]:
        other.close()


def stalling():
    """Each is dropped, however far it came; one that moves is not."""
    ask(connect(), "SET", "k", b"x" * 900)
    stalled = [connect() for _ in range(3)]
    stalled[1].sendall(b"*2\r\n$3\r\nGET\r\n$")
    deaf = connect()
    deaf.settimeout(None)

    def shout():
        try:
            while True:
                deaf.sendall(command("GET", "k") * 1000)
        except OSError:
            pass
    shouting = threading.Thread(target=shout)
    shouting.start()
    slow = connect()
    for byte in command("PING"):
        slow.sendall(bytes([byte]))
        time.sleep(0.1)
    check("a slow one", receive(slow, 7), b"+PONG\r\n")
    check("silent ones", [rest(s) for s in stalled], [b""] * 3)
    shouting.join(20)
    check("one that does not listen", shouting.is_alive(), False)
    slow.close()


def exhausting():
    """Until there is no more memory; the server has a limit of it."""
    value, answers = os.urandom(15 << 20), []
    for i in range(100):
        client = connect()
        try:
            answers.append(ask(client, "SET", f"large:{i}", value)[:4])
        except OSError:
            answers.append(b"")
        client.close()
    check("there was memory", answers[0], b"+OK\r")
    check("then not", answers[-1] in (b"-OOM", b""), True)
    client = connect()
    check("the first is kept", ask(client, "STRLEN", "large:0"),
          b":%d\r\n" % len(value))
    check("flushed", ask(client, "FLUSHALL"), b"+OK\r\n")
    check("memory again", ask(client, "SET", "a", value), b"+OK\r\n")
    client.close()


def stopping():
    """PORT's server is the process of $SERVER: it is stopped."""
    server = int(os.environ["SERVER"])
    idle, busy = connect(), connect()
    check("one", ask(idle, "PING"), b"+PONG\r\n")
    half = command("SET", "a", "b")
    busy.sendall(command("PING") + half[:-3])
    check("the other", receive(busy, 7), b"+PONG\r\n")
    os.kill(server, signal.SIGTERM)
    check("the idle one's end", rest(idle), b"")
    try:
        connect().close()
        check("no more connections", False, True)
    except ConnectionRefusedError:
        check("no more connections", True, True)
    busy.sendall(half[-3:])
    check("the busy one's reply and end", rest(busy), b"+OK\r\n")


def stopping_twice():
    server = int(os.environ["SERVER"])
    idle, busy = connect(), connect()
    check("idle", ask(idle, "PING"), b"+PONG\r\n")
    busy.sendall(command("PING") + b"*1\r\n")
    check("busy", receive(busy, 7), b"+PONG\r\n")
    os.kill(server, signal.SIGTERM)
    check("stopping", rest(idle), b"")
    os.kill(server, signal.SIGTERM)
    check("cut off", rest(busy) in (b"", None), True)


for test in sys.argv[2:]:
    try:
        globals()[test]()
    except Exception as error:
        check(test, f"{type(error).__name__}: {error}", "no exception")
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
