# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of collection and libraries on the log host: look, make, switch to one, discard one.

    versions.py look|make|switch|discard SETTINGS

SETTINGS is a JSON object; what became of it goes to standard output, JSON as well. All lies in one
folder: ``collection-HASH`` and ``libraries-HASH``, each made once and never changed, and
``versions.json``, which says what is in use ``now`` and what was ``before``. That file is what a
run goes by, so replacing it is the switch; the link ``collection`` beside it, and the virtual
environment that the role's variable names, follow it. Python 3.9 and its library have to do.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tarfile

#: In a folder of libraries: it is there only when all of them are.
COMPLETE = ".complete"
#: Below a folder ``collection-HASH``.
COLLECTION = "ansible_collections/fedora_infra/dnf_counting"
REQUIREMENTS = f"{COLLECTION}/roles/web_data_analysis/files/requirements.txt"
#: The last that pip said, in characters.
SAID = 2000


class VersionError(Exception):
    """The version can't be made or used; the message says why, what is in use, and what to do."""


def recorded(settings):
    """What is in use now and what was before; neither where that is not, or badly, recorded."""
    try:
        with open(f"{settings['versions']}/versions.json", encoding="utf-8") as opened:
            record = json.load(opened)
        return record["now"], record["before"]
    except (FileNotFoundError, ValueError, KeyError):
        return None, None


def is_there(settings, name):
    """Whether a folder is there and complete."""
    path = f"{settings['versions']}/{name}"
    if name.startswith("libraries-"):
        python = f"{path}/bin/python"
        return os.path.exists(f"{path}/{COMPLETE}") and os.access(python, os.X_OK)
    return os.path.isdir(path)


def folders_of(*versions):
    """The collections' first, for they have the lists of libraries."""
    kinds = ("collection_dir", "libraries_dir")
    return [version[kind] for version in versions if version for kind in kinds]


def changes(old, new):
    """Texts that tell what differs between two versions, of which the old one may be none."""
    if old is None:
        yield f"collection: none -> {new['collection']}"
        yield f"libraries: none -> {len(new['libraries'])} for Python {new['python']}"
        return
    if old["collection"] != new["collection"]:
        yield f"collection: {old['collection']} -> {new['collection']}"
    elif old["collection_dir"] != new["collection_dir"]:
        yield f"collection: {old['collection']} -> {new['collection']} with other files"
    if old["python"] != new["python"]:
        yield f"Python: {old['python']} -> {new['python']}"
    names = sorted(old["libraries"].keys() | new["libraries"].keys())
    for name in names:
        was, becomes = (version["libraries"].get(name, "none") for version in (old, new))
        if was != becomes:
            yield f"{name}: {was} -> {becomes}"
    if old["libraries_dir"] != new["libraries_dir"] and old["libraries"] == new["libraries"]:
        yield "libraries: the same versions, made anew"


def spelled(version):
    return f"collection {version['collection']}" if version else "no version"


def look(settings):
    """What is in use, what is wanted, and what has to be made for it. Raises VersionError."""
    now, before = recorded(settings)
    reverted = settings["state"] == "reverted"
    if reverted and (before is None or not is_there(settings, before["collection_dir"])):
        raise VersionError(
            f"expected a version before the one in use, found none in {settings['versions']}. "
            "Install the collection that you want, and run update_packages from it."
        )
    wanted = before if reverted else settings["wanted"]
    missing = [name for name in folders_of(wanted) if not is_there(settings, name)]
    return {
        "now": now,
        "before": before,
        "wanted": wanted,
        "missing": missing,
        "untested": wanted != now or bool(missing),
        "changes": list(changes(now, wanted)),
    }


@contextlib.contextmanager
def alone(settings):
    """No other update at the same time. Raises VersionError."""
    # nobody else may open it, and keep us waiting
    lock = os.open(f"{settings['versions']}/.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise VersionError(
                f"expected to be alone, found another update at work in {settings['versions']}. "
                "Wait until it is over, then run again."
            ) from error
        # a pip that outlives us still holds it
        os.set_inheritable(lock, True)
        yield
    finally:
        os.close(lock)


def who_runs(lock):
    """Which run is at work, as it says in its lock; empty where none is."""
    try:
        # the counting user could put anything there
        descriptor = os.open(lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return ""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        said = os.read(descriptor, 200).decode("ascii", "replace")
        return "".join(sign for sign in said if sign.isprintable()) or "one that says nothing"
    finally:
        os.close(descriptor)
    return ""


def unpack(settings, name):
    """Make a folder of the collection from the archive that lies beside it."""
    half = f"{settings['versions']}/{name}.half"
    shutil.rmtree(half, ignore_errors=True)
    with tarfile.open(f"{settings['versions']}/{settings['archive']}") as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _path: member)
        archive.extractall(half)  # noqa: S202 (packed by this role)
    # all of it before its name says so, also where the power fails
    os.sync()
    os.rename(half, f"{settings['versions']}/{name}")


