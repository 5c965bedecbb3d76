import { render } from "preact";

import "modern-normalize/modern-normalize.css";
import "uplot/dist/uPlot.min.css";
import "./styles/base.css";
import "./styles/states.css";
import "./styles/bar.css";
import "./styles/page.css";
import "./styles/overview.css";
import "./styles/tables.css";
import "./styles/stacked.css";
import "./styles/health.css";
import "./styles/fleets.css";
import "./styles/access.css";
import "./styles/orders.css";
import "./styles/print.css";

import { App } from "./app";

const page = document.getElementById("page");
if (page) render(<App />, page);
