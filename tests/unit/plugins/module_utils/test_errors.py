# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError


def test_failure_is_data() -> None:
    error = LagoError("Do this.", "some_code", 422, {"base": ["x"]})
    assert str(error) == error.message == "Do this."
    assert error.as_failure() == {"code": "some_code", "status": 422, "details": {"base": ["x"]}}


def test_status_and_details_may_be_missing() -> None:
    assert LagoError("Do this.", "c").as_failure() == {"code": "c", "status": None, "details": {}}


def test_details_are_copied() -> None:
    details = {"a": 1}
    error = LagoError("m", "c", details=details)
    details["a"] = 2
    assert error.details == {"a": 1}
