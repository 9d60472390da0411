"""Reads an operator's TOML file into a model of pydantic, or says why it cannot be read."""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)


class Unreadable(Exception):
    """Raised when a file is missing, unreadable or has any fault; its text names the file, line and key."""


def read_toml(path: Path, model: type[M]) -> M:
    """Reads a file.

    Raises:
        Unreadable: It is missing, unreadable or has any fault.
    """
    try:
        if not path.is_file():  # a pipe would keep the worker waiting
            raise FileNotFoundError(None, "is not a file" if path.exists() else "no such file")
        text = path.read_bytes().decode()
        return model.model_validate(tomllib.loads(text))
    except ValidationError as error:
        from agent_workers.protocol.toml_faults import toml_faults  # for a faulty file only

        fault = "; ".join(toml_faults(error, model, text))
    except OSError as error:
        fault = str(error.strerror)
    except UnicodeDecodeError as error:
        fault = f"is not UTF-8: byte 0x{error.object[error.start]:02x} at offset {error.start}"
    except (ValueError, RecursionError) as error:
        fault = f"is not valid TOML: {error}"
    raise Unreadable(f"{path}: {fault}")
