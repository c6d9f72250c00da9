# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records as JSON: convert dataclasses and named tuples to JSON values, and back by their types.

A dataclass becomes an object with its fields, a named tuple an array, and a date a text such as
``2021-09-28``. Every field has to be there again in reading; unknown keys of an object are ignored.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache, partial
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    NamedTuple,
    TypeAlias,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

_T = TypeVar("_T")
_Decoder: TypeAlias = Callable[[Any], Any]

#: Annotates a field, itself a dataclass, whose own fields are written into the outer object.
INLINE: Final = "inline"


class _Field(NamedTuple):
    name: str
    type: Any
    is_inline: bool


@cache
def _fields_of(kind: Any) -> tuple[_Field, ...]:
    types = get_type_hints(kind, include_extras=True)
    found = []
    for field in dataclasses.fields(kind):
        annotated = types[field.name]
        is_inline = get_origin(annotated) is Annotated and INLINE in annotated.__metadata__
        inner = get_args(annotated)[0] if is_inline else annotated
        found.append(_Field(field.name, inner, is_inline))
    return tuple(found)


def to_json(value: Any) -> Any:
    """Return a record, or a value of one, as JSON values."""
    if dataclasses.is_dataclass(value):
        members: dict[str, Any] = {}
        for name, _type, is_inline in _fields_of(cast(Any, type(value))):
            member = to_json(getattr(value, name))
            members |= member if is_inline else {name: member}
        return members
    if isinstance(value, Mapping):
        return {str(key): to_json(member) for key, member in value.items()}
    if isinstance(value, tuple | list):
        return [to_json(member) for member in value]
    return value.isoformat() if isinstance(value, date) else value


def from_json(kind: type[_T], value: Any) -> _T:
    """Return the record of a class that JSON values describe.

    Raises KeyError, TypeError or ValueError for values that describe no such record.
    """
    return cast(_T, _decoder(cast(Any, kind))(value))


@cache
def _decoder(kind: Any) -> _Decoder:
    """Return the function that converts JSON values to a type."""
    origin = get_origin(kind) or kind
    arguments = get_args(kind)
    if kind is Any:
        return _unchanged
    if origin in (Union, UnionType):
        (some,) = (one for one in arguments if one is not NoneType)
        return partial(_optional, _decoder(some))
    if dataclasses.is_dataclass(origin):
        members = [
            (one.name, one.is_inline, _decoder(one.type)) for one in _fields_of(cast(Any, origin))
        ]
        return partial(_dataclass, origin, members)
    if issubclass(origin, tuple):
        return _tuple_decoder(origin, arguments)
    if issubclass(origin, Mapping):
        key, member = arguments
        return partial(_mapping, int if key is int else str, _decoder(member))
    if origin is date:
        return date.fromisoformat
    return partial(_checked, (int, float) if origin is float else origin)


def _tuple_decoder(kind: Any, arguments: tuple[Any, ...]) -> _Decoder:
    if arguments and arguments[-1] is Ellipsis:
        return partial(_sequence, _decoder(arguments[0]))
    names = getattr(kind, "_fields", ())
    types = get_type_hints(kind) if names else {}
    members = [_decoder(types[name]) for name in names] or [_decoder(one) for one in arguments]
    return partial(_fixed, getattr(kind, "_make", tuple), members)


def _unchanged(value: Any) -> Any:
    return value


def _checked(kind: Any, value: Any) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"not of the type {kind}: {value!r}")
    return value


def _optional(decode: _Decoder, value: Any) -> Any:
    return None if value is None else decode(value)


def _dataclass(kind: Any, members: list[tuple[str, bool, _Decoder]], value: Any) -> Any:
    found = _checked(dict, value)
    return kind(
        **{name: decode(found if inline else found[name]) for name, inline, decode in members}
    )


def _sequence(decode: _Decoder, value: Any) -> Any:
    return tuple(decode(member) for member in _checked(list, value))


def _fixed(make: Callable[[Any], Any], members: list[_Decoder], value: Any) -> Any:
    pairs = zip(members, _checked(list, value), strict=True)
    return make([decode(member) for decode, member in pairs])


def _mapping(key: Callable[[str], Any], decode: _Decoder, value: Any) -> Any:
    return {key(name): decode(member) for name, member in _checked(dict, value).items()}
