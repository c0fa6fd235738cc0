import type { Sink } from '../../lib/viz';

/** A notebook's cell that keeps its outputs. */
export function notebookSink(): { sink: Sink; html: string[] } {
  const html: string[] = [];
  const add = (markup: string) => void html.push(markup);
  return { html, sink: { kind: 'notebook', html: add, slot: () => add } };
}

/** A terminal or log that keeps what is written. */
export function textSink(kind: 'plain' | 'terminal' = 'plain'): { sink: Sink; text: string[] } {
  const text: string[] = [];
  return { text, sink: { kind, columns: 80, write: (part) => void text.push(part) } };
}

/** The picture of an output: the SVG text of its first image. */
export function svgOf(html: string): string {
  const [, source] = /src="data:image\/svg\+xml;base64,([^"]*)"/.exec(html)!;
  return Buffer.from(source!, 'base64').toString();
}

/** The figure that the script of an output gives to Plotly. */
export function plotlyOf(html: string): { data: any[]; layout: any; config: any; width: number } {
  const [, json] = /\((\{"data".*\}),document\.currentScript\)<\/script>/.exec(html)!;
  return JSON.parse(json!);
}
