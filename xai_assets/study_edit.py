"""Writing LIME parameters into a study's file: only the entries that change are touched, every other byte stays.

The file is a person's: its comments, order, quotes and line ends are theirs. PyYAML says where in the text a value
stands; the new text is put in its place, and before anything is written the result is read again and must differ from
what was there in those entries alone.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from xai_assets.attribution.parameters import LimeParameters
from xai_assets.files import write_bytes
from xai_assets.settings import in_checkout, shipped
from xai_assets.study_file import MAX_BYTES, StudyError, StudyFile
from xai_assets.study_yaml import NotPlain, parse

BLOCK = "lime_per_image"
_SEARCHED = ("segmentation", "num_samples", "num_features", "hide_color")
"""Always written out, so that an entry means the same where a default changes."""

_REMEDY = "Write the entries with --output, and put them under attribution.lime_per_image by hand."


def entry_text(image: str, parameters: LimeParameters) -> str:
    """One entry as a line of YAML without its indentation: the searched fields, and what is not the default."""
    dumped = yaml.safe_dump(
        {image: plain(parameters)},
        default_flow_style=True, width=float("inf"), allow_unicode=True, sort_keys=False,
    )  # fmt: skip
    return dumped.strip()[1:-1]


def plain(parameters: LimeParameters) -> dict[str, Any]:
    """The parameters as YAML has them: the searched fields, and what is not the default."""
    whole = parameters.model_dump(mode="json")
    default = LimeParameters().model_dump(mode="json")
    return {key: value for key, value in whole.items() if key in _SEARCHED or value != default[key]}


def block_text(entries: Mapping[str, LimeParameters], *, heading: str) -> str:
    """A YAML file of the entries alone, with a comment above: to be put into a study by hand."""
    lines = [f"# {line}" for line in heading.splitlines()]
    return "\n".join([*lines, f"{BLOCK}:", *(f"  {entry_text(*entry)}" for entry in entries.items())]) + "\n"


def check_writable(file: StudyFile) -> None:
    """Raises StudyError where `write_entries` could not write: better said before a long search than after it."""
    path = file.path
    if path.is_relative_to(shipped("studies").resolve()) and not in_checkout():
        raise StudyError(
            str(path), "it belongs to the installed package", "Copy it to your own studies first."
        )
    if file.study.attribution is None:
        raise StudyError(str(path), "it has no attribution", "Add one first.")
    if not os.access(path, os.W_OK):
        raise StudyError(str(path), "it may not be written to", _REMEDY)
    with_entries(path.read_bytes().decode("utf-8"), {"any": LimeParameters()}, name=str(path))


def write_entries(file: StudyFile, entries: Mapping[str, LimeParameters]) -> Path:
    """Put the entries into the study's file, in place of those of the same image, whole or not at all.

    Comments inside an entry that is replaced go with it; all other bytes stay.

    Raises:
        StudyError: the study has no attribution, it may not be written to, or its layout is one that cannot be
            edited; the file is then as it was.
    """
    check_writable(file)
    data = with_entries(file.path.read_bytes().decode("utf-8"), entries, name=str(file.path)).encode("utf-8")
    if len(data) > MAX_BYTES:
        raise StudyError(str(file.path), f"it would become larger than {MAX_BYTES} bytes", _REMEDY)
    return write_bytes(file.path, data)


def with_entries(text: str, entries: Mapping[str, LimeParameters], *, name: str) -> str:
    """The text of a study with the entries in it; `name` is for errors.

    Raises:
        StudyError: the result would not be the same study with these entries, as for a layout not thought of.
    """
    wanted = _content(text, name)
    if not entries:
        return text
    changed = {image: plain(parameters) for image, parameters in entries.items()}
    wanted["attribution"].setdefault(BLOCK, {}).update(changed)
    new = text
    for image, parameters in entries.items():
        new = _with_entry(new, image, entry_text(image, parameters))
    try:
        same = parse(new).content == wanted
    except NotPlain:
        same = False
    if not same:
        raise StudyError(
            name, "its layout cannot be edited without changing more than these entries", _REMEDY
        )
    return new


def _content(text: str, name: str) -> dict[str, Any]:
    try:
        return parse(text).content
    except NotPlain as error:
        raise StudyError(name, error.problems[0].said, _REMEDY) from error


def _with_entry(text: str, image: str, entry: str) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    attribution = _value(root, "attribution")
    block = _value(attribution, BLOCK)
    if block is None:
        if attribution.flow_style:
            return _into_flow(text, attribution, f"{BLOCK}: {{{entry}}}")
        indent = " " * attribution.value[0][0].start_mark.column
        lines = f"{indent}{BLOCK}:{newline}{indent}  {entry}"
        return _below(text, _end(attribution), lines, newline)
    for key, value in block.value:
        if key.value == image:
            return text[: key.start_mark.index] + entry + text[_end(value) :]
    if not block.flow_style:
        indent = " " * block.value[0][0].start_mark.column
        return _below(text, _end(block), indent + entry, newline)
    if block.value or attribution.flow_style:
        return _into_flow(text, block, entry)
    # `{}`: the entries go below, one a line.
    indent = " " * attribution.value[0][0].start_mark.column
    opened = text[: block.start_mark.index].rstrip(" ")
    rest = text[block.end_mark.index :]
    return _below(opened + rest, len(opened), f"{indent}  {entry}", newline)


def _value(node: Any, key: str) -> Any:
    return next((value for name, value in node.value if name.value == key), None)


def _end(node: Any) -> int:
    """Where the last character of a value stands, plus one; PyYAML puts a block's end behind its comments."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)


def _below(text: str, index: int, lines: str, newline: str) -> str:
    """`lines` on lines of their own below the line that holds `index`."""
    end = text.find("\n", index)
    if end < 0:
        return text + newline + lines + newline
    return text[: end + 1] + lines + newline + text[end + 1 :]


def _into_flow(text: str, node: Any, entry: str) -> str:
    """`entry` as the last of a mapping in braces."""
    if node.value:
        end = _end(node.value[-1][1])
        return f"{text[:end]}, {entry}{text[end:]}"
    brace = node.end_mark.index - 1
    return text[:brace] + entry + text[brace:]
