# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage ``sync``: fetch the rotated logs of all hosts by rsync.

It takes hosts, their sources and days, and writes the folders ``HOST/YYYY/MM/DD/http`` of the
hosts' tree and a memory of each host.

It may import ``_base``, ``_storage`` and ``_logs``.
"""
