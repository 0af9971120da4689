// Light, dark, or as the machine says.

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];
const KEY = "calmstreet-theme";

class Look {
  theme: Theme = $state("auto");
  machineDark = $state(false);
  dark = $derived(this.theme === "dark" || (this.theme === "auto" && this.machineDark));

  constructor() {
    const asked = matchMedia("(prefers-color-scheme: dark)");
    this.machineDark = asked.matches;
    asked.addEventListener("change", (event) => {
      this.machineDark = event.matches;
      this.show();
    });
    const stored = localStorage.getItem(KEY);
    this.theme = THEMES.find((theme) => theme === stored) ?? "auto";
    this.show();
  }

  choose(theme: Theme): void {
    this.theme = theme;
    localStorage.setItem(KEY, theme);
    this.show();
  }

  private show(): void {
    const dark = this.theme === "dark" || (this.theme === "auto" && this.machineDark);
    document.documentElement.dataset.theme = dark ? "dark" : "light";
  }
}

export const look = new Look();

/** The value of a colour of the style sheet, for canvases. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
