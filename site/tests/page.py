"""Uses the page in headless Chromium: `page.py PAGE COMMAND AXE`. Screenshots are written beside the page."""

from __future__ import annotations

import gzip
import io
import json
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

PAGE, COMMAND = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
AXE = pathlib.Path(sys.argv[3]).read_text()
PICTURES = PAGE.parent
FILES = pathlib.Path(__file__).parents[2] / "tests/files"
COMPONENT = FILES / "rust-auditable.component.wasm"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--enable-precise-memory-info",
]
HOSTILE = ["<img src=x onerror=alert(1)>", "\u202e</script><script>alert(1)</script>", "\x1b[31m${alert(1)}", "__proto__"]
troubles: list[str] = []


@contextmanager
def page_of(browser: Browser, *, reads_all: bool = False, **options: object) -> Iterator[Page]:
    """The page in a context of its own. Any message, dialog or request is a defect."""
    with browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options}) as context:
        page = context.new_page()
        page.on("dialog", lambda dialog: (troubles.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("console", lambda message: troubles.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        page.on("request", lambda request: request.url.startswith(("data:", "blob:", "file:")) or troubles.append(f"request: {request.url}"))
        page.add_init_script(READS)
        if not reads_all:
            page.add_init_script(READS_RANGES)
        page.goto(PAGE.as_uri())
        yield page


# Counts the bytes of blobs that the page reads, and keeps the instances of the core.
READS = """
    window.instances = [];
    const instantiate = WebAssembly.instantiate;
    WebAssembly.instantiate = async (...given) => {
        const instance = await instantiate(...given);
        window.instances.push(instance);
        return instance;
    };
    window.bytesRead = 0;
    const arrayBuffer = Blob.prototype.arrayBuffer;
    Blob.prototype.arrayBuffer = function () { window.bytesRead += this.size; return arrayBuffer.call(this); };
"""
READS_RANGES = """
    for (const name of ["text", "stream", "bytes"]) Blob.prototype[name] = () => { throw new Error(`reads all: ${name}`); };
"""


def opened(page: Page, path: pathlib.Path) -> None:
    page.set_input_files("#file", path)
    page.wait_for_function("(name) => document.querySelector('.title h2')?.textContent === name", arg=path.name)


def dropped(page: Page, paths: list[pathlib.Path]) -> None:
    """Drops files on the page, as a person does."""
    page.evaluate("() => { const input = document.createElement('input'); input.type = 'file'; input.multiple = true; input.id = 'carrier'; document.body.append(input); }")
    page.set_input_files("#carrier", paths)
    page.evaluate("""() => {
        const carrier = document.getElementById('carrier'), data = new DataTransfer();
        for (const file of carrier.files) data.items.add(file);
        carrier.remove();
        document.body.dispatchEvent(new DragEvent('dragover', { dataTransfer: data, bubbles: true, cancelable: true }));
        document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    }""")
    page.wait_for_selector(".title h2")


def downloaded(page: Page) -> bytes:
    with page.expect_download() as download:
        page.click("#download")
    return pathlib.Path(download.value.path()).read_bytes()


def edited_by_command(path: pathlib.Path, *arguments: str) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        copy = pathlib.Path(directory) / path.name
        shutil.copyfile(path, copy)
        subprocess.run([COMMAND, arguments[0], "--quiet", copy, *arguments[1:]], check=True)
        return copy.read_bytes()


def panel(page: Page, title: str):
    return page.locator(".panel", has=page.locator("h2", has_text=title))


def shows_what_the_command_shows(browser: Browser) -> None:
    with page_of(browser) as page:
        dropped(page, [COMPONENT])
        document = json.loads(subprocess.run([COMMAND, "show", "--json", "--interface", COMPONENT], check=True, capture_output=True).stdout)
        items = page.locator("[role=treeitem]")
        assert items.count() == 6, items.count()
        assert "checksum" in items.nth(0).text_content()
        facts = page.locator(".facts").first.text_content()
        assert all(value in facts for value in document["item"]["annotations"].values()), facts
        items.nth(0).click()
        page.keyboard.press("ArrowDown")
        assert "debian clang" in page.locator(".facts").first.text_content().lower()
        assert panel(page, "Imports").locator("tbody tr").count() == len(document["item"]["imports"])
        assert panel(page, "Packages").locator("tbody tr").count() == len(document["packages"])
        segments = page.locator(".segment")
        assert segments.count() > 10
        page.locator(".map").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        assert page.locator(".readout b").count() == 1
        page.keyboard.press("Escape")
        # The filter searches every list.
        page.keyboard.press("/")
        page.keyboard.type("wasi:cli/exit")
        assert panel(page, "Imports").locator("tbody tr").count() == 1
        assert panel(page, "Packages").locator("tbody tr").count() == 0
        page.keyboard.press("Escape")
        assert panel(page, "Imports").locator("tbody tr").count() == len(document["item"]["imports"])
        page.click("text=Search the data for packages")
        page.wait_for_selector("text=a list of recovered packages may lack some")


def edits_are_those_of_the_command(browser: Browser) -> None:
    with page_of(browser) as page:
        opened(page, COMPONENT)
        assert downloaded(page) == COMPONENT.read_bytes()
        page.fill("#field-licenses", "ISC")
        page.fill("#field-vendor", "Acme")
        page.fill("#field-name", "new name")
        page.fill("#field-homepage", "")
        page.click("text=Apply")
        page.wait_for_selector("h2:has-text('Changes')")
        expected = edited_by_command(COMPONENT, "set", "--licenses", "ISC", "--vendor", "Acme", "--name", "new name")
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "edited.wasm"
            path.write_bytes(expected)
            expected = edited_by_command(path, "unset", "homepage")
        assert downloaded(page) == expected
        # A nested item, and then a strip of the whole file.
        page.locator("[role=treeitem]").nth(1).click()
        page.fill("#field-description", "nested")
        page.click("text=Apply")
        page.wait_for_function("() => document.querySelector('.facts').textContent.includes('nested')")
        page.select_option("#strip", "names")
        changes = panel(page, "Changes").locator("li").count()
        page.click("button:text-is('Strip')")
        page.wait_for_function("(before) => document.querySelectorAll('.changes li').length > before", arg=changes)
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "edited.wasm"
            path.write_bytes(expected)
            path.write_bytes(edited_by_command(path, "set", "--at", "0", "--description", "nested"))
            expected = edited_by_command(path, "strip", "--names")
        assert downloaded(page) == expected
        # A value that is not valid is refused, with the reason.
        page.fill("#field-licenses", "MIT!")
        page.click("text=Apply")
        page.wait_for_selector(".problem:not([hidden])")
        assert "SPDX" in page.locator(".problem").text_content()
        page.check("#allow-invalid")
        page.click("text=Apply")
        page.wait_for_selector("li >> text=not-spdx")
        page.click("text=Undo all edits")
        assert downloaded(page) == COMPONENT.read_bytes()


def compares_two_files(browser: Browser) -> None:
    with page_of(browser) as page, tempfile.TemporaryDirectory() as directory:
        other = pathlib.Path(directory) / "other.wasm"
        other.write_bytes(edited_by_command(COMPONENT, "set", "--version", "9.9.9", "--vendor", "Acme"))
        opened(page, COMPONENT)
        page.set_input_files("#other", other)
        page.wait_for_selector("#differences tbody tr")
        rows = [row.split("\t") for row in page.locator("#differences tbody").inner_text().splitlines()]
        differences = {row[0]: row[1:] for row in rows}
        assert differences["version"] == ["0.1.0", "9.9.9"] and differences["vendor"] == ["missing", "Acme"], differences
        assert set(differences) == {"size", "version", "vendor", "section vendor"}, differences
        dropped(page, [COMPONENT, COMPONENT])
        page.wait_for_selector("text=The values of both files are the same.")


def archives_are_opened(browser: Browser) -> None:
    long_name = f"package/{'directory/' * 20}long.wasm"
    members = {
        "package/readme.txt": b"\0as", long_name: (FILES / "clang-fib.component.wasm").read_bytes(),
        "package/empty": b"", "package/" + HOSTILE[0].replace("/", " "): COMPONENT.read_bytes(),
    }
    binaries = [name for name, data in members.items() if data.startswith(b"\0asm")]
    with page_of(browser, reads_all=True) as page, tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        for path, mode in [("a.tgz", "w:gz"), ("a.tar", "w")]:
            for format in [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]:
                with tarfile.open(directory / path, mode, format=format) as tar:
                    for member, data in members.items():
                        entry = tarfile.TarInfo(member)
                        entry.size = len(data)
                        tar.addfile(entry, io.BytesIO(data))
                lists_binaries(page, directory / path, binaries)
        for path, method in [("a.zip", zipfile.ZIP_STORED), ("a.whl", zipfile.ZIP_DEFLATED)]:
            with zipfile.ZipFile(directory / path, "w", method) as archive:
                for member, data in members.items():
                    archive.writestr(member, data)
            lists_binaries(page, directory / path, binaries)
        (directory / "one.wasm.gz").write_bytes(gzip.compress(COMPONENT.read_bytes()))
        lists_binaries(page, directory / "one.wasm.gz", ["one.wasm"])
        page.set_input_files("#file", directory / "a.whl")
        page.wait_for_selector(".panel .note:has-text('a.whl')")
        page.screenshot(path=PICTURES / "archive.png")
        packed = (directory / "a.tgz").read_bytes()
        for path, data, message in [
            ("cut.tgz", packed[: len(packed) // 2], ""), ("cut.zip", (directory / "a.zip").read_bytes()[:-100], "no directory"),
            ("none.tgz", gzip.compress(b"text"), "no WebAssembly binaries"), ("odd.tgz", gzip.compress(b"text" * 999), "malformed"), ("bomb.gz", gzip.compress(b"\0asm" + bytes(600 << 20), 1), "512 MiB"),
        ]:
            (directory / path).write_bytes(data)
            page.set_input_files("#file", directory / path)
            page.wait_for_selector("#problem:not([hidden])")
            assert message in page.locator("#problem").text_content(), page.locator("#problem").text_content()
            page.evaluate("() => { document.getElementById('problem').hidden = true; }")


def lists_binaries(page: Page, path: pathlib.Path, names: list[str]) -> None:
    """The page lists these binaries of an archive, and opens each."""
    page.set_input_files("#file", path)
    page.wait_for_selector(f".panel .note:has-text('{path.name}')")
    assert page.locator(".binaries button span:first-child").all_text_contents() == names
    for nth, name in enumerate(names):
        page.locator(".binaries button").nth(nth).click()
        page.wait_for_function("(name) => document.querySelector('.title h2').textContent === name", arg=name)
    assert downloaded(page) == COMPONENT.read_bytes()
    page.evaluate("() => document.querySelector('.binaries').closest('.panel').remove()")


def malformed_files_are_described(browser: Browser) -> None:
    with page_of(browser) as page, tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "text.wasm"
        path.write_text("no WebAssembly")
        page.set_input_files("#file", path)
        page.wait_for_selector("#problem:not([hidden])")
        assert "not WebAssembly" in page.locator("#problem").text_content()
        path = pathlib.Path(directory) / "cut.wasm"
        path.write_bytes(COMPONENT.read_bytes()[:60_000])
        opened(page, path)
        assert page.locator("#problem").is_hidden()
        assert "partial" in page.locator("main .stopped").text_content()
        assert page.locator("[role=treeitem]").count() == 2


def many_sections_are_drawn(browser: Browser) -> None:
    with page_of(browser) as page, tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "many.wasm"
        path.write_bytes(b"\0asm\x01\0\0\0" + b"\0\x02\x01x" * 300_000)
        opened(page, path)
        assert page.locator(".segment").count() == 1
        page.locator(".segment").hover()
        assert "sections" in page.locator(".readout").text_content()
        assert panel(page, "Sections").last.locator("tbody tr").count() == 300


def hostile_values_are_inert(browser: Browser) -> None:
    with page_of(browser) as page, tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / f"{HOSTILE[0].replace('/', ' ')}.wasm"
        data = b"\0asm\x01\0\0\0"
        for name, value in [*zip(["description", "licenses", "vendor"], HOSTILE), *((text, "") for text in HOSTILE)]:
            named = bytes([len(name.encode())]) + name.encode() + value.encode()
            data += bytes([0, len(named)]) + named
        path.write_bytes(data)
        before = page.evaluate("() => document.querySelectorAll('script, style, img, iframe, meta, link, base').length")
        opened(page, path)
        page.set_input_files("#other", path)
        page.wait_for_selector("#differences")
        for text in HOSTILE:
            page.fill("#filter", text)
        page.fill("#filter", "")
        for segment in page.locator(".segment").all():
            segment.hover(force=True)
        assert page.evaluate("() => document.querySelectorAll('script, style, img, iframe, meta, link, base').length") == before
        handlers = "() => [...document.querySelectorAll('*')].flatMap((e) => [...e.attributes]).filter((a) => a.name.startsWith('on')).length"
        assert page.evaluate(handlers) == 0
        assert not page.evaluate(r"() => /[\u202a-\u202e\u001b]/.test(document.querySelector('main').innerText)")
        assert HOSTILE[0] in page.locator(".facts").first.text_content()


def large_files_are_not_read(browser: Browser) -> None:
    """A component of 2 GiB: two modules whose data is a hole, between metadata."""
    with page_of(browser) as page, tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "large.wasm"
        module = (1 << 30) - 16
        with path.open("wb") as file:
            file.write(b"\0asm\x0d\0\x01\0" + b"\0\x0c\x08licensesMIT")
            for _ in range(2):
                file.write(b"\x01" + leb(module) + b"\0asm\x01\0\0\0" + b"\x0b" + leb(module - 14))
                file.seek(module - 14, 1)
            file.write(b"\0\x0d\x07version1.2.3")
        opened(page, path)
        read = page.evaluate("() => window.bytesRead")
        heap = page.evaluate("() => performance.memory.usedJSHeapSize")
        memory = page.evaluate("() => window.instances.reduce((sum, { exports }) => sum + exports.memory.buffer.byteLength, 0)")
        print(f"2 GiB: {read:,} bytes read, {heap / 1e6:.1f} MB of JavaScript's heap, {memory / 1e6:.1f} MB of Wasm memory")
        assert path.stat().st_size > 2 * module and read <= 2 << 20 and memory > 0 and heap + memory < 50e6
        assert page.locator("[role=treeitem]").count() == 3
        facts = page.locator(".facts").first.text_content()
        assert "MIT" in facts and "1.2.3" in facts
        page.fill("#field-vendor", "Acme")
        page.click("text=Apply")
        page.wait_for_selector("h2:has-text('Changes')")
        assert page.evaluate("() => window.bytesRead") <= 2 << 20


def leb(number: int) -> bytes:
    """Five bytes."""
    return bytes([number >> shift & 0x7F | 0x80 for shift in (0, 7, 14, 21)] + [number >> 28])


def is_accessible(browser: Browser) -> None:
    for scheme in ["light", "dark"]:
        with page_of(browser, color_scheme=scheme) as page:
            for step in ["empty", "open", "compared"]:
                if step == "open":
                    opened(page, COMPONENT)
                if step == "compared":
                    page.set_input_files("#other", FILES / "clang-fib.component.wasm")
                    page.wait_for_selector("#differences")
                page.evaluate(AXE)
                found = page.evaluate("() => axe.run()")["violations"]
                listed = [f"{step} {scheme}: {one['id']}: {node['html'][:160]} {node['failureSummary'][:300]}" for one in found for node in one["nodes"]]
                assert not listed, "\n".join(listed[:12])


def looks(browser: Browser) -> None:
    for name, options in {
        "light": {"color_scheme": "light"},
        "dark": {"color_scheme": "dark"},
        "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "device_scale_factor": 2, "has_touch": True},
        "phone-dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "device_scale_factor": 2, "has_touch": True},
    }.items():
        with page_of(browser, **options) as page:
            page.screenshot(path=PICTURES / f"{name}-empty.png")
            opened(page, COMPONENT)
            page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
            assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), f"{name} scrolls sideways"
            page.set_input_files("#other", FILES / "clang-fib.component.wasm")
            page.wait_for_selector("#differences")
            page.screenshot(path=PICTURES / f"{name}-compared.png")


TESTS = [
    shows_what_the_command_shows, edits_are_those_of_the_command, compares_two_files, archives_are_opened, malformed_files_are_described, many_sections_are_drawn,
    hostile_values_are_inert, large_files_are_not_read, is_accessible, looks,
]
chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
assert chromium, "chromium is not installed"
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=chromium, headless=True, args=ARGUMENTS)
    for test in TESTS:
        if len(sys.argv) < 5 or test.__name__ in sys.argv[4:]:
            test(browser)
            assert not troubles, f"{test.__name__}: " + "\n".join(troubles[:20])
            print(f"{test.__name__}: passed")
    browser.close()
