"""The README's figures."""

from site_under_test import FOLDER

import count_lines


def test_the_readme_has_the_counted_lines() -> None:
    text = (FOLDER / "README.md").read_text()
    assert text.partition("<!-- lines -->\n")[2].partition("\n<!-- end -->")[0] == count_lines.table()
