"""Lines of the mirror list's log as they come and as they must not, from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator

from ansible_collections.fedora_infra.dnf_counting.tests.support.log_lines import spoiled_lines

_HOSTS = (
    b"192.0.2.1", b"192.0.2.77", b"2001:db8::1", b"2001:DB8::AbCd", b"::ffff:192.0.2.7", b"...",
    b"cafe", b"123", b"client.example.org", b"-", b"", b"[::1]", "١٢".encode(), b"1.2.3.4,5",
)  # fmt: skip
_TIMES = (
    b"27/Sep/2021:12:00:00 +0000", b"28/Sep/2021:00:00:03 +0000", b"7/Sep/2021:1:2:3 +0000",
    b"27/Sep/2021:99:99:99 +9999", b"27/Sep/2021", b"27/Sep/2021:12:00:00] \" +0000",
    b"27/Sep/2021:12:00:00 +0200", b"27/Foo/2021:00:00:00 +0000", b"32/Sep/2021:00:00:00 +0000",
    b"27/sep/2021:12:00:00 +0000", b"2021-09-27T12:00:00Z", b"", b" 7/Sep/2021:12:00:00 +0000",
    b"27/Sep/2021:12:00:00 +0000] [26/Sep/2021:12:00:00 +0000",
)  # fmt: skip
_REPOS = (
    b"fedora-33", b"fedora-50", b"updates-released-f39", b"FEDORA-33", b"core-6", b"fedora-core-6",
    b"fc3", b"f9.90", b"9.90.1", b"f09", b"03", b"extras-devel-7", b"rawhide", b"fedora-rawhide",
    b"rawhide-modular", b"fedora-modular-33", b"updates-released-modular-f34", b"epel-8.4",
    b"epel-8.21", b"epel-11", b"epel-z-10.1", b"epel-modular-8", b"epel-next-9",
    b"playground-epel8",
    b"fedora-cisco-openh264-33", b"fedora-cisco-openh264-rawhide", b"epel-cisco-openh264-9",
    b"rhel-7-server", b"rhel4client", b"epel-source-6Server", b"centosplus", b"fedora-cliinfoent-8",
    b"33", b"264", b"100", b"0", b"", b"a=b", b"%66edora-33", b"epel-z-10${releasever_minor:+-z}",
    b"fedora-33?x", b"fedora%2D33", "fédora-33".encode(), b"\xff33", b"x" * 300, b"FEDOR\xc4\xb0-3",
)  # fmt: skip
_ARCHES = (
    b"x86_64", b"aarch64", b"armhfp", b"i686", b"ppc64le", b"s390x", b"amd64", b"X86_64",
    b"sparc64", b"mips64el", b"x86_64/", b"x86_64)", b"ppc%20", b"$basearch", b"", b"riscv64",
    b"i386=i386",
)  # fmt: skip


def mirror_line(rng: random.Random) -> bytes:
    """A line put together from fields that are mostly right."""

    def field(values: tuple[bytes, ...], most: float = 0.85) -> bytes:
        return values[0] if rng.random() < most else rng.choice(values)

    parts = [field((b"repo=", b"Repo=", b"xrepo=", b"repo")) + rng.choice(_REPOS)]
    parts += [field((b"arch=", b"march=", b"arch")) + field(_ARCHES, 0.5)]
    parts += [rng.choice((b"repo=epel-7", b"countme=1", b"", b"arch=i386", b"x=repo=f3&arch"))]
    rng.shuffle(parts)
    path = field((b"/metalink", b"/mirrorlist", b"//metalink", b"/x", b"/metalink/x", b"metalink"))
    request = b"%b %b%b%b %b" % (
        field((b"GET", b"HEAD", b"POST", b"", b"GET ")),
        path,
        field((b"?", b"", b"??", b" ?")),
        field((b"&", b"&&", b";")).join(parts[: rng.randint(0, 3)]),
        field((b"HTTP/2.0", b"", b"HTTP/1.1 x")),
    )
    return b'%b %b %b [%b] "%b" %b %b "%b" "%b"%b' % (
        field(_HOSTS, 0.5),
        field((b"-", b"", b"a\tb")),
        field((b"-", b"alice", b'""', b"a b", b"/metalink")),
        field(_TIMES, 0.8),
        request,
        field((b"200", b"302", b"404", b"20x", "٢٠٠".encode())),
        field((b"18336", b"-", b"12k", b"", b"/mirrorlist", b"1 2")),
        field((b"-", b"https://example.org/metalink", b"", b'a" 1 1 "b')),
        field((b"libdnf (Fedora 33; server; Linux.x86_64)", b"/mirrorlist", b"", b'x\\"y')),
        field((b"", b" ", b" /metalink", b' "x"', b" 1")),
    )


def mirror_lines(count: int, seed: int) -> Iterator[bytes]:
    """Lines of the mirror list's log, for the rules of condensing."""
    return spoiled_lines(mirror_line, count, seed, mutated_share=0.3)
