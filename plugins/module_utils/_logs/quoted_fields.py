# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocks of log lines cut at their quotes, and rules for whole fields run once per distinct value.

A line of the Combined Log Format has six quotes. One with exactly six is cut at them by pyarrow's
tokenizer, so no field holds a quote; every other line is given as text, for an exact rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Any

from .._base.libs import np, pa, pa_csv, pc

FIELDS = ("client", "request", "answer", "referrer", "gap", "agent", "end")

#: Distinct values remembered per field; far above what real logs have, a bound for hostile ones.
_REMEMBERED_VALUES = 100_000
_LAST_ASCII = 0x7F


class Outcomes:
    """What a rule said of the values of a field so far; outcomes have numbers and only get more."""

    def __init__(self, fits: Callable[[Any], bool]) -> None:
        self.outcomes: list[Any] = []
        self._fits = fits
        self._fitting: list[bool] = []
        self._by_value: dict[bytes, int] = {}
        self._by_outcome: dict[Any, int] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._by_value)

    def numbers(self, values: Sequence[bytes], rule: Callable[[str], Any]) -> Any:
        """The number of the outcome for each value, as numpy int32."""
        with self._lock:
            by_value = self._by_value
            for value in values:
                if value not in by_value:
                    by_value[value] = self._number(rule(value.decode()))
            return np.array([by_value[value] for value in values], np.int32)

    def numbers_of(self, outcomes: Iterable[Any]) -> Any:
        """The numbers of outcomes that come from elsewhere, as numpy int32."""
        with self._lock:
            return np.array([self._number(outcome) for outcome in outcomes], np.int32)

    def _number(self, outcome: Any) -> int:
        number = self._by_outcome.setdefault(outcome, len(self.outcomes))
        if number == len(self.outcomes):
            self._fitting.append(self._fits(outcome))
            self.outcomes.append(outcome)
        return number

    def fitting(self, numbers: Any) -> Any:
        """For each number, as numpy column, whether its outcome fits."""
        return np.array(self._fitting, bool)[numbers]


class FieldRule:
    """A rule for a whole field, run once per distinct value and remembered within bounds."""

    def __init__(self, rule: Callable[[str], Any], fits: Callable[[Any], bool]) -> None:
        """``fits`` says which outcomes of the rule a line is worth looking at for."""
        self._rule = rule
        self._fits = fits
        self._known = Outcomes(fits)

    def __call__(self, column: Any) -> tuple[Outcomes, Any, Any]:
        """What is known, and for each line of a column the number of its outcome, and if it fits.

        The column is a pyarrow dictionary array.
        """
        known = self._known
        if len(known) > _REMEMBERED_VALUES:
            known = self._known = Outcomes(self._fits)
        numbers = known.numbers(column.dictionary.to_pylist(), self._rule)[codes_of(column)]
        return known, numbers, known.fitting(numbers)


def matches(column: Any, rule: str) -> Any:
    """Which lines of a field match a rule as a whole: booleans, or one where it is that of all.

    A plain column is quick where all lines have the same.
    """
    if not isinstance(column, pa.DictionaryArray):
        if len(column) and pc.all(pc.equal(column, column[0])).as_py():
            return _matching(column[:1], rule)[0]
        column = column.dictionary_encode()
    matching = _matching(column.dictionary, rule)
    return matching.all() or matching[codes_of(column)]


def _matching(values: Any, rule: str) -> Any:
    return pc.match_substring_regex(values, f"^(?:{rule})$").to_numpy(zero_copy_only=False)


def cut_at_quotes(
    block: bytes | memoryview, *, plain: Sequence[str]
) -> tuple[dict[str, Any], list[str]]:
    """Lines with exactly six quotes as a column per field; all others as text. No empty lines.

    A column is a pyarrow dictionary array of bytes, or a binary array where it is ``plain``. What
    is not UTF-8 becomes U+FFFD.
    """
    if np.frombuffer(block, np.uint8).max(initial=0) > _LAST_ASCII:
        block = bytes(block).decode("utf-8", "replace").encode()
    odd_lines: list[str] = []

    def set_aside(row: Any) -> str:
        odd_lines.append(row.text)
        return "skip"

    if block[:1] != b"\n":
        # else pyarrow would drop a byte order mark, and refuse an empty block
        block = b"\n" + bytes(block)
    coded = pa.dictionary(pa.int32(), pa.binary())
    table = pa_csv.read_csv(
        pa.py_buffer(block),
        read_options=pa_csv.ReadOptions(
            column_names=FIELDS, block_size=len(block) + 1, use_threads=False
        ),
        parse_options=pa_csv.ParseOptions(
            delimiter='"',
            quote_char=False,
            double_quote=False,
            escape_char=False,
            invalid_row_handler=set_aside,
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types={n: pa.binary() if n in plain else coded for n in FIELDS},
            null_values=[],
            strings_can_be_null=False,
        ),
    )
    return {name: table[name].chunk(0) for name in FIELDS}, odd_lines


def codes_of(column: Any) -> Any:
    """The indices of a pyarrow dictionary array into its values, as numpy column."""
    return column.indices.to_numpy(zero_copy_only=False)


def lines_of(fields: dict[str, Any], rows: Any) -> list[str]:
    """The text of some lines that were cut at their quotes."""
    chosen = [fields[name].take(pa.array(rows)).to_pylist() for name in FIELDS]
    return [b'"'.join(parts).decode() for parts in zip(*chosen, strict=True)]
