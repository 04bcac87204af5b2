// Builds the pages' scripts and styles into the packages that ship them: `make web`.

import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const OUT = { page: "../archspec/drawing/assets", serve: "../archspec/serve/assets" };
const STYLES = { page: ["explorer.css"], serve: ["explorer.css", "serve.css"] };

// what was built from what: tests compare this with the sources
const sources = createHash("sha256");
for (const name of [...readdirSync("src").map((name) => `src/${name}`).sort(), "build.js", "package-lock.json"]) {
  sources.update(readFileSync(name));
}
const stamp = sources.digest("hex");

for (const [name, folder] of Object.entries(OUT)) {
  const { metafile } = await build({
    entryPoints: [`src/${name}.js`], outfile: `${folder}/${name}.js`, bundle: true, minify: true, format: "iife",
    target: "es2022", charset: "utf8", legalComments: "none", metafile: true,
    banner: { js: `/* built from web/ ${stamp}; licences in ${name}.licenses.txt */` },
  });
  const styles = STYLES[name].map((style) => readFileSync(`src/${style}`, "utf8")).join("");
  writeFileSync(`${folder}/${name}.css`, styles);
  const used = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const found = input.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//);
    if (found) used.add(found[1]);
  }
  const licenses = [...used].sort().map((library) => {
    const { version, license } = JSON.parse(readFileSync(`node_modules/${library}/package.json`, "utf8"));
    const file = readdirSync(`node_modules/${library}`).find((entry) => /^licen[cs]e/i.test(entry));
    return `${library} ${version} (${license})\n\n${file ? readFileSync(`node_modules/${library}/${file}`, "utf8").trim() : ""}\n`;
  });
  writeFileSync(`${folder}/${name}.licenses.txt`, licenses.join(`\n${"-".repeat(80)}\n\n`));
}
