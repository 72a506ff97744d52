"""The comparison's own tests: a wrong program fails, a slow one is seen, a
missing one is named, and what is written says so."""

import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
import time
import unittest

import compare
import measure
import page
import plan
import plot
import summary
import table

BUILD = os.environ.get("BENCH_BUILD", compare.in_tree("build/release"))
YIELD = next(w for w in plan.WORKLOADS if w.key == "yield")
RESULT = {
    "command": "bench/run --peers", "started": "2026-01-01 00:00 UTC",
    "minutes": 1, "load": [0, 0], "rounds": 3, "growth_rounds": 3,
    "machine": {"cpu": "a cpu", "processors": 2, "memory_gib": 1,
                "system": "a system", "flags": "-O2", "commit": "abc",
                "versions": {"gcc": "1.2"}},
}


def shell(name, script, **rest):
    """A peer that is a line of shell: $1 is the operations, $2 the size."""
    return plan.Peer(name, ("sh", "-c", script), ("yield",), **rest)


def run(*peers, rounds=3):
    """Runs these at one workload; the subjects."""
    subjects = [measure.Subject(YIELD, 2, peer) for peer in peers]
    runner = measure.Runner(plan.Places(BUILD), True, time.monotonic)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            runner.run(subjects, lambda subject: rounds)
    finally:
        runner.close()
    return subjects


class Numbers(unittest.TestCase):
    def test_a_spread_has_the_unit_of_its_median(self):
        self.assertEqual(summary.with_spread(
            "ns", summary.Summary([20_000, 20_100, 20_200])),
            "20.1 ± 0.100 µs")
        self.assertEqual(summary.with_spread(
            "server_busy", summary.Summary([0.98, 0.99, 1.0])),
            "99.0 ± 1.00 %")
        self.assertEqual(summary.with_spread(
            "rate", summary.Summary([123456])), "123,456")

    def test_a_scale_has_at_least_three_tics(self):
        for least, most in ((1, 1e6), (3, 40), (120, 150)):
            found = plot.tics(least, most)
            self.assertGreaterEqual(len(found), 1 if most < 200 else 3)
            self.assertTrue(all(least <= tic <= most for tic in found))


class Running(unittest.TestCase):
    def test_metrics_are_read_in_each_round(self):
        good, = run(shell("uvawait", "echo ns 12.5"))
        self.assertEqual(good.samples, [{"ns": 12.5}] * 3)
        self.assertEqual(good.failure, "")

    def test_who_is_wrong_fails_with_its_words_and_is_not_run_again(self):
        wrong, good = run(
            shell("wrong", "echo ns 1; echo sum: 3 instead of 4 >&2; exit 1"),
            shell("good", "echo ns 2"))
        self.assertEqual(wrong.failure, "sum: 3 instead of 4")
        self.assertEqual(wrong.samples, [])
        self.assertEqual(len(good.samples), 3)

    def test_silence_chatter_and_a_crash_are_failures(self):
        silent, chatty, crashed, absent = run(
            shell("silent", "true"), shell("chatty", "echo hello there you"),
            shell("crashed", "kill -SEGV $$"),
            plan.Peer("absent", ("/nonexistent/peer",), ("yield",)))
        self.assertEqual(silent.failure, "did not print ns")
        self.assertIn("hello there you", chatty.failure)
        self.assertIn("SIGSEGV", crashed.failure)
        self.assertIn("No such file", absent.failure)

    def test_rounds_go_in_turn(self):
        with tempfile.NamedTemporaryFile("r") as log:
            run(shell("a", f"echo ns 1; echo a >>{log.name}"),
                shell("b", f"echo ns 1; echo b >>{log.name}"))
            self.assertEqual(log.read().split(), ["a", "b"] * 3)

    def test_what_takes_long_is_run_less_often_but_three_times(self):
        one = measure.Subject(YIELD, 2, shell("long", ""))
        one.spent = measure.COSTLY_SECONDS + 1
        one.samples = [{"ns": 1}] * 2
        self.assertFalse(one.is_finished(7))
        one.samples = [{"ns": 1}] * 3
        self.assertTrue(one.is_finished(7))

    def test_what_does_not_fit_into_memory_is_not_run(self):
        big, = run(shell("big", "echo ns 1", task_bytes=1 << 60))
        self.assertEqual(big.samples, [])
        self.assertIn("GiB", big.skipped)


