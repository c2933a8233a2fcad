"""Uses a page as people do, in headless Chromium, and fails where anything of the input ran, opened, or asked for something."""

import pathlib
import shutil
import sys
import tempfile
import time

from playwright.sync_api import sync_playwright

path, mode = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
pictures = path.parent
arguments = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]
troubles = []


def watched(page):
    """Notes whatever should not be."""
    page.on("dialog", lambda dialog: (troubles.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("console", lambda message: troubles.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on("popup", lambda popup: troubles.append(f"popup: {popup.url}"))
    page.on("download", lambda download: troubles.append(f"download: {download.url}"))

    def request(asked):
        if asked.url.split("#")[0] != path.as_uri() and not asked.url.startswith("data:image/svg+xml,"):
            troubles.append(f"request: {asked.url}")

    page.on("request", request)
    return page


def load(context):
    page = watched(context.new_page())
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]", timeout=60_000)
    return page


def number_of(text):
    return int(text.split(" ")[0].replace(",", ""))


def counted(page):
    return number_of(page.locator(".count").text_content())


def settle(page):
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def type_filter(page, text):
    page.fill("#filter", text)
    settle(page)


def fits(page):
    """Nothing is wider than the window."""
    wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{wide} pixels too wide"


def pictured(browser, name, **options):
    """The page from top to end, the table, and a blob's page."""
    with browser.new_context(**options) as context:
        page = load(context)
        fits(page)
        page.screenshot(path=pictures / f"{name}-overview.png", full_page=True)
        page.evaluate("() => document.getElementById('blobs').scrollIntoView({ behavior: 'instant' })")
        settle(page)
        page.screenshot(path=pictures / f"{name}-table.png")
        page.evaluate("() => { location.hash = '#blob/7'; }")
        page.wait_for_selector(".segment")
        settle(page)
        fits(page)
        page.locator(".segment.wide").last.hover()
        page.screenshot(path=pictures / f"{name}-blob.png", full_page=True)


def queried(page, text):
    """The number of rows that a query finds, and the visible ones: their cells by column."""
    type_filter(page, text)
    rows = page.evaluate("""() => [...document.querySelectorAll('.grid-row')].filter((row) => !row.hidden).map((row) => Object.fromEntries(
        ['state', 'path', 'kind', 'size', 'license', 'tool', 'found'].map((name) => [name, row.querySelector(`.${name}`).textContent])))""")
    sizes = page.evaluate("""() => [...document.querySelectorAll('.grid-row')].filter((row) => !row.hidden)
        .map((row) => Number(row.querySelector('.size').title.replace(/[^0-9]/g, '')))""")
    return counted(page), [row | {"bytes": size} for row, size in zip(rows, sizes)]


def queries(page):
    """Terms for fields, with words, quotes, negation and sizes."""
    type_filter(page, "")
    every = counted(page)

    def check(text, holds):
        number, rows = queried(page, text)
        assert 0 < number < every and rows and all(holds(row) for row in rows), (text, number, [row for row in rows if not holds(row)][:3])
        assert page.locator(".notice").is_hidden(), text
        return number

    def sum_up(*texts):
        assert sum(queried(page, text)[0] for text in texts) == every, texts

    check("license:mit", lambda row: "MIT" in row["license"])
    check("LICENSE:MIT KIND:component", lambda row: "MIT" in row["license"] and row["kind"] == "component")
    check('license:"MIT OR Apache-2.0"', lambda row: row["license"] == "MIT OR Apache-2.0")
    check("-license:MIT payments", lambda row: "MIT" not in row["license"] and "payments" in row["path"])
    check("license:none", lambda row: row["license"] == "")
    check("verdict:refused tool:rustc", lambda row: row["state"] == "refused" and row["tool"].startswith("rustc"))
    check("path:search", lambda row: "search" in row["path"])
    check("size:>1MB", lambda row: row["bytes"] > 1_000_000)
    check("size:<=20KiB", lambda row: row["bytes"] <= 20 * 1024)
    check("size:>1MB -size:>=2MB", lambda row: 1_000_000 < row["bytes"] < 2_000_000)
    check("code:refused-license severity:error", lambda row: row["found"] != "")
    check("rule:policy.toml:7", lambda row: row["state"] != "accepted")
    check("is:excepted", lambda row: True)
    sum_up("license:mit", "-license:mit")
    sum_up("kind:module", "kind:component")
    sum_up("resize", "-resize")
    sum_up("size:>1MB", "size:<=1MB")
    assert queried(page, "verdict:refused code:refused-license")[0] <= queried(page, "code:refused-license")[0]
    # A word is not searched in field names.
    assert queried(page, "verdict")[0] == 0 and queried(page, "licenses")[0] == 0
    # An unknown field is text, with a notice. A URL is text without a notice.
    assert queried(page, "colour:red")[0] == 0
    assert page.locator(".notice").text_content() == "colour is not a field, so colour:red is searched as text"
    assert queried(page, "https://git.example.org/search")[0] > 0 and page.locator(".notice").is_hidden()
    assert queried(page, "size:big")[0] == every
    assert "size:big is not a size" in page.locator(".notice").text_content()
    type_filter(page, "")
    assert counted(page) == every and page.locator(".notice").is_hidden()


def printable(browser, name, query):
    """A printer gets the table of all rows that are found, light, with what to do; a person has the page back afterwards."""
    with browser.new_context(viewport={"width": 1000, "height": 900}, color_scheme="dark") as context:
        page = load(context)
        type_filter(page, query)
        number = counted(page)
        page.evaluate("() => { addEventListener('beforeprint', () => { document.body.dataset.printed = document.querySelectorAll('.printed tbody tr').length; }); }")
        (pictures / f"{name}.pdf").write_bytes(page.pdf())
        assert int(page.evaluate("() => document.body.dataset.printed")) == min(number, 10_000)
        assert page.evaluate("() => document.querySelectorAll('.printed tr, details[open]').length") == 0
        page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print", color_scheme="light")
        assert page.locator(".printed table").is_visible() and page.locator(".scroller").is_hidden()
        assert page.locator("#overview .remedy dd").first.is_visible()
        page.screenshot(path=pictures / f"{name}-print.png")
        page.evaluate("() => document.getElementById('blobs').scrollIntoView({ behavior: 'instant' })")
        page.screenshot(path=pictures / f"{name}-print-table.png")
        page.evaluate("() => dispatchEvent(new Event('afterprint'))")
        page.evaluate("() => { location.hash = '#blob/7'; }")
        page.wait_for_selector("#blob:not([hidden]) .title")
        page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
        page.screenshot(path=pictures / f"{name}-print-blob.png")


def hostile(browser):
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = load(context)
        elements = page.evaluate("() => document.querySelectorAll('script, style, img, iframe, object, embed, form, base, meta').length")
        rows = counted(page)
        assert rows > 0
        # The page has only its own script and tables. No value has created an element.
        assert page.evaluate("() => document.querySelectorAll('script').length") == 2
        assert page.evaluate("() => document.querySelectorAll('img, iframe, object, embed, form, base').length") == 0
        handlers = "() => [...document.querySelectorAll('*')].flatMap((e) => [...e.attributes]).filter((a) => a.name.startsWith('on')).length"
        links = """() => [...document.querySelectorAll('a')].map((a) => a.getAttribute('href') ?? a.getAttribute('xlink:href'))
            .filter((href) => href !== null && !href.startsWith('#'))"""
        deceptive = r"() => /[\u202a-\u202e\u2066-\u2069\u001b\u2028\u2029\u200b]/.test(document.body.innerText)"

        def inert():
            assert page.evaluate(handlers) == 0
            assert page.evaluate(links) == []
            assert not page.evaluate(deceptive)
            assert page.evaluate("() => document.querySelectorAll('script, style, img, iframe, object, embed, form, base, meta').length") == elements

        inert()
        for text in ["<b>:<img", "\u202e:x size:\u202e", "\"><svg onload=alert(1)>", "-", '"', "constructor:x", "__proto__:x", "license:", "size:"]:
            type_filter(page, text)
            inert()
        for text in ["<script", "onerror", "__proto__", "constructor", "\\u{202e}", "alert(1)", "日本語", "'\"><", "\\"]:
            type_filter(page, text)
            inert()
            print(f"filter {text!r}: {counted(page)}")
        type_filter(page, "no blob is called this")
        assert counted(page) == 0 and page.locator(".none").is_visible()
        page.locator("#filter").press("Escape")
        settle(page)
        assert counted(page) == rows
        # Every link of the summary has a query with results.
        hrefs = page.evaluate("() => [...document.querySelectorAll('#overview a[href]')].map((a) => a.getAttribute('href'))")
        empty = []
        for href in sorted(set(hrefs)):
            page.evaluate("(href) => { location.hash = href; }", href)
            settle(page)
            inert()
            if href.startswith("#find") and counted(page) == 0:
                empty.append(href)
        assert not empty or all("verdict" in href or "severity" in href for href in empty), empty
        page.evaluate("() => { location.hash = '#find'; }")
        settle(page)
        for head in page.locator(".grid-head button").all():
            for _ in range(2):
                head.click()
                settle(page)
                inert()
        for nth in range(0, rows, 3):
            page.evaluate("(nth) => { location.hash = `#blob/${nth}`; }", nth)
            page.wait_for_selector("#blob:not([hidden]) .title")
            settle(page)
            inert()
            if nth % 60 == 0:
                segments = page.locator(".segment")
                for segment in segments.all()[:4]:
                    segment.click(force=True)
                    settle(page)
                for key in ["ArrowRight", "ArrowDown", "ArrowUp", "ArrowLeft", "End", "Enter", "Escape"]:
                    page.locator(".map").press(key)
                inert()
        for strange in ["#blob/__proto__", "#blob/999999999", "#find/%", "#<img src=x onerror=alert(1)>", "#constructor", "#"]:
            page.evaluate("(hash) => { location.hash = hash; }", strange)
            settle(page)
            inert()
    for name, options in LOOKS.items():
        pictured(browser, f"hostile-{name}", **options)
    printable(browser, "hostile", "")
    # Without its script, the page still shows the result of the audit.
    with browser.new_context(java_script_enabled=False, viewport={"width": 1000, "height": 900}) as context:
        page = watched(context.new_page())
        page.goto(path.as_uri())
        assert page.locator(".figures").is_visible() and page.locator(".noscript").is_visible()
        page.screenshot(path=pictures / "hostile-noscript.png")


def large(browser):
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        begun = time.monotonic()
        page = load(context)
        print(f"loading: {time.monotonic() - begun:.1f} s of {path.stat().st_size / 1e6:.0f} MB")
        rows = counted(page)
        assert rows == 100_000, rows
        # The time for one keystroke, from the event to the end of the requested frame.
        keystroke = """(text) => new Promise((done) => {
            const input = document.getElementById('filter');
            input.value = text;
            const begun = performance.now();
            input.dispatchEvent(new Event('input'));
            requestAnimationFrame(() => { document.body.offsetHeight; done(performance.now() - begun); });
        })"""
        times = {}
        for word in ["resize", "mit", "gpl-3.0", "refused rustc", "nothing is called so"]:
            for end in range(1, len(word) + 1):
                times[word[:end]] = page.evaluate(keystroke, word[:end])
        slowest = max(times, key=times.get)
        mean = sum(times.values()) / len(times)
        print(f"filtering: {mean:.0f} ms a keystroke, at most {times[slowest]:.0f} ms ({slowest!r}), {len(times)} keystrokes")
        type_filter(page, "payments mpl-2.0")
        some = counted(page)
        assert 0 < some < rows
        shown = [text for text in page.locator(".grid-row:visible .path").all_text_contents()]
        assert shown and all("payments" in text for text in shown), shown
        queries(page)
        type_filter(page, "")
        sorting = {}
        for head in page.locator(".grid-head button").all():
            name = head.text_content()
            sorting[name] = head.evaluate("(button) => { const begun = performance.now(); button.click(); return performance.now() - begun; }")
        print("sorting, the first time:", ", ".join(f"{name} {ms:.0f} ms" for name, ms in sorting.items()))
        page.locator(".grid-head button", has_text="Size").click()
        settle(page)

        def sizes():
            return page.evaluate("""() => [...document.querySelectorAll('.grid-row')].filter((row) => !row.hidden)
                .sort((a, b) => a.nth - b.nth).map((row) => Number(row.querySelector('.size').title.replace(/[^0-9]/g, '')))""")

        assert sizes() == sorted(sizes(), reverse=True) or sizes() == sorted(sizes())
        # One step of the mouse wheel is drawn in one frame.
        frames = page.evaluate("""async () => {
            const scroller = document.querySelector('.scroller'), times = [];
            for (let nth = 0; nth < 60; nth++) {
                scroller.scrollTop += 700;
                const begun = performance.now();
                scroller.dispatchEvent(new Event('scroll'));
                scroller.offsetHeight;
                times.push(performance.now() - begun);
                await new Promise(requestAnimationFrame);
            }
            return times;
        }""")
        print(f"scrolling: {sum(frames) / len(frames):.1f} ms a step, at most {max(frames):.1f} ms")
        page.locator(".scroller").press("End")
        settle(page)
        last = page.locator(".grid-row.active")
        assert last.count() == 1 and last.get_attribute("aria-rowindex") == "100001"
        # In one call, because the window may still be scrolling.
        below, above = page.evaluate("""() => {
            const row = document.querySelector('.grid-row.active').getBoundingClientRect();
            const around = document.querySelector('.scroller').getBoundingClientRect();
            return [row.bottom - around.bottom, around.top - row.top];
        }""")
        assert below <= 1 and above <= 1, (below, above)
        page.locator(".scroller").press("Enter")
        page.wait_for_selector("#blob:not([hidden]) .title")
        page.go_back()
        page.wait_for_selector("#blobs:not([hidden])")
        heap = page.evaluate("() => performance.memory.usedJSHeapSize")
        print(f"memory: {heap / 1e6:.0f} MB of script's heap")
    for name, options in LOOKS.items():
        pictured(browser, f"large-{name}", **options)
    printable(browser, "large", "license:GPL kind:component size:>2MB")


LOOKS = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone-light": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "device_scale_factor": 2, "has_touch": True},
    "phone-dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "device_scale_factor": 2, "has_touch": True},
}

chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
assert chromium, "chromium is not installed"
with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=chromium, headless=True, args=[*arguments, f"--disk-cache-dir={profile}"])
    {"hostile": hostile, "large": large}[mode](browser)
    browser.close()
assert not troubles, "\n".join(troubles[:20])
print(f"{mode}: nothing ran, opened or was asked for; pictures are in {pictures}")
