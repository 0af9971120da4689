// Wall clocks of a place and instants in UTC milliseconds.

/** How far the clocks of a time zone are ahead of UTC at an instant, in milliseconds. */
export function aheadMs(ms: number, tz: string): number {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: tz,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  }).formatToParts(ms);
  const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  const wall = Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
  return wall - Math.floor(ms / 1000) * 1000;
}

/** The instant at which clocks of a time zone show "YYYY-MM-DDTHH:MM"; null for no such text. */
export function instantOf(wall: string, tz: string): number | null {
  const found = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2}))?$/.exec(wall);
  if (!found) return null;
  const [year, month, day, hour, minute] = found.slice(1).map((part) => Number(part ?? 0));
  const guess = Date.UTC(year ?? 0, (month ?? 1) - 1, day ?? 1, hour ?? 0, minute ?? 0);
  const first = guess - aheadMs(guess, tz);
  return guess - aheadMs(first, tz);
}

/** What clocks of a time zone show at an instant, as an input of type datetime-local wants it. */
export function wallOf(ms: number, tz: string): string {
  return new Date(ms + aheadMs(ms, tz)).toISOString().slice(0, 16);
}
