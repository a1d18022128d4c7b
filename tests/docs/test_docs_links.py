"""Every link of the documentation leads somewhere."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest
from docs_pages import NAMES, PAGES, ROOT, anchors, links


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: there is no {link}"
        assert target.is_relative_to(ROOT), f"{page.name}: {link} leaves the project"
        assert not anchor or anchor in anchors(target), f"{page.name}: {path or page.name} has no heading {anchor!r}"


def test_the_readme_leads_to_every_page() -> None:
    found = {(ROOT / link.partition("#")[0]).resolve() for link in links(ROOT / "README.md") if "://" not in link}
    assert {page for page in PAGES if page.name != "README.md"} <= found
