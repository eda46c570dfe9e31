"""The start-up of TDX in Linux, for any number of TDMRs, packages and GiBs."""

from __future__ import annotations

from pamt.prove import Check, Evidence, Obligation, Theorem
from pamt.prove.startup.draw import trace_text
from pamt.prove.startup.explicit import decide, decide_all, shortest_violation
from pamt.prove.startup.induction import obligations, provable, use_of
from pamt.prove.startup.statements import STATEMENTS, Statement
from pamt.prove.startup.system import ERAS

REFUTED = {
    "no-call-can-write-free-pages": ("v6.8", "v6.18", "2026"),
    "no-start-after-error-anywhere": ("v6.18", "2026"),
    "cleared-on-every-part": ("v6.18", "2026"),
}
"""Statements that are false, and of which kernels."""


def _search() -> Evidence:
    """Every statement in every era by explicit search: what holds, holds there too."""
    wrong: list[str] = []
    states = 0
    for decision in decide_all():
        states += decision.states
        expected = decision.era.name in REFUTED.get(decision.statement.name, ())
        if decision.violated != expected:
            wrong.append(f"{decision.statement.name} in {decision.era.name}: {decision.verdict}")
    return Evidence(not wrong, "; ".join(wrong) or f"{states} states decided")


def _refutation(statement: Statement, era_name: str) -> Check:
    def run() -> Evidence:
        era = next(e for e in ERAS if e.name == era_name)
        decision = decide(statement, era)
        if decision.parameters is None:
            return Evidence(False, "no violation found")
        return Evidence(True, trace_text(decision.trace, decision.parameters))

    return Check(
        f"not-{statement.name}-in-{era_name}",
        f"refuted, with a shortest trace, for {era_name}: {statement.says}",
        run,
    )


def _denied(name: str, statement: str, era: str, **facts: bool) -> Check:
    """The search must find a violation when a fact about the system is switched off."""

    def run() -> Evidence:
        chosen = next(s for s in STATEMENTS if s.name == statement)
        p = next(e for e in ERAS if e.name == era).parameters(**facts)
        trace = shortest_violation(chosen, p)
        return Evidence(trace is None, "" if trace is None else trace_text(trace, p))

    return Check(name, f"{statement} in {era} with {facts}", run)


_FIRST = provable()[0]

THEOREM = Theorem(
    name="startup",
    short="startup",
    title="Start-up of TDX in Linux, failures, retries, memory hotplug and kexec included",
    statement="; ".join(s.says for s in provable()) + ".",
    formal="I(init); I(s) and s -> s' imply I(s'); I(s) and needs(S) imply S(s), for each S",
    trusts="The rules of pamt.prove.startup.system, which restate Linux' order of steps and the"
    " module's states.",
    obligations=(
        *obligations(_FIRST)[:2],
        *(Obligation(s.name, s.says, use_of(s)) for s in provable()),
        Check("search", "every statement decided in every era by explicit search", _search),
        *(
            _refutation(statement, REFUTED[statement.name][0])
            for statement in STATEMENTS
            if statement.refuted
        ),
    ),
    mutants=(
        _denied("no notifier", "no-uncovered-memory-when-ready", "v6.8", notifier=False),
        _denied("no hotplug lock", "no-uncovered-memory-when-ready", "v6.8", holds_lock=False),
        _denied("failures not final", "no-start-after-error", "v6.8", sticky=False),
        _denied("error path does not free", "all-freed-after-failure", "v6.8", frees=False),
        _denied(
            "one TDMR.INIT a TDMR", "no-use-before-block-initialised", "v6.8", loops_to_end=False
        ),
        _denied(
            "SYS.CONFIG works again",
            "no-own-call-writes-free-pages",
            "v6.8",
            sticky=False,
            config_once=False,
        ),
        _denied(
            "the module starts again",
            "no-own-call-writes-free-pages",
            "2026",
            init_once=False,
            config_once=False,
        ),
        _denied(
            "freeing before clearing",
            "cleared-on-every-part",
            "v6.8",
            clears_first=False,
        ),
    ),
)
