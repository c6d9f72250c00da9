# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is counted, once more, line by line and table by table: the measure of speed and exactness.

This is no code of the software that is replaced. It is written from its rules, in its manner: a
regular expression for each line, tables for the names, and, in :data:`AWK`, a chain of comparisons
over the sorted lines. It knows only the releases the tables had. Unlike the original it leaves out
lines whose date it can't read instead of ending there, and it counts no first client of a date.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

FEDORAS = range(3, 40)
MODULAR_FEDORAS = range(27, 40)
EPELS = range(4, 10)

_PATTERN = re.compile(
    r"(?P<host>([\d.]+|[0-9a-fA-F:]+))\s(?P<identity>\S*)\s(?P<user>\S*)\s\[(?P<time>.*?)\]\s"
    r'"(?P<request>.*?)"\s(?P<status>\d+)\s(?P<bytes>\S*)\s"(?P<referrer>.*?)"\s'
    r'"(?P<agent>.*?)"\s*'
)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}


def _repo_table() -> dict[str, str]:
    table = {"rawhide": "rawhide", "frawhide": "rawhide", "rawhidemodular": "rawhide_modular"}
    for n in FEDORAS:
        for name in (f"{n}", f"f{n}", f"f{n:02}"):
            table[name] = f"f{n:02}"
    for n in MODULAR_FEDORAS:
        table[f"fmodular{n}"] = table[f"modularf{n}"] = f"modular_f{n}"
    for n in EPELS:
        table[f"epel{n}"] = f"epel{n}"
        for minor in range(21):
            table[f"epel{n}.{minor}"] = f"epel{n}"
        table[f"rhel{n}"] = f"rhel{n}"
    for n in (8, 9):
        table[f"epelnext{n}"] = f"epel_next{n}"
        table[f"playgroundepel{n}"] = f"playground_epel{n}"
    table["epelmodular8"] = "epel8"
    for n in range(32, 40):
        table[f"fciscoopenh264{n}"] = f"cisco_{n}"
    table["fciscoopenh264rawhide"] = "cisco_rawhide"
    for before, minors in (
        (6, "89 90 91 92 93"), (7, "89 90 91 92 93"), (8, "90 91 92 93"),
        (9, "90 90.1 91 92 93"), (10, "89 90 91 92 93"), (11, "89 90 91 92 93"),
        (12, "89 90 91 92 93"),
    ):  # fmt: skip
        for minor in minors.split():
            table[f"{before}.{minor}"] = table[f"f{before}.{minor}"] = f"f{before + 1:02}"
    return table


REPOS = _repo_table()
_ARCHES = {
    "i386": "i386", "i486": "i386", "i586": "i386", "i686": "i386", "athlon": "i386",
    "pentium": "i386", "pentium3": "i386", "pentium4": "i386", "pentium5": "i386", "ia32": "i386",
    "x86": "i386", "x86_32": "i386", "x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64",
    "arm64": "aarch64", "arm": "arm", "armhfp": "arm", "armv3l": "arm", "armv5tel": "arm",
    "armv7hl": "arm", "ppc": "ppc", "ppc32": "ppc", "powepc": "ppc", "ppc64": "ppc64",
    "ppc64le": "ppc64le", "s390": "s390", "s390x": "s390", "sparc": "sparc", "sparc64": "sparc64",
    "ia64": "ia64", "mips": "mips", "mips64": "mips64", "mips64el": "mips64", "alpha": "alpha",
    "tilegx": "tilegx",
}  # fmt: skip
#: Looked for by the original, to no effect: it takes its time all the same.
_UNUSED = "/$!#%&'\"()*+,_:;<>=?@[^|"
_ARCH_ENDS = "!\"#$%&'()*+,-./:;<=>?@[\\]^`{|}~"


def _look_for_unused(name: str) -> None:
    for character in _UNUSED:
        if character in name:
            name.split(character)


def repo_of(asked: str) -> str:
    name = asked.lower()
    _look_for_unused(name)
    for word in ("core", "fedora", "extras", "legacy", "fc"):
        if word in name:
            name = name.replace(word, "f")
    words = ".newkey install alpha beta client debug devel info optional preview released"
    for word in [*words.split(), "source", "testing", "updates"]:
        if word in name:
            name = name.replace(word, "")
    if "centosplus" in name:
        name = name.replace("centosplus", "centos")
    for word in ("client", "cloud", "server", "workstation"):
        if word in name:
            name = re.sub(f"{word}.*", "", name)
    if "-" in name:
        name = re.sub("-+", "", name)
    return REPOS.get(name.strip(), "unknown_repo")


