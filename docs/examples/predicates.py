"""Predicates over (machine, outcome): `--property docs/examples/predicates.py:NAME`."""

from pamt.machine import Machine
from pamt.outcome import Outcome


def every_node_is_at_home(machine: Machine, outcome: Outcome) -> bool:
    """After a success, every node with memory is the home of some TDMR."""
    if outcome.ret != 0:
        return True
    for r in machine.memory or ():
        found = False
        for t in outcome.tdmrs:
            if t.home == r.node:
                found = True
        if not found:
            return False
    return True


def metadata_is_at_home(machine: Machine, outcome: Outcome) -> bool:
    """After a success, memory of a node that is no TDMR's home has its PAMT on that node."""
    if outcome.ret != 0:
        return True
    for r in machine.memory or ():
        homeless = True
        for t in outcome.tdmrs:
            if t.home == r.node:
                homeless = False
        for t in outcome.tdmrs:
            meets = r.start < t.base + t.size and t.base < r.end
            if homeless and meets and t.pamt_node != r.node:
                return False
    return True
