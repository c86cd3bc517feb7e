"""The YAML parser's complaints in the words of someone who edits a file."""

from __future__ import annotations

import re

import yaml

from edge.config.problems import Problem

# (a part of libyaml's or PyYAML's complaint, what it means for the file); the first that fits is told.
_MEANINGS = (
    (
        "mapping values are not allowed",
        "a second `: ` stands in this line, or the indent is wrong; put texts in quotes",
    ),
    ("could not find expected ':'", "this is no `key: value` line; is the colon missing, or a space after it?"),
    ("did not find expected ',' or ']'", "a list `[...]` is not closed, or a comma is missing"),
    ("expected ',' or ']'", "a list `[...]` is not closed, or a comma is missing"),
    ("did not find expected ',' or '}'", "a section `{...}` is not closed, or a comma is missing"),
    ("expected ',' or '}'", "a section `{...}` is not closed, or a comma is missing"),
    (
        "did not find expected key",
        "the indent does not fit the lines above; keys of one section stand below each other",
    ),
    ("did not find expected '-'", "the indent does not fit the list above"),
    ("expected <block end>", "the indent does not fit the lines above; keys of one section stand below each other"),
    ("unexpected end of stream", "a quote is opened and never closed"),
    ("unexpected document", "a quote is opened and never closed"),
    ("block sequence entries are not allowed", "a `- ` stands where no list can begin; check the indent"),
    ("unknown escape character", "a backslash in double quotes begins an escape; use single quotes"),
    ("expected <document start>", "the file goes on behind its end; check the indent"),
    ("did not find expected <document start>", "the file goes on behind its end; check the indent"),
    (
        "cannot start any token",
        "a character stands here that YAML keeps for itself (one of @ ` % or a tab); use quotes",
    ),
    ("did not find expected alphabetic", "a text that begins with & or * needs quotes"),
)


def explain_error(error: Exception, text: str) -> Problem:
    """The problem with its line. Nothing of the file's content is repeated: it may be a secret."""
    complaint = str(getattr(error, "problem", None) or "")
    mark = getattr(error, "problem_mark", None) if isinstance(error, yaml.YAMLError) else None
    line = None if mark is None else mark.line + 1
    opened = _opened(error, line)
    if line is not None and _is_indented_by_tab(text, line):
        return Problem("", "a tab indents this line; YAML takes spaces alone: put spaces", line)
    if line is not None and re.search(r":\s+synthetic:\s*([,}#]|$)", _line(text, line)):
        return Problem("", 'a text that ends with a colon needs quotes: write source: "synthetic:"', line)
    for part, meaning in _MEANINGS:
        if part in complaint:
            return Problem("", f"{meaning}{opened}", line)
    told = re.sub(r"(['\"]).*\1", "...", complaint, flags=re.DOTALL) or "the text breaks off or is damaged"
    return Problem("", f"this can't be read as YAML: {told}{opened}", line)


def _opened(error: Exception, line: int | None) -> str:
    mark = getattr(error, "context_mark", None)
    if mark is None or line is None or mark.line + 1 == line:
        return ""
    return f" (what is being read begins in line {mark.line + 1})"


def _is_indented_by_tab(text: str, line: int) -> bool:
    return re.match(r"[ -]*\t", _line(text, line)) is not None


def _line(text: str, line: int) -> str:
    lines = text.split("\n")
    return lines[line - 1] if line <= len(lines) else ""
