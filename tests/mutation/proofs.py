"""Would the theorems notice if a stage function were wrong?  The mutants of `mutator`, asked of z3.

Every function that `tests/quality/test_proofs_mutants.py` names is changed in one place at a time,
and the theorem about it is asked again.  Prints the changes that no obligation notices; those
argued in survivors/proof.md, under names that begin with ``proof``, are counted apart.  Exit 1
below 95 % of the others, or where one that is argued is noticed or gone.

    PYTHONPATH=model python tests/mutation/proofs.py [words that the names must contain]
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType

from mutator import mutants

from pamt.prove import proofs_folder
from pamt.prove.mutation import Mutant, caught

HERE = Path(__file__).resolve().parent
WANTED = 0.95

sys.path.insert(0, str(HERE.parent / "quality"))
from test_proofs_mutants import STAGES  # noqa: E402


def changed(function: FunctionType) -> Iterator[Mutant]:
    """Every mutant of one function; the source is that of the function alone."""
    source = Path(function.__code__.co_filename).read_text()
    for mutant in mutants("proof", source):
        if mutant.function == function.__name__:
            text = ast.unparse(mutant.tree.body[-1])
            yield Mutant(mutant.name, text)


def argued() -> set[str]:
    lines = (HERE / "survivors" / "proof.md").read_text().splitlines()
    return {line.strip() for line in lines if line.startswith("    proof ")}


def main(words: list[str]) -> int:
    noticed = 0
    unnoticed: list[str] = []
    for function, proof in STAGES.values():
        for mutant in changed(function):
            if not all(word in mutant.change for word in words):
                continue
            if caught(function, mutant, proofs_folder() / f"{proof}.py"):
                noticed += 1
            else:
                unnoticed.append(mutant.change)
                sys.stdout.write(f"not noticed: {mutant.change}\n")
                sys.stdout.flush()
    known = argued()
    left = [name for name in unnoticed if name not in known]
    stale = [] if words else sorted(known - set(unnoticed))
    total = noticed + len(left)
    sys.stdout.write(
        f"{noticed + len(unnoticed)} mutants of {len(STAGES)} functions: {noticed} noticed,"
        f" {len(unnoticed) - len(left)} argued, {len(left)} left;"
        f" {100 * noticed / max(1, total):.1f} % of those that change anything\n"
    )
    for name in stale:
        sys.stdout.write(f"argued, but noticed or gone: {name}\n")
    for name in left:
        sys.stdout.write(f"left: {name}\n")
    return 1 if stale or noticed < WANTED * total else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
