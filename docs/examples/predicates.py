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
