# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cut blocks of log lines at their quotes, and apply a rule once to each distinct field.

A line of the Combined Log Format has six quotes. pyarrow's tokenizer cuts the lines with exactly
six at them, so no field contains a quote. All other lines are returned as text, for an exact rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import Any

from .._base.libs import np, pa, pa_csv, pc

FIELDS = ("client", "request", "answer", "referrer", "gap", "agent", "end")

#: Distinct values remembered per field: more than real logs have, and a bound for hostile ones.
_REMEMBERED_VALUES = 100_000
_LAST_ASCII = 0x7F


class RuleResults:
    """The distinct results of a rule for a field. A new result gets the next number."""

    def __init__(self, is_relevant: Callable[[Any], bool]) -> None:
        self.results: list[Any] = []
        """The results by number."""
        self._is_relevant = is_relevant
        self._relevant: list[bool] = []
        self._by_value: dict[bytes, int] = {}
        self._by_result: dict[Any, int] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._by_value)

    def numbers(self, values: Sequence[bytes], rule: Callable[[str], Any]) -> Any:
        """Return the number of the result for each value, as numpy int32."""
        with self._lock:
            by_value = self._by_value
            for value in values:
                if value not in by_value:
                    by_value[value] = self._number(rule(value.decode()))
            return np.array([by_value[value] for value in values], np.int32)

    def numbers_of(self, results: Iterable[Any]) -> Any:
        """Return the numbers of results that the exact rule found, as numpy int32."""
        with self._lock:
            return np.array([self._number(result) for result in results], np.int32)

    def _number(self, result: Any) -> int:
        number = self._by_result.setdefault(result, len(self.results))
        if number == len(self.results):
            self._relevant.append(self._is_relevant(result))
            self.results.append(result)
        return number

    def relevant(self, numbers: Any) -> Any:
        """Return a mask of the numbers, as numpy column, whose result is relevant."""
        return np.array(self._relevant, bool)[numbers]


class MemoizedRule:
    """A rule for a whole field. It runs once for each distinct value, and memory is bounded."""

    def __init__(self, rule: Callable[[str], Any], is_relevant: Callable[[Any], bool]) -> None:
        """Remember results of ``rule``; lines count only if ``is_relevant`` accepts their result."""
        self._rule = rule
        self._is_relevant = is_relevant
        self._known = RuleResults(is_relevant)

    def __call__(self, column: Any) -> tuple[RuleResults, Any, Any]:
        """Apply the rule to a column, which is a pyarrow dictionary array.

        Return all results so far, the number of the result of each line, and a mask of the lines
        with a relevant result.
        """
        known = self._known
        if len(known) > _REMEMBERED_VALUES:
            known = self._known = RuleResults(self._is_relevant)
        numbers = known.numbers(column.dictionary.to_pylist(), self._rule)[codes_of(column)]
        return known, numbers, known.relevant(numbers)


def matches(column: Any, rule: str) -> Any:
    """Return a mask of the lines whose field matches a pattern as a whole, or one value for all.

    A plain column is fast if all its values are equal.
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
    """Return the lines with exactly six quotes as a column per field, and all others as text.

    A column is a binary array of pyarrow if it is in ``plain``, and otherwise a dictionary array of
    bytes. Empty lines are left out. Bytes that are not UTF-8 become U+FFFD.
    """
    if np.frombuffer(block, np.uint8).max(initial=0) > _LAST_ASCII:
        block = bytes(block).decode("utf-8", "replace").encode()
    odd_lines: list[str] = []

    def set_aside(row: Any) -> str:
        odd_lines.append(row.text)
        return "skip"

    if block[:1] != b"\n":
        # pyarrow would drop a byte order mark at the start, and refuse an empty block
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
    """Return the indices of a pyarrow dictionary array into its values, as numpy column."""
    return column.indices.to_numpy(zero_copy_only=False)


def lines_of(fields: dict[str, Any], rows: Any) -> list[str]:
    """Return the text of some lines that were cut at their quotes."""
    chosen = [fields[name].take(pa.array(rows)).to_pylist() for name in FIELDS]
    return [b'"'.join(parts).decode() for parts in zip(*chosen, strict=True)]
