"""A check in words for a terminal, and as data for machines."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from efficientad.data.checking.check import Check, count_sizes, describe_kind, group_by_kind
from efficientad.data.checking.findings import SEVERITIES, Finding
from efficientad.data.checking.measuring import Measured

_SHOWN = 3  # names of a finding
_LONGEST = 160  # letters of one of them
_KINDS_SHOWN = 30
_YAML_WORDS = ("y", "n", "yes", "no", "on", "off", "true", "false", "null")  # which are no names unless quoted
_PROVIDERS = {"flat": "folder"}  # of the other layouts the name is that of the provider


def escape(text: str) -> str:
    r"""Return a text that a terminal shows and does not obey.

    >>> escape("a\x1b[31m.png")
    'a\\x1b[31m.png'
    """
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def describe_check(check: Check) -> dict[str, Any]:
    """Return a check as JSON takes it, all names included."""
    advice = check.advice
    return {
        "folder": str(check.contents.root),
        "layout": check.contents.layout,
        "images": len(check.measured),
        "good_parts": check.parts,
        "kinds": {name: describe_kind(entries) for name, entries in group_by_kind(check.measured).items()},
        "findings": [vars(finding) for finding in check.findings],
        "splits": {"usual": _describe_plan(advice.usual), "advised": _describe_plan(advice.plan)},
        "params": suggest_params(check),
        "smallest_defects_px": advice.smallest_defect_px,
    }


def suggest_params(check: Check) -> dict[str, Any]:
    """Return the sections of params.yaml that fit the folder."""
    advice, contents = check.advice, check.contents
    root, size = contents.root.resolve(), advice.image_size
    data: dict[str, Any] = {
        "provider": _PROVIDERS.get(contents.layout, contents.layout),
        "root": str(root.parent),
        "image_size": size if isinstance(size, int) else list(size),
        **({} if contents.layout == "mvtec" else {"train_fraction": advice.plan.train_fraction}),
        "validation_fraction": advice.plan.validation_fraction,
        "group": "parts.csv" if needs_groups(check) else None,
    }
    return {"categories": [root.name], "data": data, "calibrate": {"false_alarm_rate": advice.rate}}


def needs_groups(check: Check) -> bool:
    """Whether images of one part could fall into several splits."""
    return any(finding.key == "near_duplicate" for finding in check.findings)


def format_check(check: Check) -> str:
    """Return the report for a terminal: what is wrong, worst first, what is there, what to set."""
    contents = check.contents
    counts = Counter(finding.severity for finding in check.findings)
    found = ", ".join(f"{counts[severity]} {severity}{'s' * (counts[severity] != 1)}" for severity in SEVERITIES)
    lines = [f"{contents.root}: {len(check.measured)} images, layout {contents.layout}; {found}", ""]
    lines += [line for finding in check.findings for line in _format_finding(finding)]
    lines += ["", *_format_kinds(check.measured), ""]
    lines.append(_format_promise(check))
    lines += ["params.yaml:", *(f"  {line}" for line in format_params(suggest_params(check)))]
    if needs_groups(check):
        lines.append(f"  parts.csv, which --output writes, goes to {contents.root}")
    return "\n".join(escape(line) for line in lines)


def format_params(params: dict[str, Any]) -> list[str]:
    """Return lines of YAML.

    >>> format_params({"categories": ["gear"], "data": {"root": "/images", "group": None}})
    ['categories: [gear]', 'data: {root: /images, group: null}']
    """
    lines = []
    for name, value in params.items():
        inner = (
            ", ".join(f"{key}: {_format_value(entry)}" for key, entry in value.items()) if name != "categories" else ""
        )
        lines.append(f"{name}: {{{inner}}}" if inner else f"{name}: {_format_value(value)}")
    return lines


def _format_promise(check: Check) -> str:
    plan = check.advice.usual
    return (
        f"good parts: {check.parts}. {plan.train} train, {plan.validation} set the threshold, {plan.test} test; "
        f"they can promise a false-alarm rate of {plan.promise:.1%} at best"
    )


def _format_value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_format_value, value))}]"
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z/][\w./-]*", value) and value.lower() not in _YAML_WORDS:
        return value
    return json.dumps(value)


def _format_finding(finding: Finding) -> list[str]:
    names = [f"           {_shorten(name)}" for name in finding.names[:_SHOWN]]
    more = [f"           and {len(finding.names) - _SHOWN} more"] if len(finding.names) > _SHOWN else []
    return [f"{finding.severity.upper():9}  {finding.message}", *names, *more]


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]}…{text[-_LONGEST // 2 :]}"


def _format_kinds(measured: Sequence[Measured]) -> list[str]:
    kinds = group_by_kind(measured)
    width = max(4, *(min(28, len(escape(name))) for name in kinds))
    lines = [f"{'kind':{width}}  images  masks  brightness  contrast  sharpness  size, px"]
    for name, entries in list(kinds.items())[:_KINDS_SHOWN]:
        facts = describe_kind(entries)
        middle = [f"{facts[key][1]:.3g}" if facts[key] else "-" for key in ("brightness", "contrast", "sharpness")]
        shown = _format_sizes([entry for entry in entries if entry.facts is not None])
        lines.append(
            f"{escape(name)[:28]:{width}}  {facts['images']:6}  {facts['masks']:5}  {middle[0]:>10}  {middle[1]:>8}  "
            f"{middle[2]:>9}  {shown}"
        )
    return lines if len(kinds) <= _KINDS_SHOWN else [*lines, f"and {len(kinds) - _KINDS_SHOWN} more kinds"]


def _format_sizes(entries: Sequence[Measured]) -> str:
    facts = [entry.facts for entry in entries if entry.facts is not None]
    if not facts:
        return "-"
    sizes, codings = count_sizes(facts), Counter(image.coding for image in facts)
    coding = ", ".join(name for name, _ in codings.most_common(2)) + (", ..." if len(codings) > 2 else "")
    if len(sizes) <= 2:
        return f"{', '.join(sizes)}, {coding}"
    widths, heights = [image.width for image in facts], [image.height for image in facts]
    return f"{min(widths)}..{max(widths)} x {min(heights)}..{max(heights)}, {coding}"


def _describe_plan(plan: Any) -> dict[str, Any]:
    return {**vars(plan), "lowest_false_alarm_rate": round(plan.promise, 4)}
