"""Frozen data that is written as JSON and read back: layers, initialisers, optimizers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeVar

__all__ = ["Record", "decode", "encode"]

R = TypeVar("R", bound="Record")


@dataclass(frozen=True)
class Record:
    """A frozen dataclass that knows its JSON form, ``{"type": class name, field: value, …}``.

    Subclasses are found by their class name; one of your own is known from the moment its module is
    imported.
    """

    KINDS: ClassVar[dict[str, type[Record]]] = {}

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not abstract:
            refuse_shadowing(Record.KINDS.get(cls.__name__), cls)
            Record.KINDS[cls.__name__] = cls

    def to_json(self) -> dict[str, Any]:
        """As plain data for ``json.dumps``.

        Raises
        ------
        TypeError
            If a field holds what JSON cannot, such as a function.
        """
        values = {f.name: encode(getattr(self, f.name), f"{type(self).__name__}.{f.name}") for f in fields(self)}
        return {"type": type(self).__name__, **values}

    @classmethod
    def from_json(cls: type[R], data: Any) -> R:
        """What :meth:`to_json` wrote; never runs anything but the constructors of known classes.

        Raises
        ------
        ValueError
            If it is not of this kind, or names a class or a field that is not known.
        """
        record = decode(data)
        if not isinstance(record, cls):
            raise ValueError(f"a {cls.__name__.lower()} was expected, got {str(data)[:80]}")
        return record


def refuse_shadowing(known: type | None, new: type) -> None:
    """Raise where a class of a user's takes the name of one of this library, by which files know it."""
    package = __name__.split(".")[0]
    if known is not None and known.__module__.split(".")[0] == package and known.__module__ != new.__module__:
        raise TypeError(f"diaphane has a class {new.__name__} already, which saved files name; call yours otherwise")


def encode(value: Any, where: str = "value") -> Any:
    """A field's value as plain data."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Record):
        return value.to_json()
    if isinstance(value, tuple | list):
        return [encode(v, where) for v in value]
    raise TypeError(
        f"{where} holds {value!r}, which cannot be written to a file; a function of your own is saved by name: "
        "register it with diaphane.nn.register_activation, or make it a layer"
    )


def decode(data: Any) -> Any:
    """Plain data as a field's value: lists become tuples, objects with a type the records they name."""
    if isinstance(data, list):
        return tuple(decode(v) for v in data)
    if not isinstance(data, dict):
        return data
    values = dict(data)
    name = values.pop("type", None)
    kind = Record.KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(
            f"there is no layer, initialiser or optimizer called {name!r}; import the module that has it first"
        )
    known = {f.name for f in fields(kind) if f.init}
    unknown = set(values) - known
    if unknown:
        raise ValueError(
            f"{name} has no field {', '.join(sorted(unknown))}; it has: {', '.join(sorted(known)) or 'none'}"
        )
    return kind(**{key: decode(value) for key, value in values.items()})
