"""One page of the desk in a browser that notes whatever should not happen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Desk", "Visitor", "visitor"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where a desk answers, and who may enter."""

    address: str
    name: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A page in one language, with what the console said and which requests went elsewhere."""

    desk: Desk
    page: Any
    texts: Mapping[str, Mapping[str, str]]
    complaints: list[str] = field(default_factory=list)

    def say(self, key: str, **values: object) -> str:
        """Return a text of the catalogue."""
        group, _, name = key.partition(".")
        text = self.texts[group][name]
        for placeholder, value in values.items():
            text = text.replace(f"{{{placeholder}}}", str(value))
        return text

    def enter(self) -> None:
        """Sign in."""
        self.page.goto(self.desk.address)
        self.page.fill("input[autocomplete=username]", self.desk.name)
        self.page.fill("input[type=password]", self.desk.password)
        self.page.click("form button.main")
        self.page.wait_for_selector("header .account")

    def go(self, hash_: str) -> None:
        """Open a page and wait until nothing is loading."""
        self.page.evaluate("hash => { location.hash = hash }", hash_)
        self.page.wait_for_selector("main h1")
        self.settle()

    def settle(self) -> None:
        """Wait until all that was asked for has come."""
        self.page.wait_for_timeout(250)
        self.page.wait_for_function("() => !document.querySelector('.waiting')")

    def button(self, key: str, **values: object) -> Any:
        """Return the button with a text of the catalogue."""
        return self.page.get_by_role("button", name=self.say(key, **values))

    def violations(self, axe: str) -> list[str]:
        """Return what axe-core has against the page."""
        self.page.evaluate(axe)
        found = self.page.evaluate(
            "axe.run().then(r => r.violations.map(v => `${v.id}: ${v.nodes[0].html}`))"
        )
        return [str(one) for one in found]


def visitor(
    browser: Any,
    desk: Desk,
    texts: Mapping[str, Mapping[str, str]],
    *,
    language: str,
    width: int = 1366,
    height: int = 900,
    dark: bool = False,
) -> Visitor:
    """Return somebody in front of a fresh browser who reads one language."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        accept_downloads=True,
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.add_init_script(f"localStorage.setItem('calmstreet-language', '{language}')")
    one = Visitor(desk=desk, page=page, texts=texts)
    page.on("pageerror", lambda error: one.complaints.append(f"error: {error}"))
    page.on(
        "console",
        lambda said: (
            one.complaints.append(f"{said.type}: {said.text}")
            if said.type in {"error", "warning"}
            else None
        ),
    )
    page.on("request", lambda request: _note_far(one, str(request.url)))
    return one


def _note_far(one: Visitor, url: str) -> None:
    if not url.startswith((one.desk.address, "blob:", "data:")):
        one.complaints.append(f"a request to {url}")
