"""Would the tests notice if what everything rests on were wrong?

Changes one thing at a time in the modules of a target and runs the target's tests against it, in a
fork with the changed function in place, until the first failure or the time limit.  Prints the
changes that no test notices; those argued in survivors/ are counted apart.  Exit 1 where another
is left, or where one that is argued is now noticed or gone.

    python tests/mutation/run.py [TARGET] [--sample N] [--seed S] [words of the mutants' names]

Targets: ``checker`` (of certificates, and the cases of pages given up; the default), ``bounds``
(what certificates are checked with, over cuts and fillings; hours), ``kernel`` (the stages of
Linux), ``module`` (what TDH.SYS.CONFIG answers).

``--sample N`` judges N mutants of those that all words are part of, each set of N as likely as any
other; the same ones for the same ``--seed`` (0), as long as the sources stay as they are.  An
interrupt (SIGINT) ends the run with what is judged so far, and with exit 1.
"""

from __future__ import annotations

import argparse
import ast
import functools
import importlib
import os
import random
import resource
import select
import signal
import sys
import time
from collections.abc import Mapping
from math import ceil
from pathlib import Path
from types import FunctionType, MappingProxyType, ModuleType
from typing import NamedTuple

import pytest
from mutator import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = 100
TOO_RANDOM = "test_mutations_are_refused_or_true"
"""Whether it notices is chance; left out, so that what is noticed is noticed by design."""
ARGUED = Path(__file__).parent / "survivors"
SECONDS = 20.0
LONGER = 4
"""A mutant that takes so many times as long as the tests without a change counts as noticed."""
WAITING = 15
"""Seconds that pass for one of the processor, at most: the machine may have other work."""
MEMORY = 3 << 30
JOBS = int(os.environ.get("JOBS", "2"))


class Target(NamedTuple):
    """Modules by the name that their mutants bear, and the tests that are to notice them."""

    modules: Mapping[str, str]
    tests: tuple[str, ...]
    about: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """The test files that a module's mutants are run against; for the other modules: all."""


def _below(package: str, *modules: str) -> dict[str, str]:
    return {name: f"pamt.{package}.{name}" for name in modules}


CERTIFICATES = ("tests/unit/certificate",)
TARGETS = {
    "checker": Target(
        _below(
            "certificate",
            "filling",
            "choices",
            "sums",
            "relaxation",
            "check",
            "fault",
            "format",
            "withdrawal",
        ),
        CERTIFICATES,
        {
            "filling": ("test_filling", "test_sums"),
            "choices": ("test_choices", "test_filling", "test_sums"),
            "sums": ("test_sums", "test_corpus", "test_checker"),
            "relaxation": ("test_relaxation", "test_sums"),
            "check": ("test_checker", "test_corpus", "test_text"),
            "fault": ("test_fault",),
            "format": ("test_text", "test_corpus"),
            "withdrawal": ("test_withdrawal",),
        },
    ),
    "bounds": Target(
        _below(
            "certificate",
            "cut_bound",
            "fill_bound",
            "linked",
            "home_areas",
            "home_rooms",
            "near_home",
            "each_cut",
            "opened",
            "each_number",
            "together",
        ),
        CERTIFICATES,
        {
            "cut_bound": ("test_cut_bound",),
            "fill_bound": (
                "test_fill_bound",
                "test_linked",
                "test_home_areas",
                "test_home_rooms",
                "test_each_number",
            ),
            "linked": ("test_linked",),
            "home_areas": ("test_home_areas",),
            "home_rooms": ("test_home_rooms",),
            "near_home": ("test_near_home",),
            "each_cut": ("test_each_cut",),
            "opened": ("test_opened",),
            "each_number": ("test_each_number",),
            "together": ("test_together",),
        },
    ),
    "kernel": Target(
        _below("kernel", "memlist", "layout", "sizes", "contig", "areas", "construct"),
        (
            "tests/unit/kernel",
            "tests/conformance/test_kernel.py",
            "tests/law/test_areas.py",
            "tests/law/test_construct.py",
            "tests/law/test_contig.py",
        ),
    ),
    "module": Target(
        {
            **_below("module", "accept", "cmr", "words", "call", "status"),
            **_below("module.rules", "convertible", "operands", "overlaps", "reserved", "tdmr"),
            "walk": "pamt.module.config",
            "judge": "pamt.module.check",
            "rules.cmr": "pamt.module.rules.cmr",
            "rules.pamt": "pamt.module.rules.pamt",
        },
        (
            "tests/unit/module",
            "tests/conformance/test_module.py",
            "tests/law/test_module_accept.py",
        ),
    ),
}


