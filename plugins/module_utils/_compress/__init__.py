# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage ``compress``: compress the combined logs of past months.

It takes plain combined logs, and replaces each by its compressed and verified variant.

It may import ``_base``, ``_storage`` and ``_logs``.
"""
