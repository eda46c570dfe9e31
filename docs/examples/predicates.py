"""Predicates over (machine, outcome) for `pamt verify POLICY --property docs/examples/predicates.py:NAME`."""


def every_node_is_at_home(machine, outcome):
    """After a success, every node with memory is the home of some TDMR."""
    if outcome.ret != 0:
        return True
    for r in machine.memory:
        found = False
        for t in outcome.tdmrs:
            if t.home == r.node:
                found = True
        if not found:
            return False
    return True