class Running(NamedTuple):
    mutant: Mutant
    child: int
    pipe: int
    until: float


class Mutate:
    """In the place of pytest's loop over the tests: the loop over mutants, each with all tests."""

    def __init__(self, target: Target, words: list[str], sample: int | None, seed: int) -> None:
        self.target = target
        self.words = words
        self.sample = sample
        self.seed = seed
        self.failed = False
        self.took: dict[str, float] = {}
        self.waiting: list[Mutant] = []
        self.seconds = SECONDS
        self.late: list[str] = []
        self.killed: dict[str, str] = {}
        self.survived: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.name != TOO_RANDOM]
        items.sort(key=_is_slow)
        for item in items:
            _quiet(item)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed = self.failed or report.failed
        self.took[report.nodeid] = self.took.get(report.nodeid, 0.0) + report.duration

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        began = time.process_time()
        if self.first_failure(session):
            raise pytest.UsageError("the tests fail without any change")
        self.seconds = max(SECONDS, LONGER * (time.process_time() - began))
        # What is noticed is the same in any order; the quick tests notice it sooner.
        session.items.sort(key=lambda item: self.took[item.nodeid])
        session.config.pluginmanager.unregister(name="terminalreporter")
        self.waiting = chosen(every_mutant(self.target, self.words), self.sample, self.seed)
        self.waiting.reverse()
        running: list[Running] = []
        try:
            while self.waiting or running:
                while self.waiting and len(running) < JOBS:
                    running.append(self.start(session, self.waiting.pop()))
                running = [one for one in running if not self.ended(one)]
                select.select([one.pipe for one in running], [], [], 0.05)
        finally:
            for one in running:
                self.waiting.append(one.mutant)
                os.kill(one.child, signal.SIGKILL)
                os.waitpid(one.child, 0)
        return True

    def first_failure(self, session: pytest.Session) -> str:
        for at, item in enumerate(session.items):
            following = session.items[at + 1] if at + 1 < len(session.items) else None
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.failed:
                return item.nodeid
        return ""

    def start(self, session: pytest.Session, mutant: Mutant) -> Running:
        reads, writes = os.pipe()
        until = time.monotonic() + WAITING * self.seconds
        child = os.fork()
        if child:
            os.close(writes)
            return Running(mutant, child, reads, until)
        found = "breaks the run"
        try:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            # Of the processor: what no test notices must not look as if it never ended.
            resource.setrlimit(resource.RLIMIT_CPU, (ceil(self.seconds), ceil(self.seconds) + 1))
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.dup2(1, 2)
            install(mutant, self.target)
            about = self.target.about.get(mutant.file, ("test_",))
            session.items = [i for i in session.items if i.path.stem.startswith(about)]
            found = self.first_failure(session)
        finally:
            os.write(writes, (found or "-").encode())
            os._exit(0)

    def ended(self, one: Running) -> bool:
        """Whether a mutant is judged."""
        late = time.monotonic() > one.until
        if late:
            os.kill(one.child, signal.SIGKILL)
        elif not select.select([one.pipe], [], [], 0)[0]:
            return False
        found = "" if late else os.read(one.pipe, 4096).decode()
        # Nothing comes from a process that was killed at its limit.
        late = not found
        os.close(one.pipe)
        os.waitpid(one.child, 0)
        if found == "-":
            self.survived.append(one.mutant.name)
            print(f"\nsurvives: {one.mutant.name}", flush=True)
        else:
            self.killed[one.mutant.name] = found or "takes too long"
        if late:
            self.late.append(one.mutant.name)
        return True


def _is_slow(item: pytest.Item) -> bool:
    return hasattr(getattr(item, "obj", None), "hypothesis")


