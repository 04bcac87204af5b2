// The page that `archspec render -o net.html` writes.

import { Explorer } from "./explorer.js";

const data = JSON.parse(document.getElementById("data").textContent);
const explorer = new Explorer(document.getElementById("archspec"));
explorer.show(data);
