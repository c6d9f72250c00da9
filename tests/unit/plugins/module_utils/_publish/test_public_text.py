"""Texts of clients in published files."""

from __future__ import annotations

import csv
import io
import ipaddress
from pathlib import Path

import pytest
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._base.errors import (
    OutputError,
)
from ansible_collections.fedora_infra.dnf_counting.plugins.module_utils._publish.public_text import (
    csv_text,
    has_address,
    public_text,
    refuse_private_columns,
    refuse_private_text,
    visible_text,
)
from hypothesis import example, given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "text",
    [
        "192.0.2.1",
        "repo-192.0.2.1-x",
        "192.0.2.1:8080",
        "10.1.2.0/24",
        "1.2.3.4.5",
        "300.1.2.3.4",
        "2001:db8::1",
        "[2001:DB8::1]:443",
        "fe80::1%eth0",
        "repo:2001:db8::7",
        "::1",
        "::ffff:192.0.2.1",
        "2001:db8:0:1:1:1:1:1",
        "\x10.2.3.4",
    ],
)
def test_has_address(text: str) -> None:
    assert has_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fedora-34",
        "8.4.2105",
        "8.4.2105.1",
        "epel-modular-8",
        "1.2.3",
        "std::",
        "::",
        "Foo::Bar",
        "2021-10-05T09:00:00+00:00",
        "12:30:45",
        "a:b:c",
    ],
)
def test_has_no_address(text: str) -> None:
    assert not has_address(text)


@given(st.ip_addresses(), st.text(" -_/=@", max_size=3), st.text("xyz -_/=@", max_size=3))
def test_every_address_is_seen(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, before: str, after: str
) -> None:
    text = str(address)
    if text != "::":
        assert has_address(f"{before}{text}{after}")
        assert public_text(f"{before}{text}{after}") == "(address)"


@given(st.text())
def test_a_cell_is_one_line_and_no_formula(text: str) -> None:
    cell = csv_text(text)
    assert len(cell.splitlines()) <= 1
    assert not cell.startswith(tuple("=+-@\t\r＝＋－＠"))  # noqa: RUF001
    out = io.StringIO(newline="")
    csv.writer(out).writerow([cell, "x"])
    assert next(csv.reader(io.StringIO(out.getvalue(), newline=""))) == [cell, "x"]


@given(st.text("\x10\x1f\x7f\x85.:12af"))
@example("\x10.2.3.4")
def test_no_cell_has_an_address_that_its_text_lacked(text: str) -> None:
    assert has_address(csv_text(public_text(text))) is False


def test_a_version_is_published_as_it_is() -> None:
    assert public_text("2.0.8.1", "os_version") == "2.0.8.1"
    assert public_text("2.0.8.1", "os_name") == "(address)"


def test_private_columns_are_refused() -> None:
    refuse_private_columns(["hits", "repo_tag"], "x.csv")
    with pytest.raises(OutputError, match=r"x.csv: .*the columns host, timestamp"):
        refuse_private_columns(["hits", "Timestamp", "host"], "x.csv")


@pytest.mark.parametrize(
    ("name", "content", "refused"),
    [
        ("x.csv", "os_name,os_version\r\nFedora,1.2.3.4\r\n", False),
        ("x.csv", 'os_name,os_version\r\n"a,1.2.3.4",5\r\n', True),
        ("x.csv", "os_name\r\nFedora,1.2.3.4\r\n", True),
        ("x.json", '{"a": "1.2.3.4"}', True),
        ("x.txt", "at 12:30:45", False),
        ("x.csv", "os_name\r\n" + "a.b.c." * 100_000 + "\r\n", False),
        ("x.csv", "os_name\r\n" + "a.b.c." * 100_000 + " 1.2.3.4\r\n", True),
    ],
)
def test_text_with_an_address_is_refused(
    tmp_path: Path, name: str, content: str, refused: bool
) -> None:
    path = tmp_path / name
    path.write_text(content, newline="")
    if refused:
        with pytest.raises(OutputError, match="no address"):
            refuse_private_text(path)
    else:
        refuse_private_text(path)


@pytest.mark.parametrize(
    ("text", "visible"),
    [
        ("Fedora Linux 34", "Fedora Linux 34"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u00a0b\nc", "a\\xa0b\\x0ac"),
        ("x" * 81, "x" * 79 + "…"),
    ],
)
def test_control_characters_are_shown_as_text(text: str, visible: str) -> None:
    assert visible_text(text) == visible
