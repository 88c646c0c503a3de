// Draws the series of a report as bars; the table beside it says the same, and is all there is without scripts.
import { BarChart } from "echarts/charts";
import { GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import "./reports.css";

echarts.use([BarChart, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer]);

function draw(element) {
  const data = JSON.parse(document.getElementById(element.dataset.chart).textContent);
  element.hidden = false;
  const style = getComputedStyle(element);
  const colour = (name, otherwise) => style.getPropertyValue(name).trim() || otherwise;
  const text = style.color;
  const bars = (key, fill) => ({ type: "bar", name: data.words[key], data: data[key], itemStyle: { color: fill, borderRadius: [2, 2, 0, 0] } });
  const chart = echarts.init(element, null, { renderer: "canvas" });
  chart.setOption({
    animation: false,
    grid: { left: 8, right: 8, top: 36, bottom: 8, containLabel: true },
    legend: { top: 0, left: 0, textStyle: { color: text } },
    // rich text, for the policy allows no styles inside a tooltip made of HTML
    tooltip: { trigger: "axis", renderMode: "richText" },
    xAxis: { type: "category", data: data.periods, axisLabel: { color: text, hideOverlap: true } },
    yAxis: { type: "value", minInterval: 1, axisLabel: { color: text }, splitLine: { lineStyle: { color: colour("--line", "#8884") } } },
    series: [bars("opened", colour("--chart-soft", "#9fcfcb")), bars("ended", colour("--accent", "#0b6668"))],
  });
  new ResizeObserver(() => chart.resize()).observe(element);
  // on paper the drawing is as wide as the paper, and dark on white whatever the screen shows
  const paint = (ink) => chart.setOption({ legend: { textStyle: { color: ink } }, xAxis: { axisLabel: { color: ink } }, yAxis: { axisLabel: { color: ink } } });
  window.addEventListener("beforeprint", () => { paint("#333"); chart.resize({ width: 660 }); });
  window.addEventListener("afterprint", () => { paint(text); chart.resize({ width: "auto" }); });
}

document.querySelectorAll("[data-chart]").forEach(draw);