def _quiet(item: pytest.Item) -> None:
    """The same examples in every run; nothing shrunk, nothing remembered."""
    # Not at the top: pytest wants to be there before hypothesis is imported.
    from hypothesis import Phase, settings

    test = getattr(item, "obj", None)
    if _is_slow(item):
        test._hypothesis_internal_use_settings = settings(
            test._hypothesis_internal_use_settings,
            database=None,
            max_examples=EXAMPLES,
            derandomize=True,
            phases=(Phase.explicit, Phase.generate),
        )


def every_mutant(target: Target, words: list[str]) -> list[Mutant]:
    found: list[Mutant] = []
    for name, module in target.modules.items():
        source = (ROOT / "model" / f"{module.replace('.', '/')}.py").read_text()
        found += [m for m in mutants(name, source) if all(w in m.name for w in words)]
    return found


def chosen(found: list[Mutant], sample: int | None, seed: int) -> list[Mutant]:
    """`sample` of the mutants, in any order, so that what an interrupt leaves is a sample, too."""
    if sample is None:
        return found
    return random.Random(seed).sample(found, min(sample, len(found)))


def install(mutant: Mutant, target: Target) -> None:
    """Give the function the changed code; all who hold the function have it then."""
    module = importlib.import_module(target.modules[mutant.file])
    for node in ast.walk(mutant.tree):
        if isinstance(node, ast.FunctionDef):
            node.decorator_list = [d for d in node.decorator_list if not _registers(d)]
    space: dict[str, object] = {}
    exec(compile(mutant.tree, f"<{mutant.name}>", "exec"), module.__dict__, space)
    new = _function(space[mutant.function.rpartition(".")[2]])
    old = _function(_found(module, mutant.function))
    old.__code__ = new.__code__
    old.__defaults__ = new.__defaults__
    old.__kwdefaults__ = new.__kwdefaults__


def _registers(decorator: ast.expr) -> bool:
    """``@rule(...)``: the rule is known already."""
    return isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "rule"


def _found(module: ModuleType, qualified: str) -> object:
    at: object = module
    for name in qualified.split("."):
        at = vars(at)[name]
    return at


def _function(found: object) -> FunctionType:
    if isinstance(found, property):
        found = found.fget
    if isinstance(found, functools.cached_property):
        found = found.func
    assert isinstance(found, FunctionType)
    return found


def argued() -> set[str]:
    """The mutants that survivors/ speaks of: its lines that are indented code."""
    lines = [line for file in sorted(ARGUED.glob("*.md")) for line in file.read_text().splitlines()]
    return {line.strip() for line in lines if line.startswith("    ")}


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Would the tests notice?")
    parser.add_argument("--sample", type=int, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("words", nargs="*", metavar="[TARGET] WORD")
    asked = parser.parse_intermixed_args(words)
    words = asked.words
    os.chdir(ROOT)
    name = words.pop(0) if words and words[0] in TARGETS else "checker"
    target = TARGETS[name]
    plugin = Mutate(target, words, asked.sample, asked.seed)
    options = ["-q", "-p", "no:cacheprovider", "-o", "timeout=0", "-o", "addopts="]
    options += ["--import-mode=importlib", "--tb=no", *target.tests]
    code = pytest.main(options, plugins=[plugin])
    if not plugin.killed and not plugin.survived:
        print("nothing was judged")
        return int(code) or 1
    known = {mutant for mutant in argued() if mutant.split()[0] in target.modules}
    unknown = [mutant for mutant in plugin.survived if mutant not in known]
    whole = not words and asked.sample is None and not plugin.waiting
    stale = known - set(plugin.survived) if whole else known & set(plugin.killed)
    total = len(plugin.killed) + len(plugin.survived)
    print(f"\n{name}: {total} mutants: {len(plugin.killed)} killed,", end=" ")
    print(f"{len(plugin.survived) - len(unknown)} argued, {len(unknown)} left")
    for mutant in plugin.late:
        print(f"takes too long, counted as killed: {mutant}")
    for mutant in sorted(stale):
        print(f"argued, but killed or gone: {mutant}")
    for mutant in unknown:
        print(f"left: {mutant}")
    if plugin.waiting:
        print(f"interrupted: {len(plugin.waiting)} not judged")
    return 1 if unknown or stale or plugin.waiting else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
