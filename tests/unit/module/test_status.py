"""Status words: encoding, decoding, and the agreement of both."""

from __future__ import annotations

import pytest

from pamt.module.status import CLASSES, OPERANDS, SUCCESS, Detail, Status, decode, encode


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        (0, SUCCESS),
        (0xC000010000000008, Status(0xC000010000000008, "TDX_OPERAND_INVALID", operand="R8")),
        (0xC000010000000003, Status(0xC000010000000003, "TDX_OPERAND_INVALID", operand="3")),
        (0x8000020200000000, Status(0x8000020200000000, "TDX_SYS_BUSY")),
        (
            0xC0000A1200030106,
            Status(0xC0000A1200030106, "TDX_PAMT_OVERLAP", tdmr=6, level="2m", other=3),
        ),
        (
            0xC0000A2100000F02,
            Status(0xC0000A2100000F02, "TDX_NON_ORDERED_RESERVED_IN_TDMR", tdmr=2, area=15),
        ),
        (0xC0000A1000000305, Status(0xC0000A1000000305, "TDX_INVALID_PAMT", tdmr=5, level="3")),
        (
            0xC000091200000701,
            Status(0xC000091200000701, "TDX_SMRR_OVERLAPS_CMR", other=1, cmr=7),
        ),
        (0xDEAD000000000001, Status(0xDEAD000000000001, "unknown")),
    ],
)
def test_decode(word: int, wanted: Status) -> None:
    assert decode(word) == wanted


@pytest.mark.parametrize("word", [-1, 1 << 64])
def test_decode_refuses_what_is_no_word(word: int) -> None:
    with pytest.raises(ValueError, match="unsigned 64-bit"):
        decode(word)


@pytest.mark.parametrize("name", CLASSES)
def test_decode_reads_what_encode_writes(name: str) -> None:
    fields = CLASSES[name].details
    values: dict[str, object] = {"tdmr": 63, "level": 2, "other": 9, "area": 15, "cmr": 31}
    values["operand"] = "R10"
    detail = Detail(**{field: values[field] for field in fields})  # type: ignore[arg-type]
    made = encode(name, detail, "RULE")
    assert decode(made.status) == made._replace(rule=None)
    assert made.status_class == CLASSES[name].word
    assert made.status_class + sum(byte << 8 * at for at, byte in enumerate(made.details)) == (
        made.status
    )
    assert made.rule == "RULE"


def test_classes_are_distinct_and_have_no_detail_bits() -> None:
    words = [known.word for known in CLASSES.values()]
    assert len(set(words)) == len(words)
    assert all(word & 0xFFFFFFFF == 0 for word in words)


def test_operand_numbers() -> None:
    assert OPERANDS == {"RAX": 0, "RCX": 1, "RDX": 2, "R8": 8, "R9": 9, "R10": 10}


def test_an_index_above_a_byte_keeps_its_field() -> None:
    made = encode("TDX_INVALID_TDMR", Detail(tdmr=300))
    assert made.status == 0xC0000A000000002C
    assert made.tdmr == 300


def test_only_success_is_accepted() -> None:
    assert SUCCESS.accepted
    assert SUCCESS.details == (0, 0, 0, 0)
    assert not encode("TDX_TDMR_ALREADY_INITIALIZED").accepted
