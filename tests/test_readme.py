"""Every code block of the documents does what it says."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    document: str
    kind: str
    text: str


def blocks() -> Iterator[Block]:
    for name in DOCUMENTS:
        for found in FENCE.finditer((ROOT / name).read_text()):
            yield Block(name, found[1], found[2])


BLOCKS = list(blocks())


def steps(block: Block) -> list[tuple[str, str]]:
    """Each command of a console block, and what it should print."""
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]
    return [(part.partition("\n")[0], part.partition("\n")[2]) for part in parts]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that looks like the project's, to run commands in."""
    for name in ("docs", "tests", "specs"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def file_of(block: Block) -> str | None:
    """The file that a block shows, named in its first line."""
    named = re.match(r"# (\w+\.(?:py|toml))\n", block.text)
    return named[1] if named and block.kind in {"python", "toml"} else None


@pytest.mark.parametrize(
    "block", [b for b in BLOCKS if b.kind == "console"], ids=lambda b: b.document
)
def test_console_blocks_print_what_they_show(block: Block, checkout: Path) -> None:
    for other in BLOCKS:
        if other.document == block.document and (name := file_of(other)):
            (checkout / name).write_text(other.text)
    commands = steps(block)
    assert commands
    for line, shown in commands:
        words = shlex.split(line)
        assert words[0] == "pamt"
        done = subprocess.run(
            [sys.executable, "-m", *words],
            capture_output=True,
            text=True,
            check=False,
            cwd=checkout,
        )
        assert done.returncode in (0, 1), done.stderr
        assert done.stdout == shown, line


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.kind == "sh"], ids=lambda b: b.document)
def test_shell_blocks_name_targets_that_exist(block: Block) -> None:
    # Run in full by .ci/run and by the demo's own test; a suite cannot run itself.
    for line in block.text.splitlines():
        words = shlex.split(line)
        done = subprocess.run(
            [words[0], "--dry-run", *words[1:]],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
        assert done.returncode == 0, done.stderr
        assert "python" in done.stdout or "demo" in done.stdout


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.kind == "toml"], ids=lambda b: b.document)
def test_toml_blocks_are_toml(block: Block) -> None:
    import tomllib

    assert tomllib.loads(block.text)


def test_no_block_is_left_out() -> None:
    assert {block.kind for block in BLOCKS} <= {"console", "python", "sh", "toml"}
    for block in BLOCKS:
        # Python is shown as a file, and the commands beside it run it.
        name = file_of(block)
        assert name or block.kind != "python"
        run = [b.text for b in BLOCKS if b.document == block.document and b.kind == "console"]
        assert name is None or any(name in text for text in run)
    assert [b.kind for b in BLOCKS if b.document == "README.md"] == ["console", "console", "sh"]


def test_the_failure_quoted_in_the_readme_is_the_log() -> None:
    log = (ROOT / "tests" / "corpus" / "logs" / "emr-fcp-issue135.txt").read_text()
    quoted = re.findall(r"^    (virt/tdx: .*)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert len(quoted) == 2
    assert all(line in log for line in quoted)


def test_the_demo_runs(tmp_path: Path) -> None:
    command = tmp_path / "pamt"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pamt "$@"\n')
    command.chmod(0o755)
    done = subprocess.run(
        ["bash", str(ROOT / "docs" / "demo.sh")],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", **_python_path()},
    )
    assert done.returncode == 0, done.stderr
    out = done.stdout
    assert (
        "virt/tdx: initialization failed: TDMR [0x0, 0x80000000): reserved areas exhausted." in out
    )
    assert "(-28)" in out
    assert "INFEASIBLE: " in out
    assert "1050644 KB" in out
    assert [f" {n}.  [0x" in out for n in (1, 17, 18)] == [True, True, False]


def _python_path() -> dict[str, str]:
    import os

    return {k: v for k, v in os.environ.items() if k in {"PYTHONPATH", "HOME"}}


@pytest.mark.parametrize(
    "block", [b for b in BLOCKS if b.kind == "python"], ids=lambda b: b.document
)
def test_python_blocks_are_short_and_whole(block: Block) -> None:
    compile(block.text, block.document, "exec")
    assert max(map(len, block.text.splitlines())) <= 100


def test_files_named_in_the_documents_exist() -> None:
    for name in DOCUMENTS:
        for quoted in re.findall(r"`([\w./-]+/[\w./-]+\.\w+)`", (ROOT / name).read_text()):
            if re.search("NAME|THEOREM", quoted):
                continue
            places = (ROOT / quoted, ROOT / "model" / "pamt" / quoted)
            assert any(place.exists() for place in places), f"{name}: {quoted}"
