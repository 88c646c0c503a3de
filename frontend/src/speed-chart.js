import { LineChart, ScatterChart } from "echarts/charts";
import { GridComponent, MarkAreaComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { onPaletteChange } from "./palette.js";
import { GAP_MS } from "./track.js";
import { word } from "./words.js";

echarts.use([LineChart, ScatterChart, GridComponent, MarkAreaComponent, CanvasRenderer]);

/** Speed over time without the silences, which break the line. */
function line({ t, speed }) {
  const rows = [];
  for (let i = 0; i < t.length; i++) {
    if (i && t[i] - t[i - 1] >= GAP_MS) rows.push([t[i - 1] + 1, null]);
    rows.push([t[i], speed[i]]);
  }
  return rows;
}

function options(track, events, hour) {
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = { axisLine: { lineStyle: { color: token("--line-strong") } }, axisTick: { show: false }, axisLabel: { color: token("--ink-3"), fontSize: 12 } };
  return {
    animation: false,
    grid: { left: 46, right: 16, top: 34, bottom: 26 },
    xAxis: { type: "time", min: track.points.t[0], max: track.points.t.at(-1), ...axis, axisLabel: { ...axis.axisLabel, hideOverlap: true, formatter: hour } },
    yAxis: { type: "value", name: "km/h", nameTextStyle: { color: token("--ink-3"), align: "right", padding: [0, 6, 0, 0] }, min: 0, splitNumber: 3, ...axis, axisLine: { show: false }, splitLine: { lineStyle: { color: token("--line") } } },
    series: [
      {
        type: "line",
        silent: true,
        showSymbol: false,
        sampling: "lttb",
        lineStyle: { width: 1.6, color: token("--accent") },
        areaStyle: { color: token("--accent"), opacity: 0.13 },
        data: line(track.points),
        markArea: { silent: true, itemStyle: { color: token("--ink-3"), opacity: 0.16 }, data: track.stops.map((stop) => [{ xAxis: stop.from }, { xAxis: stop.to }]) },
      },
      {
        type: "scatter",
        silent: true,
        symbol: "triangle",
        symbolSize: 11,
        itemStyle: { color: token("--alarm") },
        data: events.filter((event) => event.kind === "alarm").map((event) => [event.t, 0]),
        symbolOffset: [0, -7],
      },
    ],
    aria: { enabled: false, label: { description: word("speed") } },
  };
}

/** Draw the speed chart. Returns { xOf(time), timeAt(x), onResize(then) }; x in pixels from the chart's left edge. */
export function makeChart(element, track, events, language) {
  const span = track.points.t.at(-1) - track.points.t[0];
  const parts = { hour: "2-digit", minute: "2-digit", hour12: false };
  if (span < 20 * 60000) parts.second = "2-digit";
  if (span > 26 * 3600000) Object.assign(parts, { month: "2-digit", day: "2-digit" });
  const format = new Intl.DateTimeFormat(language === "en" ? "en-GB" : "zh-CN", { timeZone: "Asia/Shanghai", ...parts });
  const chart = echarts.init(element, null, { renderer: "canvas" });
  const draw = () => chart.setOption(options(track, events, (t) => format.format(t)), true);
  draw();
  onPaletteChange(draw);
  return {
    xOf: (time) => chart.convertToPixel({ xAxisIndex: 0 }, time),
    timeAt: (x) => chart.convertFromPixel({ xAxisIndex: 0 }, x),
    onResize(then) {
      new ResizeObserver(() => {
        chart.resize();
        then();
      }).observe(element);
    },
  };
}
