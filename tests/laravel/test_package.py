"""The package as Composer installs it: found by Laravel without a line of code. Debian stands in for other packages."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.laravel.site import PATH, REPOSITORY
from tests.waiting import PATIENCE_S

# Composer takes what Debian has installed for given.
DEBIAN = {"symfony/process": "5.4.53", "laravel/framework": "8.83.26", "psr/log": "1.1.4"}


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("composed")
    application = root / "examples/laravel"
    ignored = shutil.ignore_patterns("vendor", "storage", "node_modules")
    shutil.copytree(REPOSITORY / "examples/laravel", application, ignore=ignored)
    shutil.copytree(REPOSITORY / "php-bridge", root / "php-bridge", ignore=shutil.ignore_patterns("vendor", "tests"))
    for path in ("framework/cache/data", "framework/sessions", "framework/views", "logs"):
        (application / "storage" / path).mkdir(parents=True)
    composed = json.loads((application / "composer.json").read_text())
    composed["repositories"] = [*composed["repositories"], *stand_ins()]
    # Debian's Laravel is no Composer package: it is loaded as the example loads it without Composer.
    composed["autoload"]["files"] = ["bootstrap/debian.php"]
    (application / "bootstrap/debian.php").write_text("<?php\nrequire_once 'Illuminate/autoload.php';\n")
    (application / "composer.json").write_text(json.dumps(composed))
    config = application / "config/app.php"
    config.write_text(config.read_text().replace("AgentWorkers\\Laravel\\AgentWorkersServiceProvider::class,", ""))
    run(application, "composer", "install", "--no-dev", "--no-interaction", "--no-progress")
    return application


def run(application: Path, *command: str, **variables: str) -> str:
    environ = {
        "PATH": PATH,
        "HOME": str(application),
        **variables,
        "COMPOSER_DISABLE_NETWORK": "1",
        "COMPOSER_ALLOW_SUPERUSER": str(int(os.geteuid() == 0)),
    }
    done = subprocess.run(
        command,
        cwd=application,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def stand_ins() -> list[dict[str, object]]:
    """Repositories that hold what Debian has installed, and nothing else."""
    return [{"packagist.org": False}] + [
        {"type": "package", "package": {"name": name, "version": version, "type": "metapackage"}}
        for name, version in DEBIAN.items()
    ]


def test_the_lines_of_the_readme_install_the_bridge_into_an_empty_directory(tmp_path: Path) -> None:
    home, empty = tmp_path / "home", tmp_path / "empty"
    kept = shutil.ignore_patterns("vendor")
    shutil.copytree(REPOSITORY / "php-bridge", home / "agent-workers/php-bridge", ignore=kept)
    empty.mkdir()
    (home / "config.json").write_text(json.dumps({"repositories": stand_ins()}))
    readme = (REPOSITORY / "php-bridge/README.md").read_text()
    [lines] = [
        text for text in re.findall(r"^```sh\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL) if "composer" in text
    ]
    offline = {"HOME": str(home), "COMPOSER_HOME": str(home), "COMPOSER_NO_INTERACTION": "1"}
    run(empty, "bash", "-euc", lines, **offline)
    code = """
        require "vendor/autoload.php";
        require "Symfony/Component/Process/autoload.php";
        require "Psr/Log/autoload.php";
        $worker = new AgentWorkers\\ProcessRunner($argv[1], ["--simulate"]);
        echo $worker->run(AgentWorkers\\Request::prompt("Hello"))->text;
    """
    worker = str(Path(sys.executable).with_name("agent-chat"))
    assert "You said: Hello" in run(empty, "php", "-r", code, worker, **offline)
    assert "agent-workers/php-bridge" in (empty / "composer.lock").read_text()


def test_laravel_discovers_the_package(application: Path) -> None:
    run(application, "php", "artisan", "package:discover")
    assert "agent-workers/php-bridge" in (application / "bootstrap/cache/packages.php").read_text()
    assert "agent:doctor" in run(application, "php", "artisan", "list", "agent")
    assert "agent/runs/{run}/events" in run(application, "php", "artisan", "route:list")


def test_the_package_brings_the_script_and_the_view_of_its_component(application: Path) -> None:
    run(application, "php", "artisan", "vendor:publish", "--tag=agent-workers-assets")
    script = application / "public/vendor/agent-workers/agent-chat-element.js"
    assert script.read_bytes() == (REPOSITORY / "php-bridge/resources/dist/agent-chat-element.js").read_bytes()
    run(application, "php", "artisan", "view:cache")
    compiled = [path.read_text() for path in (application / "storage/framework/views").glob("*.php")]
    assert any("AgentWorkers\\Laravel\\View\\Chat" in text for text in compiled)


def test_configuration_and_routes_can_be_cached(application: Path) -> None:
    run(application, "php", "artisan", "vendor:publish", "--tag=agent-workers-config")
    assert (application / "config/agent-workers.php").is_file()
    run(application, "php", "artisan", "config:cache")
    assert "agent:run" in run(application, "php", "artisan", "list", "agent")
