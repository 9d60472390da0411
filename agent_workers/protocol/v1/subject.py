"""What a run is about, as its events repeat it."""

from pydantic import Field

from agent_workers.protocol.v1.part import Part


class Subject(Part):
    """The request's `subject`."""

    type: str = Field(description="What kind of thing it is, such as `partner`, `deal` or `project`.")
    id: str = Field(description="Its id in the application.")