def arch_of(asked: str) -> str:
    for end in _ARCH_ENDS:
        asked = asked.split(end)[0]
    return _ARCHES.get(asked.lower(), "unknown_arch")


def client_line(line: str) -> str:
    """``DATE HOST RELEASE ARCH``, or an empty text."""
    if not ("/metalink" in line or "/mirrorlist" in line):
        return ""
    match = _PATTERN.match(line)
    if not match:
        return ""
    fields = match.groupdict()
    try:
        day, month, year = fields["time"].split(":")[0].split("/")
        date = f"{year}-{_MONTHS[month]:02}-{day}"
    except (ValueError, KeyError):
        return ""
    repo = arch = ""
    try:
        for part in fields["request"].split()[1].split("?")[1].split("&"):
            if "repo=" in part:
                repo = part.split("=")[1]
            if "arch=" in part:
                arch = part.split("=")[1]
    except IndexError:
        repo = arch = ""
    return f"{date} {fields['host']} {repo_of(repo)} {arch_of(arch)}"


def client_lines(lines: Iterable[str]) -> list[str]:
    """The distinct ones, in order."""
    return sorted({found for line in lines if (found := client_line(line))})


def _awk() -> str:
    chain = [(f"epel{n}", f"epel{n}", "epel") for n in EPELS]
    chain += [(f"modular_f{n}", f"modular_f{n}", "modular") for n in MODULAR_FEDORAS]
    chain += [(f"f{n:02}", f"f{n:02}", "fedora") for n in FEDORAS]
    chain += [
        ("rawhide_modular", "modular_rawhide", "rawhide", "modular", "fedora"),
        ("rawhide", "rawhide", "fedora"),
        ("modular", "modular", "fedora"),
        ("centos", "centos", "epel"),
        ("rhel", "rhel", "epel"),
    ]
    releases = " else ".join(
        f'if ($3 ~ "{text}") {{ {"; ".join(f"""c["{one}"]++""" for one in counters)} }}'
        for text, *counters in chain
    )
    plain = ["arm", "aarch64", "ia64", "mips", "s390", "sparc", "tilegx"]
    names = {"aarch64": "arm64"}
    arches = [f'if ($4 ~ "{one}") {{ c["{names.get(one, one)}"]++ }}' for one in plain]
    for arch, column, start, epels in (
        ("i386", "x86_32", "x86_32", ("epel", "rhel", "centos")),
        ("x86_64", "x86_64", "x86_64", ("epel", "rhel", "centos")),
        ("ppc64le", "ppc64le", "ppc", ("epel",)),
        ("ppc64", "ppc64", "ppc", ("epel",)),
        ("ppc", "ppc", "ppc", ("epel",)),
    ):
        for ending, texts in (("e", epels), ("f", ("f[0-2]", "rawhide"))):
            counted = f'{{ c["{column}"]++; c["{start}_{ending}"]++ }}'
            arches += [f'if ($4 ~ "{arch}" && $3 ~ "{text}") {counted}' for text in texts]
    rest = {"i386": "x86_32", "x86_64": "x86_64", "ppc64le": "ppc64le", "ppc64": "ppc64"}
    arches += [
        f'if ($4 ~ "{arch}") {{ c["{column}"]++ }}'
        for arch, column in {**rest, "ppc": "ppc", "alpha": "alpha"}.items()
    ]
    return f"""
function row(    i, text) {{
    text = date
    for (i = 1; i <= columns; i++) text = text "," (c[name[i]] + 0)
    print text
    split("", c)
}}
BEGIN {{ columns = split(names, name, " "); date = "1970-01-02" }}
$1 == date {{
    {releases} else {{ c["unk_rel"]++ }}
    {" else ".join(arches)} else {{ c["unk_arc"]++ }}
    next
}}
{{ row(); date = $1 }}
END {{ row() }}
"""


AWK = _awk()


def rows_of_sorted(clients: Path, columns: Iterable[str]) -> list[str]:
    """The rows that the chain of comparisons makes of sorted lines."""
    command = ["awk", "-v", f"names={' '.join(columns)}", AWK, str(clients)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def main(log: str, clients: str) -> None:
    """Write the distinct client lines of a log, as the command of old did."""
    with Path(log).open(encoding="utf-8", errors="replace") as lines:
        found = client_lines(lines)
    Path(clients).write_text("".join(f"{line}\n" for line in found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
