from collections.abc import Iterator
from pathlib import Path

import pytest
from site_under_test import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.close()
