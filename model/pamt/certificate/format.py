"""The certificate file: JSON, read strictly, written canonically.  See specs/certificate.md.

A proof is a list of steps; step 0 is its root, and every other step is named exactly once, by an
earlier one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pamt.certificate.cut_bound import ADDITIVE
from pamt.certificate.withdrawal import KINDS, MOST_CASES
from pamt.configuration import LEVELS
from pamt.placement import COMPONENTS, Space
from pamt.ranges import Range

__all__ = [
    "FORMAT",
    "Cause",
    "Certificate",
    "Claim",
    "Cuts",
    "Floor",
    "Malformed",
    "Placed",
    "Split",
    "Step",
    "Sum",
    "Trust",
    "Where",
    "Withdraw",
    "dump_certificate",
    "load_certificate",
]

FORMAT = "pamt-certificate/1"
VERDICTS = ("OPTIMAL", "FEASIBLE", "INFEASIBLE")
LARGEST = "largest"
"""As a piece: the 4K region of a TDMR, alone or in its chunk; under ``minimal`` the chunk."""
HEX = re.compile(r"0x[0-9a-fA-F]{1,16}")
MOST_BITS = 256
"""Of a number; far more than prices need."""
MOST_CASES_IN_ALL = 200_000
"""Cases of all steps of a certificate: what is short to write down must not take hours to check."""
PIECES = ("chunk", *LEVELS, LARGEST)


class Malformed(ValueError):
    """The text is no certificate: `path` says where, `expected` what should stand there."""

    def __init__(self, path: str, expected: str, found: object) -> None:
        super().__init__(f"{path}: expected {expected}, found {_brief(found)}")
        self.path = path
        self.expected = expected
        self.found = found


class Where(NamedTuple):
    """Stretches of free runs: those on a node, in a TDMR, of the run that starts at an address.

    None: any.  A piece counts where it begins.
    """

    node: int | None = None
    tdmr: int | None = None
    run: int | None = None
    """Bytes."""


class Cause(NamedTuple):
    """A cause seen in the map itself, by its kind (:class:`pamt.placement.TrivialCause`)."""

    kind: str


class Floor(NamedTuple):
    """A component of the objective can't be as low as the claim says, whatever is decided."""

    component: str


class Cuts(NamedTuple):
    """No cut into TDMRs costs as little, wherever PAMTs lie (:mod:`pamt.certificate.cut_bound`)."""

    order: tuple[str, ...]
    """Components that add up over TDMRs, in the order in which they are compared."""


class Split(NamedTuple):
    """Two cases: of these pieces, at most `at_most` begin in `where` (step `low`), or more."""

    tdmrs: tuple[int, ...]
    piece: str
    where: Where
    at_most: int
    low: int
    high: int


class Sum(NamedTuple):
    """A weighted sum of conditions that cannot all hold."""

    values: Mapping[int, int]
    """TDMR: what placing its chunk is worth.  Those left out: 0."""
    regions: Mapping[int, tuple[int, int, int]]
    """TDMR: what placing each of its separate regions is worth."""
    areas: Mapping[int, int]
    """TDMR: price of one of its reserved areas."""
    remote: int = 0
    """Price of one unit of `remote`."""
    total: int = 0
    """Price of any reserved area, besides."""
    cases: Mapping[int, int] = {}
    """Index of a case split above: price of its condition."""


class Trust(NamedTuple):
    """Nothing to check: a solver says so."""

    solver: str
    reason: str


class Withdraw(NamedTuple):
    """Whatever pages are given up: a proof for each case (:mod:`pamt.certificate.withdrawal`)."""

    kind: str
    proofs: tuple[tuple[Step, ...], ...]
    """Trees of steps, none of them of this kind."""
    cases: tuple[tuple[int, int], ...]
    """The cases in order: so many, and the number of the proof for each of them."""


Step = Cause | Cuts | Floor | Split | Sum | Trust | Withdraw


class Claim(NamedTuple):
    """No configuration has all of these components at most these values."""

    at_most: Mapping[str, int]
    steps: tuple[Step, ...]


class Placed(NamedTuple):
    """A configuration by its decisions alone, in bytes."""

    tdmrs: tuple[Range, ...]
    bases: tuple[tuple[int, int, int], ...]
    given_up: tuple[Range, ...] = ()


@dataclass(frozen=True)
class Certificate:
    verdict: str
    """OPTIMAL, FEASIBLE (with or without a bound), INFEASIBLE."""
    space: Space
    order: tuple[str, ...]
    placed: Placed | None = None
    value: Mapping[str, int] = field(default_factory=dict)
    """The objective of `placed`, by component."""
    bound: Mapping[str, int] = field(default_factory=dict)
    """FEASIBLE: what no configuration is below, lexicographically; a prefix of `order`, or {}."""
    claims: tuple[Claim, ...] = ()


