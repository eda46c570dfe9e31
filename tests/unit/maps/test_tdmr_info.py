"""The raw TDMR_INFO array, byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamt.configuration import Area, Call, Configuration, Pamt, Tdmr
from pamt.maps.configuration_file import configuration_from_text
from pamt.maps.errors import InputErrors
from pamt.maps.tdmr_info import looks_like_tdmr_info, read_tdmr_info, write_tdmr_info

U64 = st.integers(0, 2**64 - 1)
pairs = st.tuples(U64, U64)
records = st.builds(
    Tdmr,
    U64,
    U64,
    pairs.map(lambda p: Pamt(*p)),
    pairs.map(lambda p: Pamt(*p)),
    pairs.map(lambda p: Pamt(*p)),
    st.lists((pairs | st.just((0, 0))).map(lambda p: Area(*p)), max_size=16).map(tuple),
)


def without_trailing_nulls(tdmr: Tdmr) -> Tdmr:
    areas = list(tdmr.reserved)
    while areas and areas[-1] == (0, 0):
        areas.pop()
    return tdmr._replace(reserved=tuple(areas))


def test_each_field_stands_where_the_module_looks_for_it() -> None:
    """Base, size, then PAMT 1G, 2M, 4K, then the areas; little endian."""
    tdmr = Tdmr(
        0x1111, 0x2222, Pamt(0x7777, 0x8888), Pamt(0x5555, 0x6666), Pamt(0x3333, 0x4444),
        (Area(0x9999, 0xAAAA), Area(0xBBBB, 0xCCCC)),
    )  # fmt: skip
    raw = write_tdmr_info(Configuration((tdmr, tdmr)))
    words = [int.from_bytes(raw[at : at + 8], "little") for at in range(0, len(raw), 8)]
    assert words[:12] == [0x1111 * n for n in range(1, 13)]
    assert set(words[12:64]) == {0}
    assert words[64:] == words[:64]
    assert len(raw) == 1024


@given(tdmrs=st.lists(records, min_size=1, max_size=3))
def test_reading_undoes_writing(tdmrs: list[Tdmr]) -> None:
    raw = write_tdmr_info(Configuration(tuple(tdmrs), Call(count=1)))
    wanted = Configuration(tuple(without_trailing_nulls(tdmr) for tdmr in tdmrs))
    assert read_tdmr_info(raw) == wanted
    assert write_tdmr_info(wanted) == raw
    assert looks_like_tdmr_info(raw)
    assert configuration_from_text(raw) == wanted
    # The last record may end where its fields end.
    assert read_tdmr_info(raw[: -512 + 320]) == wanted


@given(raw=st.binary(min_size=320, max_size=320))
def test_writing_undoes_reading(raw: bytes) -> None:
    assert write_tdmr_info(read_tdmr_info(raw)) == raw + bytes(192)


def test_a_null_gap_and_the_offset_of_a_null_entry_are_kept() -> None:
    areas = (Area(0, 0), Area(4096, 4096), Area(7, 0))
    tdmr = Tdmr(0, 0, Pamt(0, 0), Pamt(0, 0), Pamt(0, 0), areas)
    raw = write_tdmr_info(Configuration((tdmr._replace(reserved=(*areas, Area(0, 0))),)))
    assert read_tdmr_info(raw).tdmrs == (tdmr,)


@pytest.mark.parametrize("size", [0, 1, 64, 319, 321, 511, 513, 640])
def test_a_length_that_is_no_number_of_records(size: int) -> None:
    with pytest.raises(InputErrors, match=f"r.bin: expected TDMR_INFO records.*{size} bytes"):
        read_tdmr_info(bytes(size), "r.bin")


def test_what_does_not_fit_into_a_record() -> None:
    good = Tdmr(0, 0, Pamt(0, 0), Pamt(0, 0), Pamt(0, 0))
    bad = (
        good,
        good._replace(reserved=(Area(0, 0),) * 17),
        good._replace(base=2**64),
        good._replace(pamt_4k=Pamt(0, -1)),
    )
    with pytest.raises(InputErrors) as caught:
        write_tdmr_info(Configuration(bad))
    assert [problem.what for problem in caught.value.problems] == [
        "tdmr[1].reserved",
        "tdmr[2]",
        "tdmr[3]",
    ]


def test_text_is_no_raw_array() -> None:
    for text in ("tdmr = []", "{}", "é" * 160):
        assert not looks_like_tdmr_info(text.encode())
    assert not looks_like_tdmr_info(("tdmr = []" * 32).encode("utf-16"))
    assert not looks_like_tdmr_info(("é" * 320).encode("latin-1"))
