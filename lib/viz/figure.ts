import { encodePng } from '../io';
import type { Raster } from '../io';
import { defaultSink } from './environment';
import type { Sink, TextSink } from './environment';
import { checkAlt, escapeHtml } from './html';
import { previewRaster } from './terminal';

export interface FigureOptions {
  /** What the picture shows, in words: for readers who cannot see it. */
  alt: string;
  /** A line below the picture. */
  caption?: string;
  /** Where to show it; by default the notebook's cell, or standard output. */
  sink?: Sink;
}

/** A picture and its label in a strip. */
export interface LabelledRaster {
  raster: Raster;
  label: string;
}

function imgHtml(raster: Raster, alt: string): string {
  const source = `data:image/png;base64,${encodePng(raster).toString('base64')}`;
  return `<img alt="${escapeHtml(alt)}" width="${raster.width}" height="${raster.height}" src="${source}">`;
}

/**
 * Wraps HTML as a figure with a caption. JupyterLab keeps these tags also in notebooks that are not trusted, and drops
 * the script, if there is one.
 */
export function figureHtml(content: string, caption?: string, script = ''): string {
  const below = caption ? `<figcaption>${escapeHtml(caption)}</figcaption>` : '';
  return `<figure role="group">${content}${below}${script}</figure>`;
}

/** The words of a figure, as text. */
export function figureText({ alt, caption }: { alt: string; caption?: string }): string {
  return `[${alt}]\n${caption ? `${caption}\n` : ''}`;
}

function preview(raster: Raster, sink: TextSink): string {
  return previewRaster(raster, { columns: sink.columns, color: sink.kind === 'terminal' });
}

/**
 * Shows a picture: in a notebook as PNG, elsewhere as its description and a preview in characters.
 * @throws Error when `alt` is missing or empty, or the raster does not fit its numbers.
 */
export function showImage(raster: Raster, { alt, caption, sink = defaultSink() }: FigureOptions): void {
  const text = checkAlt(alt);
  if (sink.kind === 'notebook') sink.html(figureHtml(imgHtml(raster, text), caption));
  else sink.write(figureText({ alt: text, caption }) + preview(raster, sink));
}

/**
 * Shows pictures side by side, each with its label below: the stages of a process, or variants to compare.
 * @throws Error when `alt` is missing or empty, or there is no picture.
 */
export function showStrip(
  pictures: LabelledRaster[],
  { alt, caption, sink = defaultSink() }: FigureOptions,
): void {
  const text = checkAlt(alt);
  if (pictures.length === 0) throw new Error('A strip needs at least one picture, but the list is empty.');
  if (sink.kind === 'notebook') {
    // A table, because its layout survives where styles are not allowed.
    const cells = (cell: (picture: LabelledRaster) => string) =>
      `<tr>${pictures.map((p) => `<td align="center">${cell(p)}</td>`).join('')}</tr>`;
    const images = cells(({ raster, label }) => imgHtml(raster, `${text} ${label}`));
    const labels = cells(({ label }) => escapeHtml(label));
    sink.html(figureHtml(`<table>${images}${labels}</table>`, caption));
  } else {
    const parts = pictures.map(({ raster, label }) => `${label}\n${preview(raster, sink)}`);
    sink.write(figureText({ alt: text, caption }) + parts.join('\n'));
  }
}
