"""Images and PDFs that a visitor sends along, from the page's button to the model."""

import base64
import struct
import zlib
from pathlib import Path

from agent_workers.simulator import Simulator
from tests.laravel.browser import Browser
from tests.laravel.site import Site
from tests.waiting import until

NAMES = "return [...document.querySelectorAll(`${arguments[0]} .attachments .name`)].map((each) => each.textContent)"
DRAWN = """
    return [...document.querySelectorAll(`${arguments[0]} .attachments img`)].map((each) => each.naturalWidth)
"""
FOCUSED = "return document.activeElement.ariaLabel"


def png(width: int, height: int) -> bytes:
    """A red picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = (b"\0" + b"\xc0\x20\x20" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


PDF = b"""%PDF-1.4
1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj
2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj
3 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] >> endobj
trailer << /Root 1 0 R >>
%%EOF
"""


def files(root: Path) -> tuple[Path, Path]:
    picture, document = root / "harbour.png", root / "fees of the harbour.pdf"
    picture.write_bytes(png(40, 30))
    document.write_bytes(PDF)
    return picture, document


def blocks(simulator: Simulator, prompt: str) -> list[dict[str, object]]:
    """The blocks of the message in which the model was asked this."""
    found = [
        message["content"]
        for record in simulator.requests("/v1/messages")
        for message in record.body["messages"]
        if isinstance(message["content"], list) and prompt in str(message["content"])
    ]
    assert found, prompt
    return found[0]


def test_an_image_and_a_pdf_reach_the_model_and_stay_with_their_message(
    site: Site, browser: Browser, simulator: Simulator, tmp_path: Path
) -> None:
    picture, document = files(tmp_path)
    names = [picture.name, document.name]
    browser.open(f"http://127.0.0.1:{site.port}/")
    browser.attach(picture, document)
    until(lambda: browser.script(NAMES, ".composer") == names, what=lambda: browser.told)
    until(lambda: browser.script(DRAWN, ".composer") == [40], what=lambda: browser.told)
    assert browser.faults() == []
    browser.look_at("attachments-chosen")

    browser.say("What does the harbour cost?")
    browser.wait_for("done")
    assert browser.script(NAMES, ".composer") == []
    image, pdf = (block for block in blocks(simulator, "What does the harbour cost?") if block["type"] != "text")
    assert image["type"] == "image"
    assert image["source"] == source("image/png", picture)
    assert (pdf["type"], pdf["title"]) == ("document", document.name)
    assert pdf["source"] == source("application/pdf", document)

    assert browser.script(NAMES, ".asked") == names
    until(lambda: browser.script(DRAWN, ".asked") == [40], what=lambda: browser.told)
    assert browser.faults() == []
    browser.look_at("attachments-sent")
    browser.reload()
    until(lambda: browser.script(NAMES, ".asked") == names, what=lambda: browser.told)
    assert browser.script(DRAWN, ".asked") == []


def source(media_type: str, file: Path) -> dict[str, str]:
    return {"type": "base64", "media_type": media_type, "data": base64.b64encode(file.read_bytes()).decode()}


def test_a_file_is_refused_by_the_page_or_else_by_the_server(site: Site, browser: Browser, tmp_path: Path) -> None:
    text, fake = tmp_path / "notes.txt", tmp_path / "fake.png"
    text.write_text("Nothing.")
    fake.write_text("No picture.")
    browser.open(f"http://127.0.0.1:{site.port}/")
    browser.attach(text)
    told = "is neither an image (PNG, JPEG, GIF, WebP) nor a PDF."
    until(lambda: f"“notes.txt” {told}" in browser.text, what=lambda: browser.told)
    assert browser.faults() == []
    browser.look_at("attachments-refused")
    browser.attach(fake)
    browser.say("Look.")
    browser.wait_for("error")
    assert f'"fake.png" {told}' in browser.text


def test_all_that_the_default_limits_allow_passes_web_server_php_and_worker(
    site: Site, browser: Browser, simulator: Simulator, tmp_path: Path
) -> None:
    large = [tmp_path / f"large-{number}.pdf" for number in range(5)]
    for file in large:
        file.write_bytes(PDF.ljust(4096 * 1024, b"\n"))
    browser.open(f"http://127.0.0.1:{site.port}/")
    browser.attach(*large)
    browser.say("Are they large?")
    browser.wait_for("done")
    sent = [block["source"] for block in blocks(simulator, "Are they large?") if block["type"] == "document"]
    assert sent == [source("application/pdf", file) for file in large]


def test_a_file_is_removed_by_the_keyboard_and_the_focus_stays_in_the_composer(
    site: Site, browser: Browser, tmp_path: Path
) -> None:
    picture, document = files(tmp_path)
    browser.open(f"http://127.0.0.1:{site.port}/")
    browser.attach(picture, document)
    until(lambda: len(browser.script(NAMES, ".composer")) == 2, what=lambda: browser.told)
    browser.script("document.querySelector('.composer .remove').focus()")
    assert browser.script(FOCUSED) == f"Remove {picture.name}"
    browser.keys(chr(0xE007))
    until(lambda: browser.script(NAMES, ".composer") == [document.name], what=lambda: browser.told)
    assert browser.script(FOCUSED) == "Message"
