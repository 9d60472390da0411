"""Types of columns that hold the same on SQLite, PostgreSQL and MariaDB, and that PHP reads and writes alike."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import Float, Integer, Numeric, String, Text, types
from sqlalchemy.dialects.mysql import DATETIME, LONGTEXT, TINYINT
from sqlalchemy.dialects.postgresql import JSON as POSTGRES_JSON
from sqlalchemy.dialects.postgresql import TIMESTAMP

if TYPE_CHECKING:
    from sqlalchemy import Dialect
    from sqlalchemy.types import TypeEngine

LARGE = types.BigInteger().with_variant(Integer(), "sqlite")  # which counts up in an INTEGER alone
FLAG = types.Boolean().with_variant(TINYINT(1), "mysql", "mariadb")


class Moment(types.TypeDecorator[str]):
    """A UTC time with milliseconds, in rows a text such as ``2026-11-20 23:19:00.004``."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Returns the dialect's own type; SQLite has none, and compares texts."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(_Written())
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(precision=3))
        return dialect.type_descriptor(DATETIME(fsp=3))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        """Returns what the driver takes."""
        return value if value is None or dialect.name == "sqlite" else datetime.fromisoformat(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """Returns the text."""
        return value.isoformat(" ", "milliseconds") if isinstance(value, datetime) else value


class _Written(types.UserDefinedType[str]):
    """SQLite's ``DATETIME``, as the text that it is."""

    cache_ok = True

    def get_col_spec(self, **kw: Any) -> str:
        """Returns the type's name."""
        return "DATETIME"


class Money(types.TypeDecorator[float]):
    """US dollars with eight decimals, in rows a number."""

    impl = Numeric(14, 8)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Returns the dialect's own type; SQLite has no decimals."""
        return dialect.type_descriptor(Float() if dialect.name == "sqlite" else Numeric(14, 8))

    def process_bind_param(self, value: float | None, dialect: Dialect) -> Any:
        """Returns what the driver takes."""
        return value if value is None or dialect.name == "sqlite" else Decimal(f"{value:.8f}")

    def process_result_value(self, value: Any, dialect: Dialect) -> float | None:
        """Returns the number."""
        return None if value is None else round(float(value), 8)


class Json(types.TypeDecorator[Any]):
    """A value of JSON, of which None is no value at all."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Returns the dialect's own type: what is JSON in name only is text."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(POSTGRES_JSON(none_as_null=True))
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else LONGTEXT())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Returns what the driver takes."""
        if value is None or dialect.name == "postgresql":
            return value
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Returns the value."""
        if not isinstance(value, str | bytes) or dialect.name == "postgresql":
            return value
        try:
            return json.loads(value)
        except ValueError:  # as an application may have encrypted it
            return value
