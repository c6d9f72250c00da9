# Copyright: Contributors to the fedora_infra.dnf_counting project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The code that all Ansible modules share; the only package that imports Ansible.

It takes the parameters of a module, and returns its result or its one failure.

It may import ``_base``, ``_storage``, ``_watch`` and ``_status``.
"""
