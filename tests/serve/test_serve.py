"""The page of `archspec serve`: its answers, what it refuses, and its use in a browser."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from socket import socket

import pytest
from pasting.test_import import TALK
from playwright.sync_api import Browser, Page, expect
from starlette.testclient import TestClient

from archspec.cli.commands import run
from archspec.serve.app import Server

ROOT = Path(__file__).parent.parent.parent
SPEC = (ROOT / "specs" / "mobilenet_v2.arch").read_text(encoding="utf-8")


PASTE = """text => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
    document.querySelector(".cm-content").dispatchEvent(event);
}"""


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    (tmp_path / "served").mkdir()
    return TestClient(Server(tmp_path / "served", "net.arch", SPEC).app(), base_url="http://127.0.0.1")


# ---- answers ----


def test_a_spec_is_compiled(client: TestClient) -> None:
    found = client.post("/compile", json={"text": SPEC}).json()
    assert found["diagnostics"] == []
    assert found["network"]["networks"][0]["params"] == 3_504_872
    assert found["member"] == "MobileNetV2"
    assert "mobilenet_v2_1_4" in found["members"]
    assert {name for _, _, name in found["tokens"]} >= {"keyword", "string", "number", "comment"}


def test_a_variant_and_parameters(client: TestClient) -> None:
    found = client.post("/compile", json={"text": SPEC, "member": "mobilenet_v2_1_4", "parameters": "k=10"}).json()
    assert found["network"]["networks"][0]["params"] == 6_108_776 - 990 * 1793


def test_a_mistake_is_told_at_its_cell(client: TestClient) -> None:
    wrong = SPEC.replace(
        "| 28²×32   | bottleneck  | 6 | 64   | 4 | 2 |", "| 28²×32   | bottleneck  | 6 | 64   | 4 | 1 |"
    )
    found = client.post("/compile", json={"text": wrong}).json()
    assert found["network"] is None
    first = found["diagnostics"][0]
    assert first["severity"] == "error"
    assert (first["line"], first["code"]) == (20, "shape-claim")
    assert "^" in first["text"]


def test_the_table_of_the_talk_is_read(client: TestClient) -> None:
    found = client.post("/compile", json={"text": TALK}).json()
    again = client.post("/compile", json={"text": found["imported"]}).json()
    assert again["network"]["networks"][0]["params"] == 3_504_872


def test_what_is_wrong_with_a_pasted_table_is_shown_at_its_cell(client: TestClient) -> None:
    found = client.post("/compile", json={"text": TALK.replace("56^2 \\times 24$", "56^2 \\times 25$")}).json()
    (first,) = found["diagnostics"]
    assert (first["code"], first["line"], first["edits"]) == ("shape-claim", 7, [])


@pytest.mark.parametrize(
    "text", ["", "nonsense", "network", "arch 1\nnetwork N() {", "\x00", "a | b\nc | d", "{" * 5000]
)
def test_no_text_breaks_it(text: str, client: TestClient) -> None:
    done = client.post("/compile", json={"text": text})
    assert done.status_code == 200
    assert done.json()["network"] is None


@pytest.mark.parametrize("form", ["html", "svg", "dot"])
def test_pictures_can_be_downloaded(form: str, client: TestClient) -> None:
    done = client.post("/picture", json={"text": SPEC, "form": form})
    assert done.status_code == 200
    assert "MobileNetV2" in done.text
    assert client.post("/picture", json={"text": "network", "form": form}).status_code == 422


def test_a_module_in_the_folder_is_not_run(client: TestClient, tmp_path: Path) -> None:
    for name in ("archspec", "click", "ruff", "torch"):
        (tmp_path / "served" / f"{name}.py").write_text(f"open({str(tmp_path / 'marker')!r}, 'w')")
    assert "nn.Module" in client.post("/source", json={"text": SPEC, "backend": "torch"}).text
    assert not (tmp_path / "marker").exists()


def test_the_source_is_that_of_the_command(client: TestClient) -> None:
    made = client.post("/source", json={"text": SPEC, "backend": "torch"}).text
    assert "class MobileNetV2(" in made
    assert client.post("/source", json={"text": "network", "backend": "torch"}).text.startswith("# error")


# ---- what it refuses ----


def test_files_outside_of_the_folder_are_not_read(client: TestClient, tmp_path: Path) -> None:
    block = "arch 1\nblock secret(c) = conv(1, c)\n"
    (tmp_path / "outside.arch").write_text(block)
    (tmp_path / "served" / "inside.arch").write_text(block)
    (tmp_path / "served" / "link.arch").symlink_to(tmp_path / "outside.arch")
    net = 'arch 1\nuse "{}"\nnetwork N() {{ input 8x8x3 body secret(4) }}\n'
    assert client.post("/compile", json={"text": net.format("./inside")}).json()["diagnostics"] == []
    for path in ("../outside", "./link", "./../outside.arch", f"./../../{tmp_path.name}/outside"):
        (found,) = client.post("/compile", json={"text": net.format(path)}).json()["diagnostics"][:1]
        assert "outside of the folder" in found["text"]
        assert "conv(1, c)" not in found["text"]
        source = client.post("/source", json={"text": net.format(path), "backend": "torch"}).text
        assert "outside of the folder" in source
        assert "conv(1, c)" not in source


@pytest.mark.parametrize(
    "path", ["/assets/../app.py", "/assets/%2e%2e/app.py", "/assets/index.html", "/etc/passwd", "/net.arch"]
)
def test_no_other_file_is_served(path: str, client: TestClient) -> None:
    assert client.get(path).status_code == 404


def test_other_pages_are_refused(client: TestClient) -> None:
    text = {"text": SPEC}
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400
    assert client.post("/compile", json=text, headers={"origin": "http://evil.example"}).status_code == 400
    assert client.post("/compile", content="{}", headers={"content-type": "text/plain"}).status_code == 400
    assert client.post("/compile", json={"text": 3}).status_code == 400
    assert client.post("/compile", json=[]).status_code == 400
    assert client.post("/compile", content="{", headers={"content-type": "application/json"}).status_code == 400
    assert client.post("/source", json={**text, "backend": "../x"}).status_code == 400
    assert client.post("/picture", json={**text, "form": "exe"}).status_code == 400


def test_the_page_allows_its_own_script_alone(client: TestClient) -> None:
    done = client.get("/")
    policy = done.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    hostile = TestClient(
        Server(Path(), "</script><b>.arch", "</script><script>x</script>").app(), base_url="http://localhost"
    )
    assert hostile.get("/").text.count("</script>") == 2


def test_no_framework_is_imported() -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from archspec.serve.app import Server; from archspec.serve import answers\n"
        "Server(Path(), 'a', '').app(); text = open('specs/mobilenet_v2.arch').read()\n"
        "assert answers.answer(text, 'a', Path())['network']\n"
        "wrong = {'torch', 'tensorflow', 'keras', 'onnx', 'matplotlib', 'numpy', 'archspec_torch', 'archspec_keras'}\n"
        "assert not wrong & set(sys.modules), wrong & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


# ---- in a browser ----


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "net.arch").write_text(SPEC, encoding="utf-8")
    command = [sys.executable, "-u", "-m", "archspec", "serve", "net.arch", "--port", "0", "--no-open"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[2]
        process.terminate()


@pytest.fixture
def page(chromium: Browser, url: str) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1400, "height": 900})
    made = context.new_page()
    wrong: list[str] = []
    made.on("pageerror", lambda error: wrong.append(str(error)))
    made.on("console", lambda message: wrong.append(message.text) if message.type in {"error", "warning"} else None)
    made.on(
        "request", lambda request: wrong.append(request.url) if not request.url.startswith((url, "data:")) else None
    )
    made.goto(url)
    expect(made.locator(".state")).to_have_text("✓")
    yield made
    context.close()
    assert wrong == []


def cell_end(page: Page, line: str) -> None:
    """Puts the cursor behind the last cell of a line."""
    page.locator(".cm-line", has_text=line).first.click()
    for key in ("End", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)


def test_a_mistake_is_shown_at_its_cell_and_its_mending_draws_anew(page: Page) -> None:
    cell_end(page, "| 6 | 64   | 4 | 2 |")
    page.keyboard.press("Backspace")
    page.keyboard.type("1")
    expect(page.locator(".state.wrong")).to_be_visible()
    expect(page.locator(".cm-lintRange-error").first).to_be_visible()
    expect(page.locator(".problems li.error").first).to_contain_text("net.arch:20")
    expect(page.locator(".explorer.old")).to_have_count(1)
    page.locator(".problems li.error button").first.click()
    cell_end(page, "| 6 | 64   | 4 | 1 |")
    page.keyboard.press("Backspace")
    page.keyboard.type("2")
    expect(page.locator(".state")).to_have_text("✓")
    expect(page.locator(".problems li")).to_have_count(0)
    expect(page.locator(".explorer.old")).to_have_count(0)


def test_what_is_typed_is_drawn(page: Page) -> None:
    page.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.evaluate(PASTE, "arch 1\nnetwork Small {\n  input 8 x 8 x 3\n  body conv(3, 16) -> relu\n}\n")
    expect(page.locator(".heading")).to_contain_text("432 params")
    page.locator(".cm-line", has_text="body conv").click()
    page.keyboard.press("End")
    page.keyboard.type(" -> conv(1, 4)")
    expect(page.locator(".heading")).to_contain_text("496 params")
    expect(page.locator(".box", has_text="conv 1×1, 4")).to_have_count(1)


def test_the_table_of_the_talk_is_pasted(page: Page) -> None:
    page.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.evaluate(PASTE, TALK)
    expect(page.locator(".notes")).to_contain_text("mobilenet_v2")
    expect(page.locator(".state")).to_have_text("✓")
    expect(page.locator(".heading")).to_contain_text("3,504,872 params")
    expect(page.locator(".side tbody tr")).to_have_count(11)


def test_parameters_and_members_and_source(page: Page) -> None:
    page.locator(".parameters").fill("alpha=0.5")
    expect(page.locator(".heading")).to_contain_text("1,968,680 params")
    page.locator(".parameters").fill("")
    page.get_by_label("Network", exact=True).select_option("mobilenet_v2_1_4")
    expect(page.locator(".heading")).to_contain_text("6,108,776 params")
    page.get_by_role("tab", name="Source").click()
    expect(page.locator(".source")).to_contain_text("nn.Module")


def test_files_are_downloaded(page: Page, tmp_path: Path) -> None:
    for form, begins in (("arch", b"arch 1"), ("svg", b"<?xml"), ("html", b"<!DOCTYPE html>")):
        with page.expect_download() as waiting:
            page.get_by_label("Download").select_option(form)
        waiting.value.save_as(tmp_path / f"net.{form}")
        assert waiting.value.suggested_filename == f"net.{form}"
        assert (tmp_path / f"net.{form}").read_bytes().startswith(begins)


def test_a_busy_port_is_told_with_a_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    with socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert run(["serve", "--no-open", "--port", str(port)]) == 3
    said = capsys.readouterr().err
    assert said.startswith(f"error: cannot listen at port {port}: address already in use\n")
    assert "--port 0" in said


def test_the_script_was_built_from_the_sources_beside_it() -> None:
    from drawing.test_page import stamp

    assert stamp() in (ROOT / "archspec" / "serve" / "assets" / "serve.js").read_text(encoding="utf-8")[:200]
