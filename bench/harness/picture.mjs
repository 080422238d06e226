/**
 * What: draws one scenario as bars, an SVG that suits light and dark pages.
 * Must not know: files, terminals, how anything was measured.
 */
import * as echarts from 'echarts';
import { panelsOf } from './metrics.mjs';
import { figureOf, formatRatio, formatValue, peersOf, ratioOf } from './summary.mjs';

/** Each colour has two values; the second one is used where the reader prefers dark. */
const palette = {
  paper: ['#ffffff', '#0d1117'],
  ink: ['#1f2328', '#e6edf3'],
  faint: ['#59636e', '#9198a1'],
  line: ['#d1d9e0', '#3d444d'],
  ours: ['#0969da', '#4493f8'],
  other: ['#8c959f', '#6e7681'],
};
const light = {
  paper: palette.paper[0],
  ink: palette.ink[0],
  faint: palette.faint[0],
  line: palette.line[0],
  ours: palette.ours[0],
  other: palette.other[0],
};

const WIDTH = 760;
const BAR = 26;
const MARGIN = 16;
const HEAD = 52;
const LABEL = 22;
const GAP = 14;
const FOOT = 30;
const FONT = 'system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif';
/** Beyond this a linear bar is too short to be seen. */
const LOGARITHMIC_FROM = 60;

/**
 * @typedef {import('../scenarios/scenario.mjs').Scenario<any>} Scenario
 * @typedef {import('./results.mjs').Result} Result
 * @typedef {import('./summary.mjs').CaseResult} CaseResult
 */

/**
 * Each case has its own axis: what is compared are peers, not cases.
 * @param {Scenario} scenario
 * @param {Result} measured
 * @returns {string} an SVG document
 */
export function drawPicture(scenario, measured) {
  const result = panelsOf(scenario, measured);
  const values = result.cases.map((one) => peersOf(one).map((peer) => figureOf(one, peer).median));
  const isLog = values.some((each) => Math.max(...each) / Math.min(...each) > LOGARITHMIC_FROM);
  const heights = values.map((each) => LABEL + each.length * BAR + GAP);
  const height = HEAD + heights.reduce((sum, each) => sum + each, 0) + FOOT;
  const tops = heights.map((_, i) => HEAD + heights.slice(0, i).reduce((sum, each) => sum + each, 0));

  const unit = scenario.panels
    ? isLog
      ? 'Logarithmic'
      : 'Medians'
    : isLog
      ? `${scenario.unit}, logarithmic`
      : scenario.unit;
  const reference = scenario.family[scenario.reference]?.label ?? scenario.reference;
  const better = scenario.lowerIsBetter ? '; less is better' : '';
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  chart.setOption({
    animation: false,
    backgroundColor: light.paper,
    title: [
      title(scenario.title, 10, 16, light.ink),
      ...result.cases.map((one, i) => title(one.label, Number(tops[i]), 12, light.faint)),
      title(`${unit}; × is against ${reference}${better}`, height - 26, 11, light.faint),
    ],
    grid: values.map((each, i) => ({
      left: 160,
      right: MARGIN,
      top: Number(tops[i]) + LABEL,
      height: each.length * BAR,
    })),
    xAxis: values.map((each, gridIndex) => ({
      gridIndex,
      type: isLog ? 'log' : 'value',
      min: isLog ? 10 ** Math.floor(Math.log10(Math.min(...each)) - 0.3) : 0,
      max: Math.max(...each) * (isLog ? 10 : 1.3),
      show: false,
    })),
    yAxis: result.cases.map((one, gridIndex) => ({
      gridIndex,
      type: 'category',
      inverse: true,
      data: peersOf(one).map((peer) => scenario.family[peer]?.label ?? peer),
      axisLabel: { color: light.ink, fontFamily: FONT, fontSize: 12 },
      axisLine: { lineStyle: { color: light.line } },
      axisTick: { show: false },
    })),
    series: result.cases.map((one, i) => ({
      type: 'bar',
      xAxisIndex: i,
      yAxisIndex: i,
      barWidth: 16,
      data: bars(scenario, one),
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return withDark(svg, scenario.title);
}

/**
 * @param {string} text
 * @param {number} top
 * @param {number} fontSize
 * @param {string | undefined} color
 */
function title(text, top, fontSize, color) {
  const fontWeight = fontSize > 12 ? /** @type {const} */ (600) : /** @type {const} */ ('normal');
  return {
    text,
    left: MARGIN,
    top,
    padding: 0,
    textStyle: { color, fontSize, fontWeight, fontFamily: FONT },
  };
}

/**
 * @param {Scenario} scenario
 * @param {CaseResult} one
 */
function bars(scenario, one) {
  return peersOf(one).map((peer) => {
    const value = figureOf(one, peer).median;
    const ratio = peer === scenario.reference ? null : ratioOf(one, peer, scenario.reference);
    const isOurs = peer === scenario.peers[0];
    return {
      value,
      itemStyle: { color: isOurs ? light.ours : light.other, borderRadius: [0, 2, 2, 0] },
      label: {
        show: true,
        position: /** @type {const} */ ('right'),
        color: light.ink,
        fontFamily: FONT,
        fontSize: 12,
        fontWeight: isOurs ? /** @type {const} */ (600) : /** @type {const} */ ('normal'),
        formatter:
          (scenario.format ?? formatValue)(value) + (ratio ? `  (${formatRatio(ratio.median)})` : ''),
      },
    };
  });
}

/**
 * A style sheet outranks the colours in attributes, so renderers without it show the light picture.
 * @param {string} svg
 * @param {string} title for readers who do not see the picture
 */
function withDark(svg, title) {
  const rules = Object.values(palette).flatMap(([day, night]) =>
    ['fill', 'stroke'].map((kind) => `[${kind}="${day}"]{${kind}:${night}}`),
  );
  const style = `<title>${title}</title><style>@media (prefers-color-scheme:dark){${rules.join('')}}</style>`;
  return svg.replace(/<svg([^>]*)>/, (tag) => `${tag.replace('<svg', '<svg role="img"')}${style}`);
}
