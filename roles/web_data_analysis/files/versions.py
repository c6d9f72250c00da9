# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage the versions of the collection and its libraries on the log host.

    versions.py look|make|switch|discard SETTINGS

``look`` compares the versions, ``make`` makes the folders of the new version, ``switch`` switches
to it, and ``discard`` removes its folders. SETTINGS is a JSON object. The program writes its result
as JSON to standard output. All files are in one folder: ``collection-HASH`` and ``libraries-HASH``,
which are made once and never changed, and ``versions.json`` with the version in use ``now`` and
the version ``before``. A run reads ``versions.json``, so replacing this file is the switch. The link
``collection`` in this folder and the link at web_data_analysis_venv are set after it. The program
needs only the standard library of Python 3.9.
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

#: A file in a folder of libraries, which is written when all libraries are there.
COMPLETE = ".complete"
#: The path below a folder ``collection-HASH``.
COLLECTION = "ansible_collections/fedora_infra/dnf_counting"
REQUIREMENTS = f"{COLLECTION}/roles/web_data_analysis/files/requirements.txt"
#: The number of characters from the end of pip's output.
OUTPUT_LENGTH = 2000


class VersionError(Exception):
    """The version cannot be made or used; the message has the reason and the remedy."""


def recorded(settings):
    """Return the version in use and the version before; None where there is no valid record."""
    try:
        with open(f"{settings['versions']}/versions.json", encoding="utf-8") as opened:
            record = json.load(opened)
        return record["now"], record["before"]
    except (FileNotFoundError, ValueError, KeyError):
        return None, None


def is_there(settings, name):
    """Return true if a folder is there and complete."""
    path = f"{settings['versions']}/{name}"
    if name.startswith("libraries-"):
        python = f"{path}/bin/python"
        return os.path.exists(f"{path}/{COMPLETE}") and os.access(python, os.X_OK)
    return os.path.isdir(path)


def folders_of(*versions):
    """Return the folders of versions, the collections first, because they list the libraries."""
    kinds = ("collection_dir", "libraries_dir")
    return [version[kind] for version in versions if version for kind in kinds]


def changes(old, new):
    """Yield the differences between two versions as texts; the old version may be None."""
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
        yield "libraries: the same versions, made again"


def described(version):
    return f"collection {version['collection']}" if version else "no version"


def look(settings):
    """Return the version in use, the new one, and its missing folders. Raises VersionError."""
    now, before = recorded(settings)
    reverted = settings["state"] == "reverted"
    if reverted and (before is None or not is_there(settings, before["collection_dir"])):
        raise VersionError(
            f"expected a version before the one in use, found none in {settings['versions']}. "
            "Install the collection that you want to use, and start update_packages from it."
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
    """Lock out other updates. Raises VersionError."""
    # Other users may not open the lock, because they could block the update.
    lock = os.open(f"{settings['versions']}/.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise VersionError(
                f"expected no other update, found another update at work in {settings['versions']}. "
                "Wait until it has ended, then update again."
            ) from error
        # A pip that is still running after this program ends keeps the lock.
        os.set_inheritable(lock, True)
        yield
    finally:
        os.close(lock)


def who_runs(lock):
    """Return the run at work from its lock; empty if there is none."""
    try:
        # The counting user could put any file there.
        descriptor = os.open(lock, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return ""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 200).decode("ascii", "replace")
        return "".join(sign for sign in holder if sign.isprintable()) or "unknown"
    finally:
        os.close(descriptor)
    return ""


def unpack(settings, name):
    """Make a folder of the collection from the archive in the folder of versions."""
    half = f"{settings['versions']}/{name}.half"
    shutil.rmtree(half, ignore_errors=True)
    with tarfile.open(f"{settings['versions']}/{settings['archive']}") as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, _path: member)
        archive.extractall(half)  # noqa: S202 (packed by this role)
    # All files must be on disk before the folder gets its name, in case the power fails.
    os.sync()
    os.rename(half, f"{settings['versions']}/{name}")


def install(settings, version, run):
    """Make the virtual environment of a version in its final place. Raises VersionError."""
    folder = f"{settings['versions']}/{version['libraries_dir']}"
    requirements = f"{settings['versions']}/{version['collection_dir']}/{REQUIREMENTS}"
    shutil.rmtree(folder, ignore_errors=True)
    # -I: import nothing from the working directory.
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
                f"{done.stdout.strip()[-OUTPUT_LENGTH:] or f'exit code {done.returncode}'}. "
                f"Nothing was changed, {described(recorded(settings)[0])} is in use. Check that "
                f"{settings['python']} can make virtual environments and that the package index "
                "that pip is configured for can be reached, then run again."
            )
    # All files must be on disk before the file COMPLETE, in case the power fails.
    os.sync()
    with open(f"{folder}/{COMPLETE}", "w", encoding="ascii"):
        pass


def make(settings, run=subprocess.run):
    """Make the missing folders of the new version."""
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
    """Replace a link by a link to another folder, so that there is always a link."""
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
    """Raise VersionError unless the new version can be used."""
    if missing:
        raise VersionError(
            f"expected {', '.join(missing)} in {settings['versions']}, found that another update "
            "has removed it. Nothing was changed. Update again."
        )
    if os.path.lexists(settings["venv"]) and not os.path.islink(settings["venv"]):
        raise VersionError(
            f"expected {settings['venv']} to be a link to a version, found a folder that the role "
            "has not made. Nothing was changed. Move it away, or set web_data_analysis_venv to "
            "another path, then update again."
        )


def remove_others(settings, kept):
    """Remove all versions except those in ``kept``; return the removed names."""
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
    """Return the result of a switch to the new version before the switch."""
    changed = found["wanted"] != found["now"]
    return {"changes": found["changes"], "changed": changed, "removed": [], "running": ""}


def switch(settings):
    """Use the new version from the next run on, and remove versions that are not needed."""
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
        # A run that starts now reads the record, but a run at work may use an older version.
        result["running"] = who_runs(settings["run_lock"])
        # After going back, the newer version stays, so that it can be used again.
        if not result["running"] and settings["state"] != "reverted":
            result["removed"] = remove_others(settings, folders_of(wanted, before))
    return {**result, "changed": result["changed"] or bool(result["removed"])}


def discard(settings):
    """Remove the folders of the new version, unless they are in use or were before."""
    with alone(settings):
        found = look(settings)
        kept = folders_of(found["now"], found["before"])
        removed = [name for name in folders_of(found["wanted"]) if name not in kept]
        if who_runs(settings["run_lock"]):
            # A run that started before two updates may use the folders.
            removed = []
        for name in removed:
            shutil.rmtree(f"{settings['versions']}/{name}", ignore_errors=True)
    return {"removed": removed}


COMMANDS = {"look": look, "make": make, "switch": switch, "discard": discard}


def main():
    # The counting user reads all files, so the umask of root must not apply.
    os.umask(0o022)
    try:
        print(json.dumps(COMMANDS[sys.argv[1]](json.loads(sys.argv[2]))))
    except VersionError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(
            f"expected to write the versions, found {error}. Remove the cause, then update again."
        )


if __name__ == "__main__":
    main()
