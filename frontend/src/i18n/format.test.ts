import { describe, expect, it } from "vitest";
import { bytes, date, dateTime, duration, fixed, number, offset, percent, quantity, time, weekday } from "./format";
import { aheadMs, instantOf, wallOf } from "./zone";

const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, " ");
const ALMATY = "Asia/Almaty";

describe("numbers", () => {
  it("are written as in the language", () => {
    expect(fixed("en", 47.25, 1)).toBe("47.3");
    expect(fixed("ru", 47.25, 1)).toBe("47,3");
    expect(plain(number("kk", 12345))).toBe("12 345");
    expect(plain(number("uz", 12345))).toBe("12 345");
  });
  it("are a dash where they are not known", () => {
    for (const value of [null, undefined, NaN, Infinity]) expect(number("en", value)).toBe("–");
    expect(percent("ru", null)).toBe("–");
    expect(quantity("en", null, "km/h")).toBe("–");
  });
  it("carry units", () => {
    expect(plain(quantity("ru", 50, "км/ч", 0))).toBe("50 км/ч");
    expect(plain(bytes("en", 1_234_567))).toBe("1.2 MB");
    expect(plain(bytes("ru", 4_100_000_000))).toBe("4,1 ГБ");
    expect(plain(bytes("kk", 999))).toBe("999 Б");
    expect(plain(percent("en", 0.125, 1))).toBe("12.5%");
  });
  it("make durations of their two largest parts", () => {
    const units = { h: "h", min: "min", s: "s" };
    expect(plain(duration("en", 3661, units))).toBe("1 h 1 min");
    expect(plain(duration("en", 75, units))).toBe("1 min 15 s");
    expect(plain(duration("en", 3600, units))).toBe("1 h");
    expect(plain(duration("en", 0, units))).toBe("0 s");
  });
});

describe("times", () => {
  // Clocks in Almaty went from +6 to +5 hours on 1 March 2024.
  const before = Date.UTC(2024, 1, 29, 12, 0);
  const after = Date.UTC(2024, 2, 2, 12, 0);

  it("are those of the place", () => {
    expect(aheadMs(before, ALMATY)).toBe(6 * 3_600_000);
    expect(aheadMs(after, ALMATY)).toBe(5 * 3_600_000);
    expect(time(before, ALMATY)).toBe("18:00");
    expect(time(after, ALMATY)).toBe("17:00");
  });
  it("come back from the wall clock", () => {
    for (const ms of [before, after, Date.UTC(2026, 2, 2, 2, 0)]) {
      expect(instantOf(wallOf(ms, ALMATY), ALMATY)).toBe(ms);
      expect(instantOf(wallOf(ms, "Europe/Berlin"), "Europe/Berlin")).toBe(ms);
    }
    expect(instantOf("yesterday", ALMATY)).toBeNull();
  });
  it("are written in each language", () => {
    expect(dateTime("ru", after, ALMATY)).toBe("2 мар. 2024, 17:00");
    expect(dateTime("kk", after, ALMATY, true)).toBe("2024 ж. 2 нау., 17:00:00");
    expect(date("uz", after, ALMATY)).toBe("Sh, 2-mar, 2024");
    expect(date("en", after, ALMATY)).toBe("Sat, 2 Mar 2024");
    expect(weekday("en", 0)).toBe("Mon");
    expect(weekday("ru", 6)).toBe("вс");
    expect(dateTime("uz", null, ALMATY)).toBe("–");
  });
  it("count from the beginning where no time of day is known", () => {
    expect(offset(3_725_000)).toBe("+1:02:05");
    expect(offset(-5)).toBe("+0:00:00");
  });
});
