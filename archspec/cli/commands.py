"""The commands, and `run`, which turns errors into text and exit codes."""

from pathlib import Path
from typing import Any, Literal, get_args

import click

from archspec import driver
from archspec.cli import tables
from archspec.cli.device import devices_sheet, say_estimates, with_device
from archspec.cli.group import Commands
from archspec.cli.options import (
    Parameters,
    allow_nonfinite,
    many_specs,
    one_spec,
    with_image,
    with_limits,
    with_memory,
    with_parameters,
)
from archspec.cli.output import complain, fail, give, ready, reason, refuse, say, say_inferred, show, show_json
from archspec.diagnostics import codes, did_you_mean
from archspec.elaborate.parameters import GIVEN
from archspec.ending import INTERRUPTED
from archspec.errors import Refusal, SpecError
from archspec.escape import json_text
from archspec.files import whole_file
from archspec.graph import Graph
from archspec.limits import Limits
from archspec.optional import needing
from archspec.printable import holds
from archspec.spec import Spec
from archspec.stats import By
from archspec.syntax import cache
from archspec.tensor import NumberType, Shape

FINE, WRONG, USAGE, ENVIRONMENT, LIMIT = 0, 1, 2, 3, 4
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=Commands, context_settings=SETTINGS)
@click.version_option(package_name="archspec-compiler", prog_name="archspec")
def cli() -> None:
    """Compile the table that a paper prints.

    SPEC is a path (net.arch), one network or variant of a file (net.arch:Small), a bundled name (mobilenet_v2), or -
    for standard input. `archspec list` shows the bundled ones, `archspec list blocks` what a spec can use.

    \b
    Examples:
      archspec stats mobilenet_v2
      archspec stats mobilenet_v2 -p alpha=0.5 --by block
      archspec build mobilenet_v2 --backend torch -o mobilenet_v2.pth
      archspec check my_net.arch
      archspec graph mobilenet_v2 --json
      archspec explain shape-claim
    """


@cli.command()
@one_spec
@click.option("--backend", default="torch", show_default=True, help="Which framework to build for.")
@with_parameters
@with_image
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Save; the suffix says in what form."
)
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Seed of the initial weights."
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Weights in the canonical form, instead of drawn ones.",
)
@click.option(
    "--optimize", is_flag=True, help="For inference alone: normalisations folded into weights, dropout left out."
)
@click.option("--aux", is_flag=True, help="Give outputs of training alone (auxiliary heads) in evaluation too.")
@click.option("--emit", type=click.Choice(["source"]), help="Write the model as a file of Python instead.")
@allow_nonfinite
@with_memory
@with_limits
def build(
    spec: str,
    backend: str,
    params: Parameters,
    image: Shape | None,
    output: Path | None,
    seed: int,
    weights: Path | None,
    optimize: bool,
    aux: bool,
    emit: str | None,
    allow_nonfinite: bool,
    limits: Limits,
) -> None:
    """Build a model and say what was built; with -o, save it.

    With --emit source, print one file of Python that makes the same model without archspec, or write it with -o.

    With --optimize the model gives the same in evaluation, in less time; --weights are still those of the network as
    the spec has it. `archspec verify SPEC --optimize` proves it.

    A PyTorch model computes outputs `in training` (auxiliary heads) only in training mode. Keras and ONNX models,
    models for inference and Keras source do not have them. --aux gives them in evaluation too. A file of weights in
    the canonical form always has all weights.

    \b
    Examples:
      archspec build mobilenet_v2 --backend torch
      archspec build mobilenet_v2 -p alpha=0.5 -p k=10 -o small.pth
      archspec build net.arch:Large -o net.safetensors
      archspec build resnet50 --weights resnet50.safetensors -o resnet50.pt
      archspec build resnet50 --weights resnet50.safetensors --optimize -o resnet50.onnx --backend onnx
      archspec build resnet50 --emit source -o resnet50.py
    """
    from archspec.backend import Builds, get
    from archspec.weights import SUFFIX

    if emit is not None:
        emit_source(spec, backend, params, image, output, weights, optimize, aux, limits)
        return

    chosen = get(backend, Builds)
    if output is not None and output.suffix not in chosen.formats:
        raise click.UsageError(
            f"{backend} saves as {', '.join(chosen.formats)}, not {output.suffix or 'a file without suffix'}"
        )
    graph = elaborated(spec, params, image, limits)
    tensors = driver.stored(weights, graph, finite=not allow_nonfinite)
    if aux or (output is not None and output.suffix == SUFFIX and not optimize):
        graph = graph.with_all_outputs()
    if optimize:
        from archspec.weights import optimized

        graph, tensors = optimized(graph, tensors, seed)
    model = chosen.build(graph, seed=seed, weights=tensors)
    if output is not None:
        chosen.save(model, graph, output)
    tables.print_sheet(tables.stats_sheet(graph.stats(), graph.title))
    say("")
    say(
        f"built for {backend} ({type(model).__name__}) "
        + ("for inference alone, " if optimize else "")
        + (f"with the weights of {weights}" if weights else f"with seed {seed}")
    )
    say(f"saved to {output} ({chosen.formats[output.suffix]})" if output else "not saved; give -o FILE to save it")


