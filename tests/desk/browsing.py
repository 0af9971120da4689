"""One page of the desk in a browser that notes whatever should not happen."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["LANGUAGES", "Desk", "Visitor", "visiting"]

LANGUAGES = ("en", "ru", "kk", "uz")
PATIENCE_MS = 30_000
_CALM = """() => {
    window.calm = document.querySelector('.waiting') ? 0 : (window.calm ?? 0) + 1;
    return window.calm > 7;
}"""
_WIDER = "document.documentElement.scrollWidth - innerWidth"
_AXE = """rules => axe.run(document, rules ? {runOnly: rules} : {})
    .then(found => found.violations.map(v => `${v.id}: ${v.nodes[0].html.slice(0, 300)}`))"""

Texts = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where a desk answers, who may enter, and the cookies of who did."""

    address: str
    name: str
    password: str
    place: Path
    entered: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A page in one language, with what the console said and which requests went elsewhere."""

    desk: Desk
    page: Any
    texts: Texts
    language: str
    complaints: list[str] = field(default_factory=list)

    def say(self, key: str, **values: object) -> str:
        """Return a text of the catalogue."""
        group, _, name = key.partition(".")
        text = self.texts[group][name]
        for placeholder, value in values.items():
            text = text.replace(f"{{{placeholder}}}", str(value))
        return text

    def sign_in(self, name: str, password: str) -> None:
        """Fill the form of the door."""
        self.page.goto(self.desk.address)
        self.page.fill("input[autocomplete=username]", name)
        self.page.fill("input[type=password]", password)
        self.page.click("form button.main")

    def choose_password(self, old: str, new: str) -> None:
        """Choose a password of one's own, as the first sign-in demands."""
        fields = self.page.locator("input[type=password]")
        self.page.locator("input[autocomplete=new-password]").first.wait_for()
        for place, word in enumerate((old, new, new)):
            fields.nth(place).fill(word)
        self.page.click("form button.main")
        self.page.wait_for_selector("header .account")

    def go(self, hash_: str) -> None:
        """Open a page and wait until nothing is loading."""
        self.page.evaluate("hash => { location.hash = hash }", hash_)
        self.page.wait_for_selector("main h1")
        self.settle()

    def settle(self) -> None:
        """Wait until all that was asked for has come."""
        self.page.evaluate("window.calm = 0")
        self.page.wait_for_function(_CALM)

    def ask(self, path: str) -> Any:
        """Return what the desk answers to whoever is signed in here."""
        return self.page.evaluate("path => fetch(path).then(answer => answer.json())", path)

    def results(self) -> dict[str, str]:
        """Return the id of every result by its name."""
        return {str(row["name"]): str(row["result_id"]) for row in self.ask("/api/results")}

    def button(self, key: str, **values: object) -> Any:
        """Return the button with a text of the catalogue."""
        return self.page.get_by_role("button", name=self.say(key, **values), exact=True)

    def wait_for(self, key: str, **values: object) -> None:
        """Wait until a text of the catalogue can be seen."""
        self.page.get_by_text(self.say(key, **values)).first.wait_for()

    def look(self, *, dark: bool) -> None:
        """Have the device ask for dark or light."""
        self.page.emulate_media(color_scheme="dark" if dark else "light")

    def too_wide_px(self) -> int:
        """Return by how much the page is wider than its window."""
        return int(self.page.evaluate(_WIDER))

    def violations(self, axe: str, *, rules: list[str] | None = None) -> list[str]:
        """Return what axe-core has against the page, by all its rules or by some."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(axe)
        return [str(one) for one in self.page.evaluate(_AXE, rules)]


@contextmanager
def visiting(
    browser: Any,
    desk: Desk,
    texts: Mapping[str, Texts],
    *,
    language: str,
    width: int = 1366,
    height: int = 900,
    dark: bool = False,
    entered: bool = True,
    init: str = "",
) -> Iterator[Visitor]:
    """Yield somebody in front of a fresh browser who reads one language.

    In the end nothing may have been said against the pages: no error or warning in the console,
    no request to anywhere but the desk.
    """
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        accept_downloads=True,
        **({"storage_state": desk.entered} if entered else {}),
    )
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(f"localStorage.setItem('calmstreet-language', '{language}');{init}")
    page = context.new_page()
    one = Visitor(desk=desk, page=page, texts=texts[language], language=language)
    page.on("pageerror", lambda error: one.complaints.append(f"error: {error}"))
    page.on("console", lambda said: _note_said(one, said))
    context.on("request", lambda request: _note_far(one, str(request.url)))
    if entered:
        page.goto(desk.address)
        page.wait_for_selector("header .account")
    try:
        yield one
    finally:
        context.close()
    assert not one.complaints, "\n".join(one.complaints)


def _note_said(one: Visitor, said: Any) -> None:
    slow_driver = "GL Driver Message" in said.text  # maps are drawn without a graphics card here
    if said.type in {"error", "warning"} and not slow_driver:
        one.complaints.append(f"{said.type}: {said.text} ({said.location.get('url', '')})")


def _note_far(one: Visitor, url: str) -> None:
    if not url.startswith((one.desk.address, "blob:", "data:")):
        one.complaints.append(f"a request to {url}")
