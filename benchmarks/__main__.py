"""``make bench``: run the benchmarks, print them, keep them.

Every module of this folder that has ``run()`` is one benchmark. Its result is a nested mapping;
where a mapping has ``median`` (or ``median_…``) with ``min`` and ``max`` it is a figure with its
range. Results go to ``benchmarks/results/<name>.json``, and the tables of ``docs/performance.md``
are written anew; a benchmark that keeps its table elsewhere (``table_in``) gets a link. Figures of
different machines compare only as ratios, so each table has them.

    python -m benchmarks [name …]       without a name: all that need less than a few minutes
"""

import importlib
import inspect
import json
import os
import pkgutil
import platform
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import benchmarks

RESULTS: Final = Path(__file__).parent / "results"
PAGE: Final = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN: Final = "<!-- begin: make bench -->"
END: Final = "<!-- end: make bench -->"
DEFAULT_DURATION_S: Final = 20.0


def names() -> list[str]:
    """The benchmarks there are, by name."""
    found = pkgutil.iter_modules(benchmarks.__path__)
    return sorted(m.name for m in found if not m.ispkg and not m.name.startswith("_"))


def quick_names() -> list[str]:
    """Those that run when none is named: all but the long ones."""
    modules = {name: importlib.import_module(f"benchmarks.{name}") for name in names()}
    return [name for name, module in modules.items() if not getattr(module, "IS_LONG", False)]


def measure(module: ModuleType) -> dict[str, Any]:
    """Run one benchmark; those that ask how long they may take get a default."""
    wanted = inspect.signature(module.run).parameters.values()
    needs_duration = any(p.default is p.empty for p in wanted)
    result = module.run(DEFAULT_DURATION_S) if needs_duration else module.run()
    return {"machine": machine(), **result}


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in _lines(Path("/proc/cpuinfo"))
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "kernel": platform.release().partition("-")[0],
        "load_average": round(os.getloadavg()[0], 1),
    }


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def figures(result: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """``(name, (median, low, high) or single value)`` of everything measured in ``result``."""
    parts = _figure(result)
    if parts is not None:
        yield " · ".join(path), parts
        return
    for key, value in result.items():
        if key == "machine":
            continue
        if isinstance(value, Mapping):
            yield from figures(value, (*path, key.replace("_", " ")))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield " · ".join((*path, key.replace("_", " "))), (value, None, None)


def _figure(result: Mapping[str, Any]) -> tuple[float, float, float] | None:
    found = {}
    for key, value in result.items():
        kind = key.partition("_")[0]
        if kind in {"median", "min", "max", "low", "high"} and isinstance(value, int | float):
            found[{"low": "min", "high": "max"}.get(kind, kind)] = float(value)
    return (found["median"], found["min"], found["max"]) if len(found) == 3 else None


def table(result: Mapping[str, Any]) -> list[str]:
    """Lines of a Markdown table: median and range, and the ratio to each line worth comparing with.

    Those lines are named by ``ratio_to`` of the result; a name that was not measured is left out.
    """
    rows = {name: parts for name, parts in figures(result) if parts[1] is not None}
    wanted = [name.replace("_", " ") for name in result.get("ratio_to", ())]
    others = [name for name in wanted if name in rows and rows[name][0]]
    lines = [
        "".join(["| | median | range |", *(f" × {name} |" for name in others)]),
        "|---|---:|---:|" + "---:|" * len(others),
    ]
    for name, (median, low, high) in rows.items():
        ratios = "".join(f" {median / rows[other][0]:.2f} |" for other in others)
        lines.append(f"| {name} | {median:g} | {low:g}–{high:g} |{ratios}")
    return lines


def beside(result: Mapping[str, Any]) -> str:
    """One line with the figures that were counted once; empty without any."""
    single = [
        f"{name} {parts[0]:g}"
        for name, parts in figures(result)
        if parts[1] is None and parts[0] is not None
    ]
    return f"Besides: {'; '.join(single)}." if single else ""


def write_page(results: Mapping[str, Mapping[str, Any]]) -> None:
    """Put the tables between the marks of `PAGE`."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    parts = []
    for name, result in results.items():
        on = result["machine"]
        about = f"{on['processor']}, {on['cores']} cores, Python {on['python']}"
        if on.get("load_average", 0.0) > on["cores"]:
            about += f", busy with other work (load average {on['load_average']:g})"
        unit = f"; {result['unit']}." if "unit" in result else "."
        elsewhere = result.get("table_in")
        if elsewhere:
            shown = [f"[Table]({elsewhere})"]
        else:
            module = importlib.import_module(f"benchmarks.{name}")
            own = getattr(module, "lines", None)  # where medians and ranges are not the point
            shown = own(result) if own else [*table(result), "", beside(result)]
        parts += [f"### {name}", "", about + unit, "", *shown, ""]
    body = "\n".join(parts)
    PAGE.write_text(f"{before}{BEGIN}\n\n{body}\n{END}{after}", encoding="utf-8")


def main(wanted: list[str]) -> None:
    """Run the benchmarks named, or all."""
    RESULTS.mkdir(exist_ok=True)
    for name in wanted or quick_names():
        print(f"# {name}", flush=True)
        module = importlib.import_module(f"benchmarks.{name}")
        result = measure(module)
        text = json.dumps(result, indent=2, ensure_ascii=False)
        (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        print("\n".join([*table(result), "", beside(result)]), flush=True)
        print()
    kept = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(RESULTS.glob("*.json"))
    }
    write_page(kept)


if __name__ == "__main__":
    main(sys.argv[1:])
