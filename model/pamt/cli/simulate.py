"""``pamt simulate``: what will this kernel do on this map?"""

from __future__ import annotations

import click

from pamt.cli.answer import Answer, Output, common, finish

__all__ = ["command"]


@click.command("simulate")
@click.argument("machine")
@click.option(
    "--policy",
    "name",
    default="linux:mainline",
    show_default=True,
    metavar="NAME",
    help="linux:mainline, linux:dpamt, linux:cmr-v8.2, linux:cmr-nocheck, greedy, an installed"
    " one, or FILE.py:function.",
)
@common
def command(machine: str, name: str, output: Output) -> int:
    """What will this kernel do on this map?

    Prints the kernel's own lines, where the PAMTs go, and what the TDX module answers to the
    result.  Verdict: SUCCEEDS or FAILS (also when the module refuses what the kernel made).

    -o FILE.toml (.json without --json, .bin) writes the configuration that the policy makes, .txt
    the text.
    """
    from pamt.cli.configurations import configuration_product, refuse_other_endings
    from pamt.cli.inputs import load_machine
    from pamt.cli.policies import find_policy
    from pamt.module.check import check_outcome
    from pamt.policies.protocol import run_policy
    from pamt.report.simulate import Simulated, simulate_fields, simulate_text

    refuse_other_endings(output)
    policy, variant = find_policy(name)
    loaded = load_machine(machine)
    outcome = run_policy(policy, loaded.machine)
    module = check_outcome(outcome, loaded.machine) if outcome.succeeded else None
    from_cmrs = variant is not None and variant.holes_from_cmrs
    simulated = Simulated(machine, name, loaded.machine, outcome, module, from_cmrs)
    return finish(
        Answer(
            "simulate",
            simulated.verdict,
            loaded.file,
            lambda: simulate_fields(simulated),
            lambda: simulate_text(simulated),
            loaded.completed.assumptions,
            configuration_product(output, outcome.configuration() if outcome.succeeded else None),
        ),
        output,
    )