def dump_certificate(certificate: Certificate) -> str:
    """The file's text; one text for one certificate."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "verdict": certificate.verdict,
        "space": dict(certificate.space._asdict()),
        "objective": list(certificate.order),
    }
    if certificate.placed is not None:
        placed = certificate.placed
        document["placed"] = {
            "tdmrs": [[hex(r.start), hex(r.size)] for r in placed.tdmrs],
            "bases": [[hex(base) for base in three] for three in placed.bases],
            "given_up": [[hex(r.start), hex(r.size)] for r in placed.given_up],
        }
        document["value"] = dict(certificate.value)
    if certificate.bound:
        document["bound"] = dict(certificate.bound)
    document["claims"] = [
        {"at_most": dict(claim.at_most), "steps": [_step_out(step) for step in claim.steps]}
        for claim in certificate.claims
    ]
    head = ",\n ".join(
        f"{json.dumps(key)}: {json.dumps(value)}"
        for key, value in document.items()
        if key != "claims"
    )
    claims = ",\n  ".join(_claim_text(claim) for claim in document["claims"])
    return f'{{{head},\n "claims": [{claims}]}}\n'


def _claim_text(claim: Mapping[str, Any]) -> str:
    steps = ",\n   ".join(json.dumps(step) for step in claim["steps"])
    return f'{{"at_most": {json.dumps(claim["at_most"])}, "steps": [\n   {steps}]}}'


def _step_out(step: Step) -> dict[str, Any]:
    if isinstance(step, Cause):
        return {"cause": step.kind}
    if isinstance(step, Floor):
        return {"floor": step.component}
    if isinstance(step, Cuts):
        return {"cuts": list(step.order)}
    if isinstance(step, Trust):
        return {"trust": step.solver, "reason": step.reason}
    if isinstance(step, Split):
        where: dict[str, Any] = {}
        if step.where.node is not None:
            where["node"] = step.where.node
        if step.where.tdmr is not None:
            where["tdmr"] = step.where.tdmr
        if step.where.run is not None:
            where["run"] = hex(step.where.run)
        out = {"split": list(step.tdmrs), "piece": step.piece, "where": where}
        return {**out, "at_most": step.at_most, "low": step.low, "high": step.high}
    if isinstance(step, Withdraw):
        proofs = [[_step_out(inner) for inner in proof] for proof in step.proofs]
        return {"withdraw": step.kind, "proofs": proofs, "cases": [list(c) for c in step.cases]}
    summed: dict[str, Any] = {"sum": _table(step.values)}
    if step.regions:
        summed["regions"] = {str(t): list(v) for t, v in sorted(step.regions.items())}
    if step.areas:
        summed["areas"] = _table(step.areas)
    if step.remote:
        summed["remote"] = step.remote
    if step.total:
        summed["total"] = step.total
    if step.cases:
        summed["cases"] = _table(step.cases)
    return summed


def _table(values: Mapping[int, int]) -> dict[str, int]:
    return {str(key): value for key, value in sorted(values.items()) if value}


def load_certificate(text: str) -> Certificate:
    """Read a certificate file.  Raises Malformed."""
    try:
        document = json.loads(text, object_pairs_hook=_no_twins, parse_constant=_no_constant)
    except (json.JSONDecodeError, RecursionError, ValueError) as fault:
        if isinstance(fault, Malformed):
            raise
        raise Malformed("file", "JSON", str(fault)) from None
    top = _object(
        document,
        "file",
        ("format", "verdict", "space", "objective", "claims"),
        ("placed", "value", "bound"),
    )
    if top["format"] != FORMAT:
        raise Malformed("format", FORMAT, top["format"])
    verdict = _one_of(top["verdict"], "verdict", VERDICTS)
    order = tuple(
        _one_of(name, f"objective[{at}]", COMPONENTS)
        for at, name in enumerate(_list(top["objective"], "objective"))
    )
    if not order or len(set(order)) != len(order):
        raise Malformed("objective", "component names, each once", top["objective"])
    if (verdict == "INFEASIBLE") == ("placed" in top):
        raise Malformed("placed", "a configuration unless the verdict is INFEASIBLE", verdict)
    if ("placed" in top) != ("value" in top):
        raise Malformed("value", "the objective of what is placed, and only that", None)
    bound = _values(top.get("bound", {}), "bound")
    if bound and verdict != "FEASIBLE":
        raise Malformed("bound", "no bound unless the verdict is FEASIBLE", bound)
    if tuple(bound) != order[: len(bound)]:
        raise Malformed("bound", "components in the order of the objective", list(bound))
    claims = tuple(
        _claim(claim, f"claims[{at}]") for at, claim in enumerate(_list(top["claims"], "claims"))
    )
    listed = sum(
        many
        for claim in claims
        for step in claim.steps
        if isinstance(step, Withdraw)
        for many, _ in step.cases
    )
    if listed > MOST_CASES_IN_ALL:
        raise Malformed("claims", f"at most {MOST_CASES_IN_ALL} cases in all", listed)
    return Certificate(
        verdict,
        _space(top["space"]),
        order,
        _placed(top["placed"]) if "placed" in top else None,
        _values(top.get("value", {}), "value"),
        bound,
        claims,
    )


def _claim(value: object, path: str) -> Claim:
    table = _object(value, path, ("at_most", "steps"))
    return Claim(
        _values(table["at_most"], f"{path}.at_most"), _tree(table["steps"], f"{path}.steps")
    )


def _tree(value: object, path: str) -> tuple[Step, ...]:
    """Steps that form a tree: the first is the root, all others are named once, by earlier ones."""
    listed = _list(value, path)
    if not listed:
        raise Malformed(path, "at least one step", listed)
    steps = tuple(_step(step, f"{path}[{at}]") for at, step in enumerate(listed))
    named = [False] * len(steps)
    named[0] = True
    for at, step in enumerate(steps):
        if not isinstance(step, Split):
            continue
        for following in (step.low, step.high):
            if not at < following < len(steps) or named[following]:
                raise Malformed(f"{path}[{at}]", "later steps that no other step names", following)
            named[following] = True
    if not all(named):
        at = named.index(False)
        raise Malformed(f"{path}[{at}]", "a step that an earlier one names", at)
    return steps


def _step(value: object, path: str) -> Step:
    if not isinstance(value, dict):
        raise Malformed(path, "an object", value)
    if "cause" in value:
        return Cause(_text(_object(value, path, ("cause",))["cause"], path))
    if "floor" in value:
        return Floor(_one_of(_object(value, path, ("floor",))["floor"], path, COMPONENTS))
    if "cuts" in value:
        names = _list(_object(value, path, ("cuts",))["cuts"], path)
        order = tuple(_one_of(name, path, ADDITIVE) for name in names)
        if len(set(order)) != len(order):
            raise Malformed(path, "components, each once", names)
        return Cuts(order)
    if "trust" in value:
        table = _object(value, path, ("trust", "reason"))
        return Trust(_text(table["trust"], path), _text(table["reason"], path))
    if "split" in value:
        table = _object(value, path, ("split", "piece", "where", "at_most", "low", "high"))
        return Split(
            tuple(_count(t, path) for t in _list(table["split"], path)),
            _one_of(table["piece"], path, PIECES),
            _where(table["where"], path),
            _int(table["at_most"], path),
            _count(table["low"], path),
            _count(table["high"], path),
        )
    if "withdraw" in value:
        return _withdraw(value, path)
    table = _object(value, path, ("sum",), ("regions", "areas", "remote", "total", "cases"))
    regions: dict[int, tuple[int, int, int]] = {}
    for key, three in _object(table.get("regions", {}), path, None).items():
        listed = [_int(v, path) for v in _list(three, path)]
        if len(listed) != len(LEVELS):
            raise Malformed(path, "three values", three)
        regions[_key(key, path)] = (listed[0], listed[1], listed[2])
    return Sum(
        _numbers(table["sum"], path),
        regions,
        _numbers(table.get("areas", {}), path),
        _int(table.get("remote", 0), path),
        _int(table.get("total", 0), path),
        _numbers(table.get("cases", {}), path),
    )


def _withdraw(value: object, path: str) -> Withdraw:
    table = _object(value, path, ("withdraw", "proofs", "cases"))
    proofs: list[tuple[Step, ...]] = []
    for at, proof in enumerate(_list(table["proofs"], f"{path}.proofs")):
        steps = _tree(proof, f"{path}.proofs[{at}]")
        if any(isinstance(step, Withdraw) for step in steps):
            raise Malformed(f"{path}.proofs[{at}]", "no step of this kind inside another", proof)
        proofs.append(steps)
    cases: list[tuple[int, int]] = []
    for at, pair in enumerate(_list(table["cases"], f"{path}.cases")):
        both = [
            _count(number, f"{path}.cases[{at}]") for number in _list(pair, f"{path}.cases[{at}]")
        ]
        if len(both) != 2 or both[0] < 1 or both[1] >= len(proofs):
            raise Malformed(f"{path}.cases[{at}]", "how many, and the number of a proof", pair)
        cases.append((both[0], both[1]))
    if sum(many for many, _ in cases) > MOST_CASES:
        raise Malformed(f"{path}.cases", f"at most {MOST_CASES} cases", cases)
    return Withdraw(_one_of(table["withdraw"], path, KINDS), tuple(proofs), tuple(cases))


def _where(value: object, path: str) -> Where:
    table = _object(value, path, (), ("node", "tdmr", "run"))
    return Where(
        _count(table["node"], path) if "node" in table else None,
        _count(table["tdmr"], path) if "tdmr" in table else None,
        _address(table["run"], path) if "run" in table else None,
    )


def _placed(value: object) -> Placed:
    table = _object(value, "placed", ("tdmrs", "bases"), ("given_up",))
    bases: list[tuple[int, int, int]] = []
    for at, three in enumerate(_list(table["bases"], "placed.bases")):
        path = f"placed.bases[{at}]"
        listed = [_address(base, path) for base in _list(three, path)]
        if len(listed) != len(LEVELS):
            raise Malformed(path, "three addresses", three)
        bases.append((listed[0], listed[1], listed[2]))
    tdmrs = _ranges(table["tdmrs"], "placed.tdmrs")
    if len(tdmrs) != len(bases):
        raise Malformed("placed.bases", "as many as there are TDMRs", len(bases))
    return Placed(tdmrs, tuple(bases), _ranges(table.get("given_up", []), "placed.given_up"))


def _ranges(value: object, path: str) -> tuple[Range, ...]:
    found: list[Range] = []
    for at, pair in enumerate(_list(value, path)):
        both = [_address(number, f"{path}[{at}]") for number in _list(pair, f"{path}[{at}]")]
        if len(both) != 2:
            raise Malformed(f"{path}[{at}]", "base and size", pair)
        found.append(Range.sized(both[0], both[1]))
    return tuple(found)


def _space(value: object) -> Space:
    table = _object(value, "space", Space._fields)
    return Space(
        _one_of(table["tdmrs"], "space.tdmrs", ("kernel", "free")),  # type: ignore[arg-type]
        _one_of(table["pamt"], "space.pamt", ("chunk", "split")),  # type: ignore[arg-type]
        _one_of(table["reserve"], "space.reserve", ("memory", "cmr", "minimal")),  # type: ignore[arg-type]
        _count(table["give_up"], "space.give_up"),
    )


def _values(value: object, path: str) -> dict[str, int]:
    table = _object(value, path, None)
    for name, number in table.items():
        _one_of(name, path, COMPONENTS)
        _int(number, f"{path}.{name}")
    return table


def _numbers(value: object, path: str) -> dict[int, int]:
    table = _object(value, path, None)
    return {_key(key, path): _int(number, path) for key, number in table.items()}


def _object(
    value: object, path: str, needed: Sequence[str] | None, allowed: Sequence[str] = ()
) -> dict[str, Any]:
    """A JSON object; with `needed` None any keys may stand in it."""
    if not isinstance(value, dict):
        raise Malformed(path, "an object", value)
    if needed is not None:
        for key in needed:
            if key not in value:
                raise Malformed(path, f"the key {key!r}", list(value))
        for key in value:
            if key not in needed and key not in allowed:
                raise Malformed(path, "known keys only", key)
    return value


def _list(value: object, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise Malformed(path, "a list", value)
    return value


def _text(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise Malformed(path, "a text", value)
    return value


def _one_of(value: object, path: str, known: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in known:
        raise Malformed(path, f"one of {', '.join(known)}", value)
    return value


def _int(value: object, path: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Malformed(path, "an integer", value)
    if value.bit_length() > MOST_BITS:
        raise Malformed(
            path, f"an integer of at most {MOST_BITS} bits", f"{value.bit_length()} bits"
        )
    return value


def _count(value: object, path: str) -> int:
    if _int(value, path) < 0:
        raise Malformed(path, "an integer not below 0", value)
    return _int(value, path)


def _key(value: str, path: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 9 or value != str(int(value)):
        raise Malformed(path, "a number as key", value)
    return int(value)


def _address(value: object, path: str) -> int:
    if isinstance(value, str) and HEX.fullmatch(value):
        return int(value, 16)
    raise Malformed(path, "a hex string of at most 16 digits", value)


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise Malformed("file", "every key once", [key for key, _ in pairs])
    return table


def _no_constant(name: str) -> object:
    raise Malformed("file", "integers", name)


def _brief(value: object) -> str:
    try:
        text = json.dumps(value)
    except TypeError:
        text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
