"""The example in the visitor's language: its views, its script, and what the server refuses."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.laravel.site import REPOSITORY, Site
from tests.laravel.test_partners import Partners
from tests.laravel.visitor import Visitor

_EXAMPLE = REPOSITORY / "examples/laravel"
_GERMAN = json.loads((_EXAMPLE / "resources/lang/de.json").read_text("utf-8"))
_FAILS = r"""
read -r request
[[ $request =~ \"run\":\"([^\"]*)\" ]] && run=${BASH_REMATCH[1]}
echo '{"v":1,"run":"'$run'","ts":"2026-01-01T00:00:00.000Z","seq":1,"type":"error","code":"auth",'\
'"message":"No account.","retryable":false}'
exit 1
"""


@pytest.fixture
def failing(site: Site) -> Iterator[None]:
    """The worker for skills fails as it does without an account."""
    site.program("agent-skill", _FAILS)
    yield
    site.program("agent-skill", f'exec {site.worker.with_name("agent-skill")} "$@"')


def test_each_word_of_the_pages_of_partners_is_there_in_german_and_no_other() -> None:
    sources = [
        *(_EXAMPLE / "resources/views").glob("*.blade.php"),
        _EXAMPLE / "app/Health/PartnerCard.php",
        _EXAMPLE / "app/Http/Controllers/PartnerController.php",
        _EXAMPLE / "public/partners.js",
    ]
    text = "\n".join(source.read_text("utf-8") for source in sources)
    said = re.findall(r"""(?:__|trans_choice|said)\(["']([^"']+)["']""", text)
    assert set(said) <= set(_GERMAN)
    assert [english for english in _GERMAN if not re.search(rf"""["']{re.escape(english)}["']""", text)] == []


@pytest.mark.usefixtures("failing")
def test_a_visitor_who_asks_for_german_reads_german(site: Site) -> None:
    partners = Partners(site)
    visitor = Visitor(site.port)
    visitor.http.headers["Accept-Language"] = "de-AT,de;q=0.9,en;q=0.5"

    page = visitor.http.get("/partners").raise_for_status().text
    assert '<html lang="de">' in page
    assert [
        word for word in ("zu beobachten", "Berechnen", "Noch kein Wert", "Was zu tun ist") if word not in page
    ] == []
    assert re.search(r"\d Gründe, \d Maßnahmen", page)
    [words] = re.findall(r'data-words="([^"]+)"', page)
    assert json.loads(words.replace("&quot;", '"'))["Computing"] == _GERMAN["Computing"]

    with visitor.ask("-", "/partners/p-111/health") as stream:
        assert stream.wait_for("error")["message"] == "No account."
    card = visitor.http.get("/partners/p-111").raise_for_status().text
    assert "Der letzte Versuch ist gescheitert: Der Dienst hat die Anmeldung der Anwendung nicht angenommen." in card
    assert partners.query("SELECT health_status FROM partner_metrics WHERE partner_id = 'p-111'") == [(None,)]

    refused = visitor.post("/agent/chat", {})
    assert (refused.status_code, refused.json()["message"]) == (422, "Die Frage fehlt.")
    english = visitor.http.get("/partners", headers={"Accept-Language": "fr"}).text
    assert ('<html lang="en">' in english, "Compute" in english) == (True, True)
    visitor.http.close()
