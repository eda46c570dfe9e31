"""Parameters, state and rules of the start-up.

Every rule is a guard and an update, written with the connectives of :mod:`pamt.prove.terms`.  On
numbers they compute, on formulas they build formulas: the explicit search and the induction read
the same text.

One TDMR and one of its 1 GiB blocks are *watched*; any property of "every block of every TDMR" is
one of the watched block, whichever it is.  Calls on other TDMRs change nothing but whose turn it
is, so how many there are does not matter.

Sources: Linux v6.8 and later, arch/x86/virt/vmx/tdx/tdx.c (order of the start-up, error paths,
memory notifier); Intel TDX module, TDH.SYS.CONFIG, TDH.SYS.KEY.CONFIG and TDH.SYS.TDMR.INIT (what
each call may do when).
"""

# ruff: noqa: ARG005  (guards, updates and claims share one signature)

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import IntEnum
from typing import Any, NamedTuple

from pamt.prove.terms import at_most, both, choose, either, equal, implies, negate

__all__ = [
    "ERAS",
    "RULES",
    "UNITS_PER_GIB",
    "Era",
    "Parameters",
    "Phase",
    "Rule",
    "State",
    "initial",
    "updated",
    "well_formed",
]

UNITS_PER_GIB = 256
"""TDH.SYS.TDMR.INIT handles 4 MiB a call."""


class Phase(IntEnum):
    """Where the start-up stands; LIST to INIT and the three undo steps are one start."""

    IDLE = 0
    LIST = 1
    LAYOUT = 2
    PAMT = 3
    AREAS = 4
    CONFIG = 5
    KEY = 6
    INIT = 7
    READY = 8
    CLEAR = 9
    FREE = 10
    RELEASE = 11
    ERROR = 12


FRESH, INITIALISED, CONFIGURED, KEYED = range(4)
"""The module: before and after SYS.INIT, after SYS.CONFIG, after KEY.CONFIG on every package."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What does not change during a run; numbers, or variables for "any".

    Sizes: `tdmrs`, `packages` (with a CPU online: `packages_online`), the watched TDMR, its size
    in GiB and its watched block; `units_per_gib` calls initialise a block.

    The kernel: `retries`, whether anybody asks for a start again; `sticky`, whether a start after
    a failed one is refused; `kexec`, whether another kernel may follow; `clears_always`, whether a
    failure after SYS.CONFIG clears the PAMTs on every part; `erratum`, whether this part has the
    partial-write erratum.

    The last group is true of the real system; each of them can be denied to see what rests on it.
    """

    tdmrs: Any = 2
    packages: Any = 2
    packages_online: Any = 2
    watched: Any = 0
    watched_gib: Any = 2
    watched_block: Any = 0
    units_per_gib: int = 2
    retries: Any = True
    sticky: Any = True
    kexec: Any = False
    clears_always: Any = True
    erratum: Any = False
    notifier: Any = True
    holds_lock: Any = True
    frees: Any = True
    clears_first: Any = True
    loops_to_end: Any = True
    init_once: Any = True
    config_once: Any = True


@dataclass(frozen=True, slots=True)
class State:
    """Everything that changes.  Counters are numbers, the rest truth values.

    `ours`: this kernel did SYS.INIT.  `allocated`, `returned`: PAMTs taken from the page allocator
    in this start and, after a failure, put back.  `module`, `keyed`, `done`: the module's state,
    packages with a key, units initialised of the watched TDMR; they outlive the kernel.
    `current`: the TDMR being initialised.  `known_free`: a PAMT page that the module was told of
    is in the page allocator.  `uncleared`: such a page went back without being cleared.
    `uncovered`: memory is online that no range of the list contains.  `used`: a guest uses a page
    of the watched block.  `failed`, `ever_failed`: a start failed in this kernel, in any.
    `kexeced`: this is not the first kernel.
    """

    phase: Any = int(Phase.IDLE)
    ours: Any = False
    lock: Any = False
    listed: Any = False
    array: Any = False
    allocated: Any = 0
    returned: Any = 0
    module: Any = FRESH
    keyed: Any = 0
    current: Any = 0
    done: Any = 0
    known_free: Any = False
    uncleared: Any = False
    uncovered: Any = False
    used: Any = False
    failed: Any = False
    ever_failed: Any = False
    kexeced: Any = False


