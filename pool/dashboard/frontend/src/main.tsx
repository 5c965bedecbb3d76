import { render } from "preact";

import "modern-normalize/modern-normalize.css";
import "uplot/dist/uPlot.min.css";
import "./styles/page.css";
import "./styles/overview.css";
import "./styles/tables.css";
import "./styles/access.css";
import "./styles/orders.css";

import { App } from "./app";

const page = document.getElementById("page");
if (page) render(<App />, page);