def emit_source(
    spec: str,
    backend: str,
    params: Parameters,
    image: Shape | None,
    output: Path | None,
    weights: Path | None,
    optimize: bool,
    aux: bool,
    limits: Limits,
) -> None:
    """Print a file of Python, or write it whole or not at all."""
    if weights is not None:
        raise click.UsageError("--emit source writes no weights; load them into its model")
    loaded = driver.load(spec, limits)
    graph = from_spec(loaded, params, image)
    made = driver.written(loaded, graph.with_all_outputs() if aux else graph, backend, optimize)
    if output is None:
        give(made)
        return
    with whole_file(output) as temporary:
        temporary.write_bytes(made.encode())
    say(f"saved to {output} ({len(made.splitlines())} lines)")


@cli.command()
@many_specs
@with_parameters
@with_image
@click.option(
    "--by", type=click.Choice([*get_args(By), "stage"]),
    help="What a line counts; rows for one network, stages, side by side, for several.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice([*tables.FORMATS, "json"]), default="table", show_default=True, help="Form."
)
@with_device
@with_limits
def stats(
    specs: tuple[str, ...], params: Parameters, image: Shape | None, by: By | Literal["stage"] | None, form: str,
    device: str | None, dtype: NumberType | None, limits: Limits,
) -> None:  # fmt: skip
    """Print exact parameters and MACs; no framework is needed.

    Several networks stand side by side, a line for each stage: what has the same share of the image's height. As JSON
    one network is an object, several are a list of them, in the order given.

    With --device: the memory that activations and weights need, whether it is there, and the least time.

    \b
    Examples:
      archspec stats mobilenet_v2
      archspec stats mobilenet_v2 -p alpha=1.4 --by layer
      archspec stats resnet50 --input 160x160
      archspec stats mine.arch mobilenet_v2 vgg16 --format markdown
      archspec stats mobilenet_v2 --device stm32h743 --dtype int8
    """
    graphs = (elaborated(spec, params, image, limits) for spec in specs)
    if device is not None:
        if by == "stage":
            raise click.UsageError("--device counts rows, blocks or layers, not stages")
        say_estimates(graphs, device, dtype, by or "row", form)
        return
    if dtype is not None:
        raise click.UsageError("--dtype needs a --device")
    if by is None:
        by = "stage" if len(specs) > 1 else "row"
    if by == "stage":
        compared = list(graphs)
        if form == "json":
            show_json(tables.stages_json(compared))
        else:
            tables.print_sheet(tables.stages_sheet(compared), form)
        return
    if form == "json":
        show_json(tables.stats_json([graph.stats(by) for graph in graphs]))
        return
    for position, graph in enumerate(graphs):
        if position:
            say("")
        tables.print_sheet(tables.stats_sheet(graph.stats(by), graph.title), form)


