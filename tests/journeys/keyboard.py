"""A person without a mouse: presses keys, and must always see where they are."""

from playwright.sync_api import Page

MOST_TABS = 120
SHOWN = """
() => {
  const now = document.activeElement;
  if (!now || now === document.body || now.id === "main") return "";
  const ring = (element, part) => {
    const style = getComputedStyle(element, part);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  };
  const box = now.getBoundingClientRect();
  const around = now.closest("label, .palette-field, .toast-close");
  const seen = ring(now) || ring(now, "::after") || ring(now, "::before") || (around && ring(around));
  const there = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return seen && there ? "" : `${seen ? "out of sight" : "no ring"}: ${now.outerHTML.slice(0, 200)}`;
}
"""


class Keyboard:
    """Keys pressed on a page; each press fails the test where the focus cannot be seen afterwards."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, *keys: str) -> None:
        """Press keys one after the other, on whatever has the focus."""
        for key in keys:
            self.page.keyboard.press(key)
            self.look()

    def look(self) -> None:
        """Fail where something has the focus and cannot, within a second, be seen to have it."""
        for _turn in range(10):
            fault = self.page.evaluate(SHOWN)
            if fault == "":
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(fault)

    def type(self, text: str) -> None:
        """Type words where the focus is."""
        self.page.keyboard.type(text)
        self.look()

    def reach(self, selector: str, key: str = "Tab") -> None:
        """Press Tab until the focus is on this element."""
        for _turn in range(MOST_TABS):
            if self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return self.look()
            self.press(key)
        raise AssertionError(f"Tab never comes to {selector}")

    def follow(self, selector: str) -> None:
        """Reach a link or button that leads to another page, press Enter there, and wait for that page."""
        self.reach(selector)
        with self.page.expect_navigation(wait_until="load"):
            self.page.keyboard.press("Enter")
        self.look()

    def into_the_page(self) -> None:
        """Skip the navigation by its link, which Tab comes to first; a page that was sent from behind it begins there already.

        Keys before the first paint reach nobody.
        """
        for _turn in range(20):
            self.press("Tab")
            if not self.page.evaluate("document.activeElement === document.body"):
                break
            self.page.wait_for_timeout(100)
        if self.page.evaluate("document.activeElement.closest('main') && location.hash === '#main'"):
            return
        now = self.page.evaluate("document.activeElement.outerHTML.slice(0, 300)")
        assert 'class="skip"' in now, now
        self.press("Enter")
