# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and databases on a machine that can fail at any moment.

It takes paths and contents, and writes whole files: temporary file, fsync, rename. It also has
locks, connections to SQLite and DuckDB, and checks of shares that may not answer. Nothing in it
depends on the meaning of a file.

It may import ``_base``.
"""