@cli.command()
@one_spec
@with_parameters
@with_image
@click.option("--json", "as_json", is_flag=True, help="The Graph as JSON.")
@click.option("--schema", is_flag=True, help="The JSON Schema of Graphs.")
@with_limits
def graph(spec: str, params: Parameters, image: Shape | None, as_json: bool, schema: bool, limits: Limits) -> None:
    """Print the elaborated Graph: every node with its path, operator, inputs and shape.

    \b
    Examples:
      archspec graph mobilenet_v2
      archspec graph mobilenet_v2 --json > graph.json
      archspec graph mobilenet_v2 --schema
    """
    if schema:
        show_json(json_text(Graph.model_json_schema(), indent=2))
        return
    made = elaborated(spec, params, image, limits)
    if as_json:
        show_json(made.model_dump_json())
    else:
        tables.print_sheet(tables.graph_sheet(made))


@cli.command("list")
@click.argument(
    "what",
    type=click.Choice(["specs", "operators", "blocks", "readings", "backends", "codes", "devices"]),
    default="specs",
)
def list_(what: str) -> None:
    """List the bundled specs, the operators, the blocks and readings that a spec can use, the backends, the codes of
    diagnostics, or the devices.

    \b
    Examples:
      archspec list
      archspec list operators
      archspec list blocks
    """
    tables.print_sheet(LISTS[what]())


@cli.command()
@click.argument("code")
def explain(code: str) -> None:
    """Explain a code that a diagnostic printed.

    \b
    Examples:
      archspec explain shape-claim
    """
    known = {cls.code: cls for cls in codes()}
    if code not in known:
        advice = did_you_mean(code, known) or "`archspec list codes` shows all"
        raise click.UsageError(f"there is no code {code!r}; {advice}")
    show(f"{known[code].severity.value}[{code}]\n\n{tables.docstring(known[code])}")


LISTS = {
    "specs": lambda: tables.specs_sheet(driver.bundled_networks()),
    "operators": tables.operators_sheet,
    "blocks": tables.blocks_sheet,
    "readings": tables.readings_sheet,
    "backends": tables.backends_sheet,
    "codes": tables.codes_sheet,
    "devices": devices_sheet,
}


def elaborated(spec: str, params: Parameters, image: Shape | None, limits: Limits) -> Graph:
    """The Graph of a spec; raises `SpecError` and `OSError`."""
    return from_spec(driver.load(spec, limits), params, image)


def from_spec(loaded: Spec, params: Parameters, image: Shape | None) -> Graph:
    """The Graph of a spec; what was inferred from its claims goes to stderr."""
    made = loaded.elaborate(image, **dict(params))
    say_inferred(loaded)
    return made


def run(arguments: list[str] | None = None) -> int:
    """The exit code of a command."""
    ready()
    try:
        with needing("this command"):
            result: Any = cli.main(arguments, prog_name="archspec", standalone_mode=False)
        return result if isinstance(result, int) else FINE
    except SpecError as error:
        complain(error.diagnostics)
        given = all(d.primary.source.name == GIVEN for d in error.diagnostics)
        return USAGE if given and error.exit_code == WRONG else error.exit_code
    except Refusal as error:
        fail(str(error), error.help)
        return error.exit_code
    except click.ClickException as error:
        refuse(error)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say("interrupted", err=True)
        return INTERRUPTED
    except MemoryError:
        fail("this needs more memory than there is")
        return LIMIT
    except UnicodeEncodeError as error:
        if holds("utf-8", error.object):
            raise
        fail(f"`{error.object}` is not UTF-8, and a library that this needs takes no other name of a file")
        return USAGE
    except OSError as error:
        fail(reason(error))
        return ENVIRONMENT
    finally:
        cache.end()
