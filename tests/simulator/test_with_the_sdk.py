"""What the API's official SDK makes of the batches, where it is installed."""

from datetime import timedelta

import pytest

from tests.simulator.batches import hello
from tests.waiting import PATIENCE_S

anthropic = pytest.importorskip("anthropic")


@pytest.fixture
def batches(simulator):
    with anthropic.Anthropic(
        base_url=simulator.base_url, api_key="dummy", max_retries=0, timeout=PATIENCE_S, auth_token=None
    ) as sdk:
        yield sdk.messages.batches


def test_the_sdk_takes_a_batch_from_its_making_to_its_results(batches):
    made = batches.create(requests=[hello("fine"), hello("busy", "[[scenario:overloaded-529]]")])
    assert made.processing_status == "in_progress"
    assert made.expires_at - made.created_at == timedelta(hours=24)
    batches.retrieve(made.id)

    found = {each.custom_id: each.result for each in batches.results(made.id)}

    assert found["fine"].message.content[0].text.endswith("You said: Hello.")
    assert found["fine"].message.usage.service_tier == "batch"
    assert found["busy"].error.error.type == "overloaded_error"
    assert batches.retrieve(made.id).request_counts.errored == 1


def test_the_sdk_goes_through_the_list_page_by_page(batches):
    made = [batches.create(requests=[hello("a")]).id for _ in range(5)]

    assert [batch.id for batch in batches.list(limit=2)] == made[::-1]


def test_the_sdk_cancels_a_batch(batches):
    made = batches.create(requests=[hello("a")])

    assert batches.cancel(made.id).processing_status == "canceling"
    assert [each.result.type for each in batches.results(made.id)] == ["canceled"]


def test_the_sdk_refuses_what_the_simulator_refuses(batches):
    with pytest.raises(anthropic.BadRequestError, match="String should match pattern"):
        batches.create(requests=[hello("a b")])
    with pytest.raises(anthropic.NotFoundError):
        batches.retrieve("msgbatch_none")