class Seeing(unittest.TestCase):
    def test_a_slow_peer_is_seen(self):
        subjects = run(shell("uvawait", "echo ns 30"),
                       shell("quick", "echo ns 10"),
                       shell("slow", "echo ns 90"))
        found = summary.ratio(subjects, "ns")
        self.assertEqual(found, (3.0, "quick"))
        text = table.tables(subjects, [])[0].text()
        self.assertIn("3.00 (quick)", text)

    def test_of_a_rate_more_is_better(self):
        subjects = run(shell("uvawait", "echo ns 1; echo rate 50"),
                       shell("other", "echo ns 1; echo rate 100"),
                       shell("least", "echo ns 1; echo rate 10"))
        self.assertEqual(summary.ratio(subjects, "rate"), (0.5, "other"))

    def test_the_spread_is_that_of_the_samples(self):
        found = summary.Summary([10, 12, 11, 30, 11])
        self.assertEqual((found.median, found.mad, found.least, found.most),
                         (11, 1, 10, 30))


@unittest.skipUnless(shutil.which("gnuplot"), "gnuplot is not installed")
class Writing(unittest.TestCase):
    def setUp(self):
        self.subjects = run(shell("uvawait", "echo ns 3"),
                            shell("wrong", "echo '1 < 2' >&2; exit 1"))
        self.missing = [plan.Peer("nowhere", ("x",), ("yield",),
                                  package="some-package")]

    def test_who_is_missing_or_fails_is_named_everywhere(self):
        text = table.tables(self.subjects, self.missing)[0].text()
        markdown = compare.markdown(RESULT, self.subjects, self.missing)
        html = page.page(RESULT, self.subjects, self.missing)
        for written in (text, markdown, html):
            self.assertIn("nowhere", written)
            self.assertIn("missing", written)
            self.assertIn("fails", written)
        self.assertIn("some-package", markdown)
        self.assertIn("some-package", html)
        self.assertIn("1 &lt; 2", html)

    def test_the_page_needs_no_network_and_no_script(self):
        html = page.page(RESULT, self.subjects, self.missing)
        self.assertIn("<svg", html)
        self.assertNotIn("<script", html)
        self.assertNotIn("src=", html)
        self.assertNotRegex(html, r'href\s*=\s*"http')

    def test_the_json_gives_back_what_was_measured(self):
        go = next(p for p in plan.PEERS if p.name == "Go")
        subjects = [measure.Subject(YIELD, 2, go, samples=[{"ns": 4.0}])]
        data = json.loads(json.dumps(compare.to_json(RESULT, subjects, [go])))
        _, read, missing = compare.from_json(data)
        self.assertEqual(read, subjects)
        self.assertEqual(missing[0].name, "Go")


@unittest.skipUnless(shutil.which("gnuplot"), "gnuplot is not installed")
class Whole(unittest.TestCase):
    """All of it, with uvawait alone and only few operations."""

    @unittest.skipUnless(os.access(BUILD + "/bench/peer_uvawait", os.X_OK),
                         "peer_uvawait is not built")
    def test_uvawait_does_each_workload(self):
        with tempfile.TemporaryDirectory() as directory:
            def path(name):
                return os.path.join(directory, name)

            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                status = compare.main([
                    "--quick", "--peer", "uvawait", "--no-growth", "--build",
                    BUILD, "--only", "yield,spawn,gather,timeout,wait,"
                    "wait-timeout,handoff,queue,semaphore,sleep,files",
                    "--output", path("o.json"), "--page", path("o.html"),
                    "--markdown", path("o.md")])
            self.assertEqual(status, 0, out.getvalue())
            with open(path("o.json"), encoding="utf-8") as file:
                data = json.load(file)
            self.assertEqual({s["peer"] for s in data["subjects"]},
                             {"uvawait"})
            self.assertTrue(all(s["samples"] for s in data["subjects"]))

    def test_a_wrong_program_is_status_1(self):
        peers = plan.PEERS
        plan.PEERS = (shell("uvawait", "exit 3"),)
        try:
            with tempfile.TemporaryDirectory() as directory, \
                    contextlib.redirect_stderr(io.StringIO()), \
                    contextlib.redirect_stdout(io.StringIO()):
                status = compare.main([
                    "--quick", "--no-growth", "--only", "yield", "--output",
                    directory + "/o.json", "--page", directory + "/o.html",
                    "--markdown", directory + "/o.md"])
        finally:
            plan.PEERS = peers
        self.assertEqual(status, 1)


def main():
    result = unittest.main(exit=False, argv=[sys.argv[0]]).result
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
