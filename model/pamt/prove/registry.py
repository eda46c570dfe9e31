"""Finds and loads the theorem files: one file of ``proofs/`` is one theorem."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

import pamt
from pamt.prove.theorem import Theorem

__all__ = ["ProofFileError", "load_theorem", "load_theorems", "proofs_folder"]


class ProofFileError(Exception):
    """A theorem file is missing, cannot be run, or does not say what it should."""


def proofs_folder() -> Path:
    """Where the theorem files are: inside an installed package, or beside the source tree.

    Raises ProofFileError when there are none.
    """
    package = Path(pamt.__file__).resolve().parent
    for candidate in (package / "proofs", package.parent.parent / "proofs"):
        if any(candidate.glob("[!_]*.py")):
            return candidate
    raise ProofFileError("no theorem files: neither pamt/proofs nor a proofs folder beside model/")


def load_theorem(path: Path) -> Theorem:
    """The theorem of one file.  Raises ProofFileError when the file does not define it."""
    name = f"pamt_proofs.{path.stem}"
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise ProofFileError(f"{path}: not a Python file")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    try:
        specification.loader.exec_module(module)
    except Exception as error:
        raise ProofFileError(f"{path}: {type(error).__name__}: {error}") from error
    theorem = getattr(module, "THEOREM", None)
    if not isinstance(theorem, Theorem):
        raise ProofFileError(f"{path}: THEOREM is not a pamt.prove.Theorem")
    if theorem.name != path.stem:
        raise ProofFileError(f"{path}: the theorem calls itself {theorem.name}")
    if theorem.short.lower() != _short(path):
        raise ProofFileError(f"{path}: the theorem is called {theorem.short} for short")
    return theorem


def load_theorems(names: Sequence[str] = (), folder: Path | None = None) -> tuple[Theorem, ...]:
    """The named theorems, or all, in the order of the folder (t2 before t10).

    A name is a file's name (``t1_layout``) or what people call it (``T1``, any case).
    Raises ProofFileError for a name that no file answers to, listing those there are.
    """
    folder = proofs_folder() if folder is None else folder
    paths = sorted(folder.glob("[!_]*.py"), key=_order)
    chosen: list[Path] = [] if names else paths
    for name in names:
        found = [path for path in paths if name.lower() in (path.stem, _short(path))]
        if not found:
            there = ", ".join(path.stem for path in paths)
            raise ProofFileError(f"no theorem called {name}; there are: {there}")
        chosen.extend(path for path in found if path not in chosen)
    return tuple(load_theorem(path) for path in chosen)


def _short(path: Path) -> str:
    return path.stem.partition("_")[0]


def _order(path: Path) -> tuple[int, int, str]:
    head = _short(path)
    digits = head.lstrip("abcdefghijklmnopqrstuvwxyz")
    theorem_first = 0 if head.startswith("t") else 1
    return (theorem_first, int(digits) if digits.isdigit() else 0, path.stem)
