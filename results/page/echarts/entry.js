// The pieces of Apache ECharts that charts.js draws with; build.sh bundles them.
import { use } from "echarts/core";
import { CustomChart, LineChart, ParallelChart, ScatterChart } from "echarts/charts";
import { GridComponent, ParallelComponent } from "echarts/components";
import { CanvasRenderer, SVGRenderer } from "echarts/renderers";

use([CustomChart, LineChart, ParallelChart, ScatterChart, GridComponent, ParallelComponent, CanvasRenderer, SVGRenderer]);
export { init, version } from "echarts/core";
