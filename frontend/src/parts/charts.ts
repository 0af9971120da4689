// What all charts share: axes in our colours, shaded spans, stacked bars.
import uPlot from "uplot";
import { colour } from "../state/theme.svelte";
import { clock, day, num, timeOfDay } from "../i18n/words.svelte";
import { offset } from "../i18n/format";
import { aheadMs } from "../i18n/zone";

/** Returns an axis with a label in the colours of the page. */
export function axis(label: string, more: Partial<uPlot.Axis> = {}): uPlot.Axis {
  const size = parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.78;
  const font = `${size}px system-ui, sans-serif`;
  return {
    ...(label ? { label, labelSize: size * 1.6 } : {}),
    stroke: colour("soft"),
    font,
    labelFont: font,
    grid: { stroke: colour("line"), width: 1 },
    ticks: { stroke: colour("line"), width: 1, size: 4 },
    // Room for the longest number, whatever the size of letters.
    size: (_, values, at) => size * (at === 0 ? 2.7 : Math.max(2.6, 1.2 + 0.62 * Math.max(0, ...(values ?? []).map((value) => String(value ?? "").length)))),
    values: (_, splits) => splits.map((value) => num(value, 2)),
    ...more,
  };
}

/** Returns the axis of time of day in a time zone, or of time since the beginning. */
export function timeAxis(label: string, tz: string, known: boolean): uPlot.Axis {
  return axis(label, {
    space: 64,
    incrs: [1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800],
    splits: (_, __, low, high, step) => {
      const ahead = known ? aheadMs(low * 1000, tz) / 1000 : -low;
      const first = Math.ceil((low + ahead) / step) * step - ahead;
      return Array.from({ length: Math.max(0, Math.floor((high - first) / step) + 1) }, (___, i) => first + i * step);
    },
    values: (plot, splits) => {
      if (!known) return splits.map((s) => offset((s - (plot.data[0]?.[0] ?? 0)) * 1000));
      const long = (plot.scales.x?.max ?? 0) - (plot.scales.x?.min ?? 0) > 2 * 86400;
      return splits.map((s) => (long ? day(s * 1000, tz).replace(/,? \d{4}.*/, "") : timeOfDay(s * 1000, tz)));
    },
  });
}

/** Returns a plugin that shades spans of x behind the data. */
export function shading(spans: () => [number, number][], fill: string): uPlot.Plugin {
  return {
    hooks: {
      drawClear: (plot) => {
        const { ctx, bbox } = plot;
        ctx.save();
        ctx.fillStyle = fill;
        for (const [from, to] of spans()) {
          const left = Math.max(bbox.left, plot.valToPos(from, "x", true));
          const right = Math.min(bbox.left + bbox.width, plot.valToPos(to, "x", true));
          if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
        }
        ctx.restore();
      },
    },
  };
}

/** Returns a plugin that draws a level across, such as a threshold. */
export function level(value: number, stroke: string): uPlot.Plugin {
  return {
    hooks: {
      draw: (plot) => {
        const { ctx, bbox } = plot;
        const y = plot.valToPos(value, "y", true);
        if (y < bbox.top || y > bbox.top + bbox.height) return;
        ctx.save();
        ctx.strokeStyle = stroke;
        ctx.lineWidth = 2 * devicePixelRatio;
        ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
        ctx.beginPath();
        ctx.moveTo(bbox.left, y);
        ctx.lineTo(bbox.left + bbox.width, y);
        ctx.stroke();
        ctx.restore();
      },
    },
  };
}

/** Returns paths of bars that begin where their slice begins. */
export function bars(): uPlot.Series.PathBuilder {
  return uPlot.paths.bars?.({ size: [0.92, 400], align: 1 }) as uPlot.Series.PathBuilder;
}

/** Returns how the time of a legend is written. */
export function legendTime(tz: string, known: boolean): uPlot.Series.Value {
  return (plot, s) => {
    if (s === null || s === undefined) return "–";
    return known ? clock(s * 1000, tz) : offset((s - (plot.data[0]?.[0] ?? 0)) * 1000);
  };
}
