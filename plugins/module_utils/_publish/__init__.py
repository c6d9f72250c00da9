# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first part of the stage ``publish``: the files that readers download.

It takes totals, and writes published files and their index. The files of a profile change together.

It may import ``_base``, ``_storage`` and ``_totals``.
"""
