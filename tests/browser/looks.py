"""What is wrong with how a page looks, as far as a browser can tell by itself."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

import pool.dashboard

AXE = Path(next(iter(pool.dashboard.__path__)), "frontend", "node_modules", "axe-core", "axe.min.js")
TAP_PX = 24
"""What a finger can hit, by WCAG 2.2, 2.5.8; links within text are exempt there too."""

_CUT = """() => [...document.querySelectorAll('#page *')].filter(each => {
  const style = getComputedStyle(each);
  const scrolls = ['auto', 'scroll'].includes(style.overflowX)
    || each.closest('.hidden, nav, .plot, thead, .explained');
  return !scrolls && each.clientWidth > 0 && each.textContent.trim() && each.scrollWidth > each.clientWidth + 1
    && style.display !== 'inline';
}).map(each => `${each.tagName} ${each.className}: ${each.textContent.slice(0, 60)}`)"""
_SMALL = """size => [...document.querySelectorAll('a, button, select, input')].filter(each => {
  const { width, height } = each.getBoundingClientRect();
  const words = each.tagName === 'A' && each.closest('p, small, h2');
  const isInText = words && words.textContent.trim() !== each.textContent.trim();
  return width > 0 && Math.min(width, height) < size && !isInText && !each.closest('td, th, label, .skip');
}).map(each => `${each.tagName} ${each.textContent || each.ariaLabel}`)"""


def violations(page: Page) -> list[str]:
    """What axe finds against the accessibility of a page."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(
        "axe.run().then(({violations}) => violations.map(each => `${each.id}: ${each.nodes.map(n => n.html)}`))"
    )
    return found


def cut(page: Page) -> list[str]:
    """Elements whose words do not fit into them, and the page if it is wider than its window."""
    found: list[str] = page.evaluate(_CUT)
    wider: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return found + ([f"the page, by {wider} px"] if wider > 0 else [])


def small(page: Page) -> list[str]:
    """Buttons, fields and links on their own that a finger misses."""
    found: list[str] = page.evaluate(_SMALL, TAP_PX)
    return found
