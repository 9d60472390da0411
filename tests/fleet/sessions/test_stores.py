"""Every store keeps what it was given, whole, whatever happens meanwhile."""

import os
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from redis.asyncio import Redis

from agent_workers.errors import SessionDamaged, StoreUnreachable
from agent_workers.fleet.sessions.address import open_store
from agent_workers.fleet.sessions.directory_store import DirectorySessionStore
from agent_workers.fleet.sessions.redis_store import RedisSessionStore
from agent_workers.fleet.sessions.s3_store import S3SessionStore
from agent_workers.fleet.sessions.store import SessionStore
from tests.fleet.redis_server import RedisServer
from tests.fleet.sessions.machines import wait
from tests.waiting import PATIENCE_S

BUCKET = "fleet"
BIG = os.urandom(3 << 19) + b"end"


@pytest.fixture(params=["redis", "redis that decodes", "directory", "s3"])
def address(request: pytest.FixtureRequest, redis: RedisServer, tmp_path: Path) -> tuple[str, bool, int]:
    if request.param == "s3":
        request.getfixturevalue("bucket")
        return (f"s3://{BUCKET}/conversations", False, redis.port)
    return ("redis:" if "redis" in request.param else f"file://{tmp_path}", "decodes" in request.param, redis.port)


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A server that speaks S3's protocol: moto's, which is no real S3."""
    command = [sys.executable, "-m", "tests.fleet.sessions.s3_server"]
    folder = Path(__file__).parents[3]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder) as server:
        assert server.stdout
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.terminate()
            server.wait(timeout=PATIENCE_S)


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """An empty bucket, and the variables by which it is found; its client."""
    own = {"AWS_ACCESS_KEY_ID": "dummy", "AWS_SECRET_ACCESS_KEY": "dummy", "AWS_DEFAULT_REGION": "us-east-1"}
    nothing = {"AWS_CONFIG_FILE": str(tmp_path / "none"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}
    for name, value in {**own, **nothing, "AWS_ENDPOINT_URL": s3}.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    yield client
    for each in client.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
        client.delete_object(Bucket=BUCKET, Key=each["Key"])
    client.close()


@asynccontextmanager
async def opened(address: tuple[str, bool, int]) -> AsyncIterator[SessionStore]:
    where, decodes, port = address
    client = Redis(port=port, protocol=2, decode_responses=decodes)
    try:
        yield open_store(where, client=client, prefix="fleet")
    finally:
        await client.aclose()


def test_what_is_stored_is_read_again_under_its_version(address: tuple[str, bool, int]) -> None:
    async def main() -> None:
        async with opened(address) as store:
            assert (await store.find("a"), await store.read("a")) == (None, None)
            for data in (b"", b"\x00\xff\n", BIG):
                version = await store.write("a", data)
                assert version.fits(data)
                assert (await store.find("a"), await store.read("a")) == (version, data)
            await store.remove("a")
            await store.remove("a")
            assert await store.read("a") is None

    wait(main())


def test_what_is_moved_or_copied_keeps_its_bytes(address: tuple[str, bool, int]) -> None:
    async def main() -> None:
        async with opened(address) as store:
            assert not await store.copy("a", "b")
            assert not await store.move("a", "b")
            for number in range(3):  # also back and forth, and over what is there
                await store.write("a", BIG + bytes([number]))
                await store.write("b", b"old")
                assert await store.copy("a", "b")
                assert await store.copy("a", "b")
                assert await store.move("b", "a")
                assert await store.copy("a", "b")
                await store.write("a", b"new")
                assert (await store.read("b"), await store.read("a")) == (BIG + bytes([number]), b"new")
                assert await store.move("a", "b")
                assert (await store.read("b"), await store.read("a")) == (b"new", None)

    wait(main())


def test_redis_keeps_a_conversation_as_long_as_somebody_uses_it_and_no_longer(redis: RedisServer) -> None:
    async def main() -> None:
        async with Redis(port=redis.port, protocol=2) as client:
            store = RedisSessionStore(client, "fleet", ttl_s=100)
            await store.write("a", BIG)
            await store.copy("a", "b")
            await store.move("b", "c")
            keys = list(redis.client.scan_iter("*"))
            assert len(keys) == 10
            for key in keys:
                redis.client.expire(key, 7)
            assert await store.find("a")
            assert await store.read("c")
            assert {redis.client.ttl(key) > 90 for key in keys} == {True}
            await store.write("a", b"x")
            await store.remove("c")
            assert sum(redis.client.ttl(key) > 90 for key in redis.client.scan_iter("*")) == 2

    wait(main())


def test_a_directory_shows_no_session_id_and_is_closed_to_others(tmp_path: Path) -> None:
    store = DirectorySessionStore(tmp_path)
    wait(store.write("a-session", b"secret"))
    (file,) = tmp_path.iterdir()
    assert "a-session" not in file.name
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("fault", ["cut", "changed", "headless", "link"])
def test_a_file_of_the_directory_that_was_changed_is_not_read(tmp_path: Path, fault: str) -> None:
    store = DirectorySessionStore(tmp_path)
    wait(store.write("a", b"one two"))
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    if fault == "link":
        (tmp_path / "other").write_bytes(whole)
        file.unlink()
        file.symlink_to(tmp_path / "other")
    else:
        file.write_bytes({"cut": whole[:-1], "changed": whole[:-1] + b"!", "headless": b"{}"}[fault])
    with pytest.raises(StoreUnreachable if fault == "link" else SessionDamaged):
        wait(store.read("a"))


def test_a_directory_that_is_missing_is_unreachable(tmp_path: Path) -> None:
    store = DirectorySessionStore(tmp_path / "share")
    for work in (store.find("a"), store.read("a"), store.write("a", b"x")):
        with pytest.raises(StoreUnreachable):
            wait(work)


def test_a_directory_forgets_what_nobody_has_used_for_too_long(tmp_path: Path) -> None:
    store = DirectorySessionStore(tmp_path, ttl_s=1000)
    wait(store.write("old", b"x"))
    (old,) = tmp_path.iterdir()
    os.utime(old, (1, 1))
    later = DirectorySessionStore(tmp_path, ttl_s=1000)
    wait(later.write("new", b"x"))
    assert wait(later.read("old")) is None
    assert wait(later.read("new")) == b"x"


@pytest.mark.parametrize("address", ["redis", "file://host/path", "file:relative", "http://x", "s3:///no-bucket"])
def test_an_address_that_names_no_store_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"must be redis:"):
        open_store(address, client=None, prefix="fleet")


def test_an_object_that_was_changed_is_not_read(bucket: Any) -> None:
    store = S3SessionStore(BUCKET)
    wait(store.write("a-session", b"one two"))
    (key,) = [each["Key"] for each in bucket.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert "a-session" not in key
    told = bucket.head_object(Bucket=BUCKET, Key=key)["Metadata"]
    for body, metadata in ((b"one tw", told), (b"one tw!", told), (b"one two", {})):
        bucket.put_object(Bucket=BUCKET, Key=key, Body=body, Metadata=metadata)
        with pytest.raises(SessionDamaged):
            wait(store.read("a-session"))


def test_a_bucket_that_is_missing_or_whose_server_is_away_is_unreachable(
    bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = S3SessionStore("no-bucket")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nobody listens there
    for each in (store, S3SessionStore(BUCKET)):
        with pytest.raises(StoreUnreachable):
            wait(each.write("a", b"x"))
        with pytest.raises(StoreUnreachable):
            wait(each.read("a"))
