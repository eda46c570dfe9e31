"""``pamt check``: what does TDH.SYS.CONFIG answer to this configuration?"""

from __future__ import annotations

import click

from pamt.cli.answer import Answer, Output, common, finish

__all__ = ["command"]


@click.command("check")
@click.argument("machine")
@click.argument("configuration")
@common
def command(machine: str, configuration: str, output: Output) -> int:
    """What does TDH.SYS.CONFIG answer to this configuration?

    The full status word, and the first rule that fails in the module's own order; a CMR list that
    TDH.SYS.INIT refuses is answered with that status.  CONFIGURATION is TOML, JSON or the raw
    TDMR_INFO array.  Warns of memory left without use, which the module does not care about.
    Verdict: ACCEPTED or REFUSED.
    """
    from pamt.cli.configurations import load_configuration, one_standard_input
    from pamt.cli.inputs import load_machine
    from pamt.maps.errors import gather
    from pamt.module.call import default_call
    from pamt.module.check import check
    from pamt.module.cmr import check_cmr_list
    from pamt.module.coverage import coverage_warnings
    from pamt.report.check import Checked, check_fields, check_text

    one_standard_input(machine, configuration)
    loaded, given = gather(
        lambda: load_machine(machine, any_cmrs=True), lambda: load_configuration(configuration)
    )
    assert loaded.machine.cmrs is not None
    asked, limits = given.configuration, loaded.machine.limits
    status = check_cmr_list(loaded.machine.cmrs, limits)
    refused = not status.accepted
    if not refused:
        status = check(asked, loaded.machine.cmrs, limits)
    warnings = coverage_warnings(loaded.machine, asked) if status.accepted else ()
    checked = Checked(
        machine, configuration, loaded.machine, asked, status, refused, tuple(warnings)
    )
    assumptions = (*loaded.completed.assumptions, *default_call(asked, limits).assumptions)
    return finish(
        Answer(
            "check",
            checked.verdict,
            loaded.file,
            lambda: {"configuration": given.file._asdict(), **check_fields(checked)},
            lambda: check_text(checked),
            assumptions,
        ),
        output,
    )
