"""The registry and the page made from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pamt.module.catalogue import catalogue, main
from pamt.module.registry import RULES, refuse, rule
from pamt.module.status import OPERANDS, Detail

ROOT = Path(__file__).parents[3]


def test_the_page_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails: python -m pamt.module.catalogue > specs/rules.md."""
    assert (ROOT / "specs" / "rules.md").read_text() == catalogue()
    main()
    assert capsys.readouterr().out == catalogue()


def test_every_rule_is_on_the_page_with_its_three_parts() -> None:
    page = catalogue()
    for known in RULES.values():
        assert known.condition
        assert f"| {known.id} | {known.condition} | {known.says} | {known.source} |" in page


def test_docstrings_name_the_status_they_are_registered_with() -> None:
    for known in RULES.values():
        assert known.says.startswith(f"{known.status}, ")
        if known.operand is not None:
            assert known.says.endswith(f"b0 = {OPERANDS[known.operand]} ({known.operand}).")


def test_the_functions_are_named_after_their_rules() -> None:
    assert [known.broken.__name__ for known in RULES.values()] == [
        known.id.lower() for known in RULES.values()
    ]


def good(value: int) -> bool:
    """Never.

    Status: TDX_INVALID_TDMR, b0 = TDMR.
    Source: nowhere.
    """
    return value < 0


def bare(value: int) -> bool:
    """Never."""
    return value < 0


def test_what_cannot_be_registered() -> None:
    before = dict(RULES)
    with pytest.raises(ValueError, match="T_WRAP is registered twice"):
        rule("T_WRAP", "TDX_INVALID_TDMR", "0")(good)
    with pytest.raises(ValueError, match="no status is called TDX_NO"):
        rule("NEW", "TDX_NO", "0")(good)
    with pytest.raises(ValueError, match="must have lines Status: and Source:"):
        rule("NEW", "TDX_INVALID_TDMR", "0")(bare)
    assert before == RULES


def test_refuse_fills_in_the_operand() -> None:
    assert refuse("OP_R8").operand == "R8"
    assert refuse("T_ALIGN", Detail(tdmr=4)).status == 0xC0000A0000000004
    with pytest.raises(KeyError):
        refuse("NO_SUCH_RULE")
