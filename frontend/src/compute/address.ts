// Addresses of pages behind "#": they can be kept and sent.

export interface Place {
  page: string;
  ids: string[];
  query: Record<string, string>;
}

/** Reads the part of an address behind "#". */
export function placeOf(hash: string): Place {
  const [path = "", asked = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [page = "", ...ids] = path.split("/").filter(Boolean).map(decodeURIComponent);
  return { page, ids, query: Object.fromEntries(new URLSearchParams(asked)) };
}

/** Writes the part of an address behind "#", without what is empty. */
export function hashOf(
  page: string,
  ids: readonly string[] = [],
  query: Record<string, string | number | null | undefined> = {},
): string {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") asked.set(name, String(value));
  }
  const path = [page, ...ids].map(encodeURIComponent).join("/");
  return `#/${path}${asked.size ? `?${asked}` : ""}`;
}
