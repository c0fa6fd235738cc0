/** Colours and shapes, the same in a picture and in an interactive figure. */

/** How a series looks: apart from the colour, its dashes and markers tell it from others, in grey too. */
export interface Look {
  color: string;
  /** Lengths of dashes and gaps; empty for a solid line. */
  dash: number[];
  /** Plotly's name of the marker, and the marker as a path in a square from -1 to 1. */
  symbol: string;
  marker: string;
}

/** Okabe and Ito's colours that stand out on white for every kind of colour vision. */
export const looks: Look[] = [
  { color: '#0072B2', dash: [], symbol: 'circle', marker: 'M-1 0a1 1 0 1 0 2 0a1 1 0 1 0-2 0z' },
  { color: '#D55E00', dash: [7, 3], symbol: 'square', marker: 'M-.9-.9H.9V.9H-.9z' },
  { color: '#007A5A', dash: [2, 3], symbol: 'triangle-up', marker: 'M0-1.1L1.1 .9H-1.1z' },
  { color: '#A03E7A', dash: [9, 3, 2, 3], symbol: 'diamond', marker: 'M0-1.2L1.2 0L0 1.2L-1.2 0z' },
  { color: '#000000', dash: [4, 4], symbol: 'cross', marker: 'M-.4-1H.4V-.4H1V.4H.4V1H-.4V.4H-1V-.4H-.4z' },
];

/** Opacity of what lies over something else. */
export const opacity = { band: 0.2, bars: 0.65, points: 0.7 };

export type ColorScale = 'sequential' | 'diverging';

type Color = [red: number, green: number, blue: number];

/** Colours at equal distances: from dark to light (after viridis), or from blue over near white to red. */
const stops: Record<ColorScale, Color[]> = {
  sequential: [
    [68, 1, 84],
    [70, 50, 127],
    [54, 92, 141],
    [39, 127, 142],
    [31, 161, 135],
    [74, 194, 109],
    [159, 218, 58],
    [253, 231, 37],
  ],
  diverging: [
    [5, 48, 97],
    [67, 147, 195],
    [247, 247, 247],
    [214, 96, 77],
    [103, 0, 31],
  ],
};

/** What stands for a cell without a number. */
export const noValue: Color = [190, 190, 190];

/** The colour at `share` of a scale, 0 to 1; outside, the colour of the nearer end. */
export function colorAt(scale: ColorScale, share: number): Color {
  const colors = stops[scale];
  const place = Math.min(Math.max(share, 0), 1) * (colors.length - 1);
  const lower = Math.min(Math.floor(place), colors.length - 2);
  const [from, to] = [colors[lower]!, colors[lower + 1]!];
  return from.map((value, c) => Math.round(value + (to[c]! - value) * (place - lower))) as Color;
}

/** A scale as Plotly writes it. */
export function plotlyScale(scale: ColorScale): [number, string][] {
  const colors = stops[scale];
  return colors.map((color, i) => [i / (colors.length - 1), `rgb(${color.join(',')})`]);
}
