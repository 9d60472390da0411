"""Content blocks, in the shapes of Anthropic's Messages API."""

from collections.abc import Callable
from typing import Annotated, Literal, get_args

from pydantic import Discriminator, Field, Tag

from agent_workers.protocol.v1.fields import Base64, Opt, Strict, Text, WebAddress


def by_type(*kinds: type[Strict]) -> Discriminator:
    """Chooses a union's branch by its ``type`` field.

    The tag of a branch is "=" and its class name. Pydantic puts the tag into an error's location, where the sign tells
    it from a field: with pydantic's own tags, the branch "text" would look just like the field ``text``.
    """
    tags = {name: f"={kind.__name__}" for kind in kinds for name in get_args(kind.model_fields["type"].annotation)}

    def choose(value: object) -> str | None:
        kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
        return tags.get(kind) if isinstance(kind, str) else None

    return Discriminator(choose, custom_error_type="kind", custom_error_message=", ".join(tags))


def by_shape(choose: Callable[[object], str | None], words: str) -> Discriminator:
    """Chooses a union's branch by a function that returns its tag, or None if no branch fits."""
    return Discriminator(choose, custom_error_type="contract", custom_error_message=words)


class Base64Image(Strict):
    """An image sent along with the request."""

    type: Literal["base64"] = Field(description="Kind of source.")
    media_type: Literal["image/jpeg", "image/png", "image/gif", "image/webp"] = Field(
        description="Media type of the image."
    )
    data: Base64 = Field(description="The image's bytes in padded base64, without a data: prefix.")


class WebImage(Strict):
    """An image that the API fetches itself."""

    type: Literal["url"] = Field(description="Kind of source.")
    url: WebAddress = Field(description="Public address of the image.")


class Base64Document(Strict):
    """A PDF sent along with the request."""

    type: Literal["base64"] = Field(description="Kind of source.")
    media_type: Literal["application/pdf"] = Field(description="Media type of the document.")
    data: Base64 = Field(description="The document's bytes in padded base64, without a data: prefix.")


class PlainDocument(Strict):
    """A document of plain text."""

    type: Literal["text"] = Field(description="Kind of source.")
    media_type: Literal["text/plain"] = Field(description="Media type of the document.")
    data: Text = Field(description="The document's text.")


class WebDocument(Strict):
    """A PDF that the API fetches itself."""

    type: Literal["url"] = Field(description="Kind of source.")
    url: WebAddress = Field(description="Public address of the document.")


ImageSource = Annotated[
    Annotated[Base64Image, Tag("=Base64Image")] | Annotated[WebImage, Tag("=WebImage")],
    by_type(Base64Image, WebImage),
]
DocumentSource = Annotated[
    Annotated[Base64Document, Tag("=Base64Document")]
    | Annotated[PlainDocument, Tag("=PlainDocument")]
    | Annotated[WebDocument, Tag("=WebDocument")],
    by_type(Base64Document, PlainDocument, WebDocument),
]


class TextBlock(Strict):
    """Text."""

    type: Literal["text"] = Field(description="Kind of block.")
    text: Text = Field(description="The text; not empty.")


class ImageBlock(Strict):
    """An image."""

    type: Literal["image"] = Field(description="Kind of block.")
    source: ImageSource = Field(description="Where the image comes from.")


class DocumentBlock(Strict):
    """A PDF or a text document."""

    type: Literal["document"] = Field(description="Kind of block.")
    source: DocumentSource = Field(description="Where the document comes from.")
    title: Opt[Text] = Field(default=None, description="Title of the document, shown to the model.")
    context: Opt[Text] = Field(default=None, description="What the model should know about the document.")


class InlineImageBlock(Strict):
    """An image in a tool's result. Tools speak MCP, which carries bytes and no addresses."""

    type: Literal["image"] = Field(description="Kind of block.")
    source: Base64Image = Field(description="The image's bytes.")


ContentBlock = Annotated[
    Annotated[TextBlock, Tag("=TextBlock")]
    | Annotated[ImageBlock, Tag("=ImageBlock")]
    | Annotated[DocumentBlock, Tag("=DocumentBlock")],
    by_type(TextBlock, ImageBlock, DocumentBlock),
]
ResultBlock = Annotated[
    Annotated[TextBlock, Tag("=TextBlock")] | Annotated[InlineImageBlock, Tag("=InlineImageBlock")],
    by_type(TextBlock, InlineImageBlock),
]
