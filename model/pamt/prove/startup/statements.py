"""What is claimed of every reachable state of the start-up.

`holds` is the claim.  `needs` are facts about the parameters under which it is claimed with no
bound; each is shown necessary.  `refuted` marks a claim that is false of the real system: its
violation is what the explicit search shows.
"""

# ruff: noqa: ARG005  (guards, updates and claims share one signature)

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pamt.prove.startup.system import CONFIGURED, KEYED, Parameters, Phase, State
from pamt.prove.terms import both, either, equal, implies, negate

__all__ = ["STATEMENTS", "Statement"]

Needs = Callable[[Parameters], Mapping[str, Any]]


def _nothing(p: Parameters) -> Mapping[str, Any]:
    return {}


class Statement(NamedTuple):
    name: str
    says: str
    holds: Callable[[State, Parameters], Any]
    needs: Needs = _nothing
    refuted: bool = False
    """False of some real kernel; then there is nothing to prove, but a trace to show."""


def _calls_module(s: State) -> Any:
    """This kernel is where it makes calls that end in PAMT being written."""
    return both(s.phase >= int(Phase.KEY), s.phase <= int(Phase.READY))


def _starting(s: State) -> Any:
    """A start is under way, error path included."""
    stage = both(s.phase >= int(Phase.LIST), s.phase <= int(Phase.INIT))
    undo = both(s.phase >= int(Phase.CLEAR), s.phase <= int(Phase.RELEASE))
    return either(stage, undo)


def _block_initialised(s: State, p: Parameters) -> Any:
    return s.done >= (p.watched_block + 1) * p.units_per_gib


STATEMENTS: tuple[Statement, ...] = (
    Statement(
        "no-own-call-writes-free-pages",
        "no PAMT page is in the page allocator while the kernel still makes calls that write PAMT",
        lambda s, p: negate(both(s.known_free, _calls_module(s))),
        lambda p: {
            "no retry, or SYS.CONFIG works once": either(
                negate(p.retries), p.sticky, p.config_once
            ),
            "no kexec, or the module starts once": either(
                negate(p.kexec), p.init_once, p.config_once
            ),
        },
    ),
    Statement(
        "no-call-can-write-free-pages",
        "no PAMT page is in the page allocator while a further SEAMCALL, whoever makes it, could"
        " still make the module write it",
        lambda s, p: negate(both(s.known_free, s.module >= CONFIGURED)),
        refuted=True,
    ),
    Statement(
        "all-freed-after-failure",
        "after a failure every PAMT, the TDMR array and the list are freed and the lock is dropped",
        lambda s, p: implies(
            equal(s.phase, int(Phase.ERROR)),
            both(equal(s.returned, s.allocated), negate(s.array), negate(s.listed), negate(s.lock)),
        ),
        lambda p: {"the error path frees": p.frees},
    ),
    Statement(
        "no-start-after-error",
        "no start begins in a kernel in which one failed",
        lambda s, p: negate(
            both(s.failed, s.phase >= int(Phase.LIST), s.phase <= int(Phase.READY))
        ),
        lambda p: {"no retry, or refused": either(negate(p.retries), p.sticky)},
    ),
    Statement(
        "no-start-after-error-anywhere",
        "no start begins after one failed, in this kernel or in an earlier one",
        lambda s, p: negate(
            both(s.ever_failed, s.phase >= int(Phase.LIST), s.phase <= int(Phase.READY))
        ),
        refuted=True,
    ),
    Statement(
        "no-use-before-block-initialised",
        "no page is used before its 1 GiB block is initialised",
        lambda s, p: implies(s.used, _block_initialised(s, p)),
        lambda p: {"TDMR.INIT repeats to the end": p.loops_to_end},
    ),
    Statement(
        "no-uncovered-memory-when-ready",
        "no memory is online outside the list while TDX is ready",
        lambda s, p: implies(equal(s.phase, int(Phase.READY)), negate(s.uncovered)),
        lambda p: {"the notifier refuses": p.notifier, "the hotplug lock is held": p.holds_lock},
    ),
    Statement(
        "ready-means-module-ready",
        "when the kernel says ready, every package has its key",
        lambda s, p: implies(equal(s.phase, int(Phase.READY)), equal(s.module, KEYED)),
    ),
    Statement(
        "lock-held-exactly-while-starting",
        "the memory hotplug lock is held exactly while a start is under way",
        lambda s, p: equal(s.lock, _starting(s)),
        lambda p: {"the hotplug lock is held": p.holds_lock},
    ),
    Statement(
        "cleared-on-erratum-parts",
        "on a part with the partial-write erratum no PAMT page goes back uncleared",
        lambda s, p: implies(p.erratum, negate(s.uncleared)),
        lambda p: {"clearing comes before freeing": p.clears_first},
    ),
    Statement(
        "cleared-on-every-part",
        "no PAMT page goes back, or to another kernel, uncleared on any part",
        lambda s, p: negate(s.uncleared),
        refuted=True,
    ),
)