def install(settings, version, run):
    """Make the virtual environment of a version, where it stays. Raises VersionError."""
    folder = f"{settings['versions']}/{version['libraries_dir']}"
    requirements = f"{settings['versions']}/{version['collection_dir']}/{REQUIREMENTS}"
    shutil.rmtree(folder, ignore_errors=True)
    # -I: nothing of the folder that this was started in
    pip = [f"{folder}/bin/python", "-I", "-m", "pip", "--quiet", "--disable-pip-version-check"]
    commands = (
        [settings["python"], "-I", "-m", "venv", folder],
        [*pip, "install", "--require-hashes", f"--requirement={requirements}"],
    )
    for command in commands:
        done = run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                   stderr=subprocess.STDOUT, text=True, check=False, close_fds=False)  # fmt: skip
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            raise VersionError(
                f"expected to make a virtual environment with the libraries, found "
                f"{done.stdout.strip()[-SAID:] or f'exit code {done.returncode}'}. "
                f"Nothing was changed, {spelled(recorded(settings)[0])} is in use. See that "
                f"{settings['python']} can make virtual environments and that the package index "
                "that pip is configured for can be reached, then run again."
            )
    # all of it before what says so, also where the power fails
    os.sync()
    with open(f"{folder}/{COMPLETE}", "w", encoding="ascii"):
        pass


def make(settings, run=subprocess.run):
    """Make what is missing of the wanted version."""
    made = []
    with alone(settings):
        wanted = look(settings)["wanted"]
        for name in folders_of(wanted):
            if is_there(settings, name):
                continue
            if name.startswith("collection-"):
                unpack(settings, name)
            else:
                install(settings, wanted, run)
            made.append(name)
    return {"made": made}


def link(path, target):
    """Have a link lead to a folder, without a moment in which it is not there."""
    if os.path.islink(path) and os.readlink(path) == target:
        return False
    new = f"{path}.new"
    if os.path.lexists(new):
        os.unlink(new)
    os.symlink(target, new)
    os.replace(new, path)
    return True


def record(settings, now, before):
    path = f"{settings['versions']}/versions.json"
    with open(f"{path}.new", "w", encoding="utf-8") as opened:
        json.dump({"now": now, "before": before}, opened, indent=2, sort_keys=True)
        opened.write("\n")
        opened.flush()
        os.fsync(opened.fileno())
    os.replace(f"{path}.new", path)


def check_usable(settings, missing):
    """Raise VersionError unless the wanted version can be switched to."""
    if missing:
        raise VersionError(
            f"expected {', '.join(missing)} in {settings['versions']}, found that another update "
            "has removed it. Nothing was changed. Run again."
        )
    if os.path.lexists(settings["venv"]) and not os.path.islink(settings["venv"]):
        raise VersionError(
            f"expected {settings['venv']} to be a link to a version, found a folder that is not "
            "ours. Nothing was changed. Move it away, or set web_data_analysis_venv to another "
            "path, then run again."
        )


def remove_others(settings, kept):
    """Remove all versions but those in ``kept``; the names of what was removed."""
    stay = {"versions.json", "collection", ".lock", *kept}
    others = sorted(set(os.listdir(settings["versions"])) - stay)
    for name in others:
        path = f"{settings['versions']}/{name}"
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    return others


def switched(found):
    """What a switch to the wanted version tells, before it is made."""
    changed = found["wanted"] != found["now"]
    return {"changes": found["changes"], "changed": changed, "removed": [], "running": ""}


def switch(settings):
    """Use the wanted version from the next run on, and remove those that nobody needs."""
    if settings["check"]:
        return switched(look(settings))
    with alone(settings):
        found = look(settings)
        now, before, wanted = found["now"], found["before"], found["wanted"]
        result = switched(found)
        check_usable(settings, found["missing"])
        if settings["state"] != "reverted" and wanted != now:
            before = now
        if (wanted, before) != (now, found["before"]):
            record(settings, wanted, before)
        libraries = f"{settings['versions']}/{wanted['libraries_dir']}"
        relative = os.path.relpath(libraries, os.path.dirname(settings["venv"]))
        result["changed"] |= link(settings["venv"], relative)
        result["changed"] |= link(f"{settings['versions']}/collection", wanted["collection_dir"])
        # one that begins now goes by the record, but one at work may use an older version
        result["running"] = who_runs(settings["run_lock"])
        # after going back, the newer one stays for those who change their mind
        if not result["running"] and settings["state"] != "reverted":
            result["removed"] = remove_others(settings, folders_of(wanted, before))
    return {**result, "changed": result["changed"] or bool(result["removed"])}


def discard(settings):
    """Remove what was made of the wanted version, unless it is in use or was before."""
    with alone(settings):
        found = look(settings)
        kept = folders_of(found["now"], found["before"])
        removed = [name for name in folders_of(found["wanted"]) if name not in kept]
        if who_runs(settings["run_lock"]):
            # by a run that began before two updates
            removed = []
        for name in removed:
            shutil.rmtree(f"{settings['versions']}/{name}", ignore_errors=True)
    return {"removed": removed}


COMMANDS = {"look": look, "make": make, "switch": switch, "discard": discard}


def main():
    # the counting user reads all of it, whatever the umask of root
    os.umask(0o022)
    try:
        print(json.dumps(COMMANDS[sys.argv[1]](json.loads(sys.argv[2]))))
    except VersionError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"expected to keep the versions, found {error}. See to that, then run again.")


if __name__ == "__main__":
    main()
