"""A comparison -> its report: report.html (one file), report.md, figures, results.json, times.json."""

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

from archspec import sheet
from archspec.escape import html_text
from archspec.files import write_whole
from archspec.sheet import Sheet
from archspec.train import runs as folder_of_runs
from archspec.train.caveats import warning
from archspec.train.compare import Comparison, recorded
from archspec.train.figures import figures, written
from archspec.train.findings import Findings, findings
from archspec.train.statistics import Mean, Verdict, mean

Seconds = Mapping[str, Sequence[float]]
CAPTIONS = {
    "curves": "Validation accuracy of the averaged weights: mean over seeds and its 95 % interval.",
    "fractions": "Test accuracy from fewer training images, the number of steps being the same.",
    "overfitting": "How much better a network is on what it was trained on.",
    "macs": "Test accuracy against multiply-accumulates for one image.",
    "params": "Test accuracy against parameters.",
    "time": "Processor time of one run on all training images.",
}


def write(comparison: Comparison, runs: Path, output: Path) -> str:
    """Write the report into a folder; gives what the terminal shows. Raises `OSError`."""
    found = findings(comparison)
    seconds = {
        label: [folder_of_runs.progress(runs, comparison.tasks[key].key)[1] for key in comparison.records
                if key[0] == label and key[1] == max(comparison.protocol.fractions)]
        for label in comparison.labels
    }  # fmt: skip
    drawn = figures(comparison, found, seconds)
    (output / "figures").mkdir(parents=True, exist_ok=True)
    vectors = {}
    for name, figure in drawn.items():
        vectors[name] = written(figure, "svg")
        write_whole(output / "figures" / f"{name}.svg", vectors[name])
        write_whole(output / "figures" / f"{name}.png", written(figure, "png"))
    write_whole(output / "results.json", (json.dumps(recorded(comparison), indent=1, sort_keys=True) + "\n").encode())
    write_whole(output / "times.json", (json.dumps(seconds, indent=1, sort_keys=True) + "\n").encode())
    first, sections = warning(comparison, found), tables(comparison, found, seconds)
    write_whole(output / "report.md", as_markdown(comparison, first, sections, list(drawn)).encode())
    write_whole(output / "report.html", as_html(comparison, first, sections, vectors).encode())
    texts = [sheet.plain(Sheet("", s.headers, s.rows)) for _, s, _ in sections]
    said = [f"{title}\n\n{text}" + (f"\n\n{after}" if after else "")
            for (title, _, after), text in zip(sections, texts, strict=True)]  # fmt: skip
    return "\n\n".join([*([first] if first else []), *said, f"report: {output / 'report.html'}"])


def tables(comparison: Comparison, found: Findings, seconds: Seconds) -> list[tuple[str, Sheet, str]]:
    """Titles, tables, and what is said after each."""
    protocol = comparison.protocol
    largest = max(protocol.fractions)
    share = {label: next(a for a in found.accuracies if a.label == label) for label in comparison.labels}
    members = Sheet(
        "", ("network", "spec", "scaled", "params", "MACs", "learning rate", "seconds"),
        tuple((m.label, m.spec, m.changes, m.params, m.macs, f"{comparison.rates[m.label]:g}",
               f"{mean(seconds[m.label]).value:.1f}") for m in comparison.members),
    )  # fmt: skip
    speed = Sheet(
        "", ("network", "steps (median)", "by seed"),
        tuple((s.label, s.text, ", ".join(f">{s.limit}" if step is None else str(step) for step in s.steps))
              for s in found.speeds),
    )  # fmt: skip
    full = Sheet(
        "", ("network", "test accuracy", "train accuracy", "overfitting", "status"),
        tuple((label, percent(a.test), percent(a.train), percent(a.gap), a.status) for label, a in share.items()),
    )  # fmt: skip
    made = [
        ("Networks", members, ""),
        (f"(a) Steps to a validation accuracy of {protocol.target:g}", speed,
         decided(found.speed_verdicts, "fewer steps", lambda m: steps(m))),
        ("(b) Accuracy when trained fully" + (f", on {100 * largest:g} % of the images" if largest < 1 else ""), full,
         decided(found.accuracy_verdicts, "higher test accuracy", percent)),
    ]  # fmt: skip
    if found.areas:
        fractions = sorted(protocol.fractions, reverse=True)
        few = Sheet(
            "", ("network", "", *(f"{100 * fraction:g} %" for fraction in fractions), "area"),
            tuple(row for label in comparison.labels for row in few_rows(found, label)),
        )  # fmt: skip
        made.append(("(c) From fewer training images", few,
                     decided(found.area_verdicts, "more area under test accuracy", percent)))  # fmt: skip
    return made


def few_rows(found: Findings, label: str) -> list[tuple[str, ...]]:
    own = [accuracy for accuracy in found.accuracies if accuracy.label == label]
    return [
        (label, "test accuracy", *(percent(accuracy.test) for accuracy in own), percent(found.areas[label])),
        ("", "train − test", *(percent(accuracy.gap) for accuracy in own), ""),
    ]