class Era(NamedTuple):
    """A stretch of kernel history with the parameters that make it."""

    name: str
    summary: str
    settings: Mapping[str, bool]

    def parameters(self, **others: Any) -> Parameters:
        return Parameters(**{**self.settings, **others})


ERAS = (
    Era(
        "v6.8",
        "started by the first caller, a failure is final; kexec is built out",
        {"retries": True, "sticky": True, "kexec": False, "clears_always": True},
    ),
    Era(
        "v6.18",
        "as before, but kexec is possible on parts without the erratum",
        {"retries": True, "sticky": True, "kexec": True, "clears_always": False},
    ),
    Era(
        "2026",
        "started once, at boot; kexec is possible on parts without the erratum",
        {"retries": False, "sticky": True, "kexec": True, "clears_always": False},
    ),
)


class Rule(NamedTuple):
    """A transition: `said` stands in traces; `call` names the SEAMCALL, if it is one."""

    name: str
    said: str
    guard: Callable[[State, Parameters], Any]
    update: Callable[[State, Parameters], Mapping[str, Any]]
    call: str = ""


def initial() -> State:
    return State()


def updated(state: State, changes: Mapping[str, Any]) -> State:
    return replace(state, **changes)


def well_formed(p: Parameters) -> dict[str, Any]:
    """What the parameters must satisfy to mean anything."""
    return {
        "at least one TDMR": p.tdmrs >= 1,
        "at least one package": p.packages >= 1,
        "some packages are online": at_most(0, p.packages_online, p.packages),
        "the watched TDMR exists": both(p.watched >= 0, p.watched < p.tdmrs),
        "the watched block exists": both(p.watched_block >= 0, p.watched_block < p.watched_gib),
    }


def _at(phase: Phase) -> Callable[[State, Parameters], Any]:
    return lambda s, p: equal(s.phase, int(phase))


def _go(phase: Phase, **changes: Any) -> Callable[[State, Parameters], Mapping[str, Any]]:
    return lambda s, p: {"phase": int(phase), **changes}


def _fails_to(name: str, said: str, at: Phase, to: Phase, call: str = "") -> Rule:
    return Rule(name, said, _at(at), _go(to), call)


def _turn(s: State, p: Parameters) -> Any:
    """A TDH.SYS.TDMR.INIT that the module accepts is due."""
    return both(equal(s.phase, int(Phase.INIT)), s.current < p.tdmrs, equal(s.module, KEYED))


def _init_watched(s: State, p: Parameters) -> Mapping[str, Any]:
    done = s.done + 1
    # The call answers with the next address rounded down to 1 GiB; the kernel repeats until that
    # is at or beyond the TDMR's end.
    finished = done // p.units_per_gib >= p.watched_gib
    over = choose(p.loops_to_end, finished, True)
    return {"done": done, "current": choose(over, s.current + 1, s.current)}


def _take_back(s: State, p: Parameters) -> Mapping[str, Any]:
    told = s.module >= CONFIGURED
    cleared = both(p.clears_first, either(p.clears_always, p.erratum))
    return {
        "returned": s.returned + 1,
        "known_free": either(s.known_free, told),
        "uncleared": either(s.uncleared, both(told, negate(cleared))),
    }


def _key_done(s: State, p: Parameters) -> Mapping[str, Any]:
    keyed = s.keyed + 1
    return {"keyed": keyed, "module": choose(equal(keyed, p.packages), KEYED, s.module)}


def _restart(s: State, p: Parameters) -> Mapping[str, Any]:
    return {
        "phase": int(Phase.LIST),
        "lock": p.holds_lock,
        "allocated": 0,
        "returned": 0,
        "current": 0,
    }


