"""The drawing says what is there: by eye on small maps, by law on random ones."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pamt.configuration import Area, Configuration, Pamt, Tdmr
from pamt.kernel.variants import VARIANTS
from pamt.machine import Cmr, Limits, Machine, MemoryRange
from pamt.policies.protocol import run_policy
from pamt.policies.registry import get_policy
from pamt.ranges import GIB, MIB, PAGE, Range, RangeSet
from pamt.report.axis import lay_out
from pamt.report.drawing import ASCII, UNICODE, draw
from pamt.report.scene import Scene, scene_of_configuration, scene_of_outcome
from pamt.report.show import tdmr_lines
from pamt.standins import complete


def scene_of(machine: Machine, variant: str = "mainline") -> Scene:
    completed = complete(machine).machine
    outcome = run_policy(get_policy(f"linux:{variant}"), completed)
    return scene_of_outcome(completed, outcome, VARIANTS[variant])


def drawn(scene: Scene, width: int = 80, window: Range | None = None) -> list[str]:
    lines = draw(scene, width, UNICODE, window)
    return ["".join(span.text for span in line).rstrip() for line in lines]


def row(lines: list[str], label: str) -> str:
    return next(line[9:] for line in lines if line.startswith(label))


SMALL = Machine(
    cmrs=(Cmr(4 * GIB, GIB),),
    memory=(
        MemoryRange(4 * GIB, 4 * GIB + 512 * MIB),
        MemoryRange(4 * GIB + 528 * MIB, 4 * GIB + 768 * MIB),
    ),
)


def test_a_map_with_one_hole() -> None:
    lines = drawn(scene_of(SMALL))
    # Columns of 16 MiB: 32 of memory, 1 hole, 15 of memory, a hole of 16; the chunk of 4 MiB first.
    assert row(lines, "CMRs") == "[0" + "-" * 61 + "]"
    assert row(lines, "memory") == "█" * 32 + " " + "█" * 15
    assert row(lines, "holes") == " " * 32 + "1" + " " * 15 + "1" + "·" * 15
    assert row(lines, "TDMRs") == "[0" + "-" * 61 + "]"
    assert row(lines, "PAMTs") == "0"
    assert row(lines, "reserved") == "▂" + " " * 31 + "█" + " " * 15 + "█" * 16
    assert "One column is 16 MiB." in lines


def test_two_scales_show_the_same_holes() -> None:
    holes = scene_of(SMALL).holes
    assert [r.size for r in holes] == [16 * MIB, 256 * MIB]
    for width in (40, 60, 120):
        digits = [c for c in row(drawn(scene_of(SMALL), width), "holes") if c.isdigit()]
        assert sum(map(int, digits)) == 2


@st.composite
def machines(draw_: st.DrawFn) -> Machine:
    """Memory with holes of pages to GiBs above 4 GiB, on up to four nodes."""
    at, ranges = 4 * GIB, []
    for _ in range(draw_(st.integers(1, 14))):
        unit = draw_(st.sampled_from([PAGE, MIB, 64 * MIB, GIB]))
        at += draw_(st.integers(0, 5)) * unit
        end = at + draw_(st.integers(1, 40)) * draw_(st.sampled_from([PAGE, MIB, 64 * MIB, GIB]))
        ranges.append(MemoryRange(at, end, draw_(st.integers(0, 3))))
        at = end
    return Machine(memory=tuple(ranges))


@given(machines(), st.integers(40, 160))
def test_a_column_is_blank_or_full_only_if_it_is(machine: Machine, width: int) -> None:
    scene = scene_of(machine)
    memory = RangeSet(r.range for r in scene.memory)
    axis = lay_out(scene.boundaries(), width - 9)
    lines = draw(scene, width, UNICODE)
    shown = "".join(
        "".join(span.text for span in line[1:]) for line in lines if line and _is(line, "memory")
    )
    # Whatever scale the drawing chose: no cell is full unless all of its window is memory.
    assert ("█" in shown) == any(memory.within(w).size == w.size for w in _windows(scene, width))
    assert all(cell in UNICODE.shares for cell in shown)
    assert axis.columns > 0


def _is(line: object, label: str) -> bool:
    return line[0].text.strip() == label  # type: ignore[index]


def _windows(scene: Scene, width: int) -> list[Range]:
    from pamt.report.drawing import _axis

    return _axis(scene.boundaries(), max(20, width - 9)).windows()


@given(machines(), st.integers(40, 160))
def test_every_hole_is_counted_once(machine: Machine, width: int) -> None:
    scene = scene_of(machine)
    counted = 0
    for line in draw(scene, width, ASCII):
        if line and _is(line, "holes"):
            text = "".join(span.text for span in line[1:])
            if "+" in text:  # ten or more in one column
                return
            counted += sum(int(c) for c in text if c.isdigit())
    assert counted == len(scene.holes)


@given(machines(), st.integers(40, 160))
def test_no_line_is_wider_than_asked(machine: Machine, width: int) -> None:
    for line in drawn(scene_of(machine), width):
        assert len(line) <= max(width, 80) or line.startswith("...")


def test_many_nodes_are_told_apart() -> None:
    memory = tuple(
        MemoryRange((4 + 64 * n) * GIB, (4 + 64 * n + 64) * GIB - 512 * MIB, n) for n in range(16)
    )
    lines = drawn(scene_of(Machine(memory=memory)), 100)
    nodes = "".join(line[9:] for line in lines if line.startswith("node"))
    assert [c for c in dict.fromkeys(nodes) if c != " "] == list("0123456789abcdef")
    assert not any("+" in line[9:] for line in lines if line.startswith("node"))


def test_a_configuration_of_nonsense_is_drawn_all_the_same() -> None:
    top = (1 << 64) - 1
    nonsense = Tdmr(top, top, Pamt(top, top), Pamt(0, 0), Pamt(5, 3), (Area(top, top), Area(0, 0)))
    machine = complete(SMALL).machine
    scene = scene_of_configuration(machine, Configuration((nonsense, nonsense)))
    assert drawn(scene)
    assert len(tdmr_lines(scene, UNICODE)) == 3


def test_an_empty_machine() -> None:
    scene = scene_of(Machine(memory=()))
    assert drawn(scene) == ["nothing to draw: no memory, no CMR, no TDMR"] or drawn(scene)


def test_the_bar_tells_used_full_and_too_many() -> None:
    ranges = tuple(
        MemoryRange(4 * GIB + 32 * MIB * n, 4 * GIB + 32 * MIB * n + 16 * MIB) for n in range(32)
    )
    for limit, expected in ((64, "of 64"), (16, "too many")):
        machine = Machine(memory=ranges, limits=Limits(max_reserved_per_tdmr=limit))
        lines = tdmr_lines(scene_of(machine), UNICODE)
        assert expected in "".join(span.text for span in lines[1])


def test_a_window_shows_only_its_addresses() -> None:
    window = Range(4 * GIB + 500 * MIB, 4 * GIB + 540 * MIB)
    lines = drawn(scene_of(SMALL), 80, window)
    assert f"{window.start:#x}" in lines[0]
    assert row(lines, "holes").count("1") == 1
