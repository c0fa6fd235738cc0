/** Interactive figures: Plotly draws over a static picture wherever scripts may run. */

/** A figure as Plotly's `newPlot` takes it. */
export interface PlotlyFigure {
  data: object[];
  layout: object;
}

/** What all figures have in common. */
export const plotlyLayout = {
  paper_bgcolor: '#fff',
  plot_bgcolor: '#fff',
  font: { family: 'sans-serif', size: 13, color: '#222' },
  margin: { l: 76, r: 20, t: 40, b: 56 },
  hovermode: 'closest',
};

const font = { size: 13 };
export const plotlyTitle = (text: string) => ({ text, font: { ...font, weight: 700 } });
export const axisTitle = (text: string) => ({ text, font, standoff: 4 });

const config = {
  displaylogo: false,
  modeBarButtonsToRemove: ['select2d', 'lasso2d'],
};

/**
 * Runs in the page, once per figure. The file with Plotly comes from the Jupyter server itself, whose page says where
 * that is; elsewhere (nbviewer, an exported page) nothing is asked for and the static picture stays, as it does when
 * anything fails. All figures of a page share one download. The figure is found from the script, not by an id: several
 * runs of a cell, or copies of it, cannot get in each other's way. An observer of the element, rather than Plotly's own
 * handler of the window's size, lets go of the figure when its output goes.
 */
const draw = `(async(figure,script)=>{
const root=script&&script.closest('figure'),img=root&&root.querySelector('img');
const page=document.getElementById('jupyter-config-data');
const base=page?JSON.parse(page.textContent).baseUrl:document.body.dataset.baseUrl;
if(!img||!base)return;
const plotly=window.tsdiffusionPlotly||(window.tsdiffusionPlotly=new Promise((resolve,reject)=>{
const tag=document.createElement('script');
tag.src=base+'files/node_modules/plotly.js-dist/plotly.js';
tag.onload=()=>window.Plotly?resolve(window.Plotly):reject();
tag.onerror=reject;
document.head.append(tag)}));
const div=document.createElement('div');
try{
const Plotly=await plotly;
div.setAttribute('role','img');
div.setAttribute('aria-label',img.alt);
div.style.maxWidth=figure.width+'px';
div.style.height=figure.layout.height+'px';
img.after(div);
await Plotly.newPlot(div,figure.data,figure.layout,figure.config);
img.style.display='none';
new ResizeObserver(()=>div.offsetWidth&&Plotly.Plots.resize(div)).observe(div);
}catch(error){div.remove();if(!window.Plotly)window.tsdiffusionPlotly=undefined}
})`;

/**
 * The script that draws a figure in place of the first `img` of the `figure` element in which it stands.
 * @param width of the figure in pixels; less where there is less room.
 */
export function plotlyScript({ data, layout }: PlotlyFigure, width: number): string {
  // '<' is written so that no text in it can end the script.
  const figure = JSON.stringify({ data, layout: { ...plotlyLayout, ...layout }, config, width });
  return `<script>${draw}(${figure.replace(/</g, '\\u003c')},document.currentScript)</script>`;
}
