"""Every kind of file that people have comes out right."""

import pytest

from tests.picture.kinds import KINDS, found


@pytest.mark.parametrize("name", KINDS)
def test_what_comes_out_keeps_what_came_in(name, tmp_path):
    assert found(KINDS[name], tmp_path).wrong == []