def _next_kernel(s: State, p: Parameters) -> Mapping[str, Any]:
    # The new kernel's page allocator starts with all of memory, old PAMTs included.
    fresh = State(module=s.module, keyed=s.keyed, done=s.done, ever_failed=s.ever_failed)
    known = either(s.known_free, s.module >= CONFIGURED)
    return asdict(
        replace(
            fresh,
            known_free=known,
            uncleared=either(s.uncleared, s.module >= CONFIGURED),
            kexeced=True,
        )
    )


RULES: tuple[Rule, ...] = (
    Rule(
        "sys-init",
        "TDH.SYS.INIT succeeds",
        lambda s, p: both(equal(s.phase, int(Phase.IDLE)), negate(s.ours), equal(s.module, FRESH)),
        lambda s, p: {"ours": True, "module": INITIALISED},
        "TDH.SYS.INIT",
    ),
    Rule(
        "sys-init-again",
        "TDH.SYS.INIT is accepted a second time",
        lambda s, p: both(
            equal(s.phase, int(Phase.IDLE)),
            negate(s.ours),
            s.module >= INITIALISED,
            negate(p.init_once),
        ),
        lambda s, p: {"ours": True},
        "TDH.SYS.INIT",
    ),
    Rule(
        "sys-init-fails",
        "TDH.SYS.INIT fails",
        lambda s, p: both(equal(s.phase, int(Phase.IDLE)), negate(s.ours)),
        _go(Phase.ERROR, failed=True, ever_failed=True),
        "TDH.SYS.INIT",
    ),
    Rule(
        "start",
        "a start begins; the memory hotplug lock is taken",
        lambda s, p: both(equal(s.phase, int(Phase.IDLE)), s.ours),
        _restart,
    ),
    Rule(
        "list",
        "the memory list is built",
        _at(Phase.LIST),
        # What went online before is in the list, unless it came while the list was being built.
        lambda s, p: {
            "phase": int(Phase.LAYOUT),
            "listed": True,
            "uncovered": both(s.uncovered, negate(s.lock)),
        },
    ),
    _fails_to("list-fails", "the memory list fails (-ENOMEM)", Phase.LIST, Phase.RELEASE),
    Rule(
        "array",
        "limits are read, the TDMR array is allocated",
        lambda s, p: both(equal(s.phase, int(Phase.LAYOUT)), negate(s.array)),
        lambda s, p: {"array": True},
    ),
    Rule(
        "layout",
        "TDMRs are laid out",
        lambda s, p: both(equal(s.phase, int(Phase.LAYOUT)), s.array),
        _go(Phase.PAMT),
    ),
    _fails_to(
        "layout-fails",
        "limits, TDMR array or layout fail (-EIO, -ENOMEM, -ENOSPC)",
        Phase.LAYOUT,
        Phase.RELEASE,
    ),
    Rule(
        "pamt",
        "the PAMTs of a TDMR are allocated",
        lambda s, p: both(equal(s.phase, int(Phase.PAMT)), s.allocated < p.tdmrs),
        lambda s, p: {"allocated": s.allocated + 1},
    ),
    Rule(
        "pamt-fails",
        "no room for a PAMT (-ENOMEM)",
        lambda s, p: both(equal(s.phase, int(Phase.PAMT)), s.allocated < p.tdmrs),
        _go(Phase.FREE),
    ),
    Rule(
        "pamts-done",
        "every TDMR has its PAMTs",
        lambda s, p: both(equal(s.phase, int(Phase.PAMT)), equal(s.allocated, p.tdmrs)),
        _go(Phase.AREAS),
    ),
    Rule("areas", "reserved areas are filled", _at(Phase.AREAS), _go(Phase.CONFIG)),
    _fails_to("areas-fail", "reserved areas are exhausted (-ENOSPC)", Phase.AREAS, Phase.FREE),
    Rule(
        "config",
        "TDH.SYS.CONFIG succeeds",
        lambda s, p: both(
            equal(s.phase, int(Phase.CONFIG)),
            either(equal(s.module, INITIALISED), negate(p.config_once)),
        ),
        lambda s, p: {"phase": int(Phase.KEY), "module": CONFIGURED, "keyed": 0, "done": 0},
        "TDH.SYS.CONFIG",
    ),
    _fails_to(
        "config-fails",
        "TDH.SYS.CONFIG fails, or no address array (-EIO, -ENOMEM)",
        Phase.CONFIG,
        Phase.FREE,
        "TDH.SYS.CONFIG",
    ),
    Rule(
        "key",
        "TDH.SYS.KEY.CONFIG succeeds on a package",
        lambda s, p: both(equal(s.phase, int(Phase.KEY)), s.keyed < p.packages_online),
        _key_done,
        "TDH.SYS.KEY.CONFIG",
    ),
    _fails_to(
        "key-fails",
        "TDH.SYS.KEY.CONFIG fails, or no CPU is online (-EIO, -EINVAL)",
        Phase.KEY,
        Phase.CLEAR,
        "TDH.SYS.KEY.CONFIG",
    ),
    Rule(
        "keys-done",
        "every package with a CPU online has its key",
        lambda s, p: both(
            equal(s.phase, int(Phase.KEY)),
            equal(s.keyed, p.packages_online),
            p.packages_online >= 1,
        ),
        _go(Phase.INIT, current=0),
    ),
    Rule(
        "init-watched",
        "TDH.SYS.TDMR.INIT on the watched TDMR",
        lambda s, p: both(_turn(s, p), equal(s.current, p.watched)),
        _init_watched,
        "TDH.SYS.TDMR.INIT",
    ),
    Rule(
        "init-other",
        "the last TDH.SYS.TDMR.INIT on another TDMR",
        lambda s, p: both(_turn(s, p), negate(equal(s.current, p.watched))),
        lambda s, p: {"current": s.current + 1},
        "TDH.SYS.TDMR.INIT",
    ),
    Rule(
        "init-fails",
        "TDH.SYS.TDMR.INIT fails",
        lambda s, p: both(equal(s.phase, int(Phase.INIT)), s.current < p.tdmrs),
        _go(Phase.CLEAR),
        "TDH.SYS.TDMR.INIT",
    ),
    Rule(
        "ready",
        "every TDMR is initialised; the lock is dropped: ready",
        lambda s, p: both(equal(s.phase, int(Phase.INIT)), equal(s.current, p.tdmrs)),
        _go(Phase.READY, lock=False),
    ),
    Rule("use", "a guest uses the watched block", _at(Phase.READY), lambda s, p: {"used": True}),
    Rule(
        "clear",
        "caches are written back and, where due, the PAMTs are cleared",
        _at(Phase.CLEAR),
        _go(Phase.FREE),
    ),
    Rule(
        "give-back",
        "the PAMTs of a TDMR go back to the page allocator",
        lambda s, p: both(equal(s.phase, int(Phase.FREE)), p.frees, s.returned < s.allocated),
        _take_back,
    ),
    Rule(
        "given-back",
        "no PAMT is left to give back",
        lambda s, p: both(
            equal(s.phase, int(Phase.FREE)),
            implies(p.frees, equal(s.returned, s.allocated)),
        ),
        _go(Phase.RELEASE),
    ),
    Rule(
        "error",
        "array and list are freed, the lock is dropped: error",
        _at(Phase.RELEASE),
        _go(Phase.ERROR, array=False, listed=False, lock=False, failed=True, ever_failed=True),
    ),
    Rule(
        "retry",
        "a start is asked for again and begins",
        lambda s, p: both(equal(s.phase, int(Phase.ERROR)), s.ours, p.retries, negate(p.sticky)),
        _restart,
    ),
    Rule(
        "online",
        "memory outside the list goes online",
        lambda s, p: both(
            negate(s.lock),
            either(negate(p.notifier), negate(s.listed)),
            # Before a start such memory is simply part of the list to come.
            s.phase >= int(Phase.LIST),
        ),
        lambda s, p: {"uncovered": True},
    ),
    Rule(
        "kexec",
        "another kernel is started by kexec",
        lambda s, p: both(
            p.kexec,
            negate(p.erratum),
            either(
                equal(s.phase, int(Phase.IDLE)),
                equal(s.phase, int(Phase.READY)),
                equal(s.phase, int(Phase.ERROR)),
            ),
        ),
        _next_kernel,
    ),
)
