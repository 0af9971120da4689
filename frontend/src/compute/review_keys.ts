// The keys of the review queue.

export type Deed =
  | "next"
  | "previous"
  | "accept"
  | "reject"
  | "escalate"
  | "note"
  | "play"
  | "earlier"
  | "later"
  | "help"
  | "close";

export const KEYS: readonly (readonly [string, Deed])[] = [
  ["j", "next"],
  ["k", "previous"],
  ["a", "accept"],
  ["r", "reject"],
  ["e", "escalate"],
  ["n", "note"],
  [" ", "play"],
  [",", "earlier"],
  [".", "later"],
  ["?", "help"],
  ["Escape", "close"],
];

// The same keys on keyboards of other alphabets, by the place of the key.
const CODES: Record<string, Deed> = {
  KeyJ: "next",
  KeyK: "previous",
  KeyA: "accept",
  KeyR: "reject",
  KeyE: "escalate",
  KeyN: "note",
  Comma: "earlier",
  Period: "later",
};

interface Press {
  key: string;
  code: string;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

/** Returns what a pressed key asks for; nothing while somebody writes, save to leave off. */
export function deedOf(press: Press, writing: boolean): Deed | undefined {
  if (press.ctrlKey || press.altKey || press.metaKey) return undefined;
  if (writing) return press.key === "Escape" ? "close" : undefined;
  const known = KEYS.find(([key]) => key === press.key || key === press.key.toLowerCase());
  return known?.[1] ?? CODES[press.code];
}