def percent(value: Mean) -> str:
    return f"{100 * value.value:.1f}" + (f" ± {100 * value.half:.1f}" if value.known else "") + " %"


def steps(value: Mean) -> str:
    return f"{value.value:.0f}" + (f" ± {value.half:.0f}" if value.known else "") + " steps"


def decided(verdicts: Sequence[Verdict], what: str, text: object) -> str:
    """The verdicts, a line each."""
    say = text if callable(text) else str
    lines = [
        (f"{v.better} > {v.first if v.better == v.second else v.second}: {what} (by {say(v.size)}, p = {v.p:.3g})"
         if v.better else f"{v.first} and {v.second}: undecided (difference {say(v.difference)}, p = {v.p:.3g})")
        for v in verdicts
    ]  # fmt: skip
    return "\n".join(lines)


def conditions(comparison: Comparison) -> list[str]:
    """What holds for all, in sentences."""
    p, r, data = comparison.protocol, comparison.protocol.recipe, comparison.data
    sizes = ", ".join(f"{data.sizes[name]} {name}" for name in ("train", "validation", "test"))
    tried = comparison.tried(comparison.labels[0])
    rates = ", ".join(f"{rate:g}" for rate in tried)
    added = [f"{rate:g}" for rate in tried if rate not in p.rates] if comparison.tuning else []
    return [
        f"Data: {data.source}, {len(data.classes)} classes, {sizes} images, {data.side[0]}×{data.side[1]}.",
        f"Every run: {r.steps} steps of {r.batch} images, AdamW (weight decay {r.decay:g}), rate risen over {r.warmup} "
        f"steps, then {r.schedule}; what is evaluated every {r.interval} steps is the moving average of the weights.",
        f"Learning rates {rates}, chosen for every network by one run each on validation images alone"
        + (f"; {', '.join(added)} beyond the grid, since the best was at its edge." if added else "."),
        f"{p.seeds} seeds: 0 to {p.seeds - 1}; the same images in the same order for all networks.",
        "Intervals are of 95 %. Verdicts: paired bootstrap of the studentised difference, p-values by "
        "Holm's correction over the pairs of a table, decided at 0.05.",
        "Versions: " + ", ".join(f"{name} {number}" for name, number in sorted(comparison.versions.items())) + ".",
    ]


def as_markdown(
    comparison: Comparison, first: str, sections: Sequence[tuple[str, Sheet, str]], names: Sequence[str]
) -> str:
    parts = [
        *([f"**{first}**"] if first else []),
        f"# {title(comparison)}",
        "\n".join(f"- {line}" for line in conditions(comparison)),
    ]
    for heading, table, after in sections:
        parts += [f"## {heading}", sheet.markdown(table), *("- " + line for line in after.split("\n") if line)]
    parts += ["## Figures", *(f"![{CAPTIONS[name]}](figures/{name}.svg)\n\n{CAPTIONS[name]}" for name in names)]
    return "\n\n".join(parts) + "\n"


def title(comparison: Comparison) -> str:
    return " · ".join(comparison.labels)


def as_html(
    comparison: Comparison, first: str, sections: Sequence[tuple[str, Sheet, str]], drawings: Mapping[str, bytes]
) -> str:
    """The whole report as one page: no script, nothing from elsewhere."""
    style = resources.files("archspec.train").joinpath("assets/report.css").read_text("utf-8")
    parts = ["<ul>", *(f"<li>{html_text(line)}</li>" for line in conditions(comparison)), "</ul>"]
    for heading, table, after in sections:
        lines = "".join(f"<li>{html_text(line)}</li>" for line in after.split("\n") if line)
        parts.append(f"<section><h2>{html_text(heading)}</h2><div class=table>{sheet.web(table)}</div>"
                     + (f"<ul class=verdicts>{lines}</ul>" if lines else "") + "</section>")  # fmt: skip
    parts.append("<section class=figures>")
    for name, drawing in drawings.items():
        picture = prefixed(drawing.decode().partition("\n")[2], name)
        parts.append(f"<figure>{picture}<figcaption>{html_text(CAPTIONS[name])}</figcaption></figure>")
    parts.append("</section>")
    return "\n".join([
        "<!doctype html>", '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{html_text(title(comparison))}</title><style>{style}</style></head><body>",
        *([f"<p><strong>{html_text(first)}</strong></p>"] if first else []),
        f"<h1>{html_text(title(comparison))}</h1>", *parts, "</body></html>", "",
    ])  # fmt: skip


def prefixed(drawing: str, name: str) -> str:
    """An SVG whose ids are its own among several in a page."""
    for before in ('id="', 'href="#', "url(#"):
        drawing = drawing.replace(before, f"{before}{name}-")
    return drawing
