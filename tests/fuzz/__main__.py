"""``make fuzz``: give every parser a million inputs, guided by the code they reach.

    python -m tests.fuzz [--runs N] [--seconds S] [target …]

Each target runs in a process of its own under atheris (libFuzzer) with bounded memory and time
for each input; new inputs that reach new code go to ``var/fuzz/<target>``, findings to
``var/fuzz/findings``. Without atheris, which exists for Linux and some versions of Python,
seeded mutations take its place.
"""

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
WORK = Path("var/fuzz")
MEMORY_MIB = 512
INPUT_TIMEOUT_S = 10
MAX_BYTES = 4096


def main() -> int:
    """Run the targets asked for; 1 when one of them found something."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000, help="inputs for each target")
    parser.add_argument("--seconds", type=int, default=0, help="at most so long for each target")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("targets", nargs="*")
    options = parser.parse_args()
    if options.one:
        return fuzz(options.targets[0], options.runs, options.seconds)
    from tests.fuzz.targets import TARGETS  # noqa: PLC0415 -- children import it instrumented

    failed = []
    for name in options.targets or TARGETS:
        command = [
            sys.executable, "-m", "tests.fuzz", "--one", name,
            "--runs", str(options.runs), "--seconds", str(options.seconds),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        lines = (done.stdout + done.stderr).strip().splitlines()
        print(f"{name}: {'ok' if done.returncode == 0 else 'FOUND'}  {summary(lines)}", flush=True)
        if done.returncode:
            failed.append(name)
            print("\n".join(lines[-40:]), flush=True)
    return 1 if failed else 0


def summary(lines: list[str]) -> str:
    """The fuzzer's last line of figures, with the most memory its process took."""
    done = next((line for line in reversed(lines) if "Done" in line or "inputs" in line), "")
    peak = next((line.split()[-1] for line in lines if "peak_rss_mb" in line), "")
    return f"{done}, at most {peak} MiB" if peak else done


def fuzz(name: str, runs: int, seconds: int) -> int:
    """Fuzz one target in this process."""
    if importlib.util.find_spec("atheris") is None:
        return mutate(name, runs)
    import atheris  # noqa: PLC0415 -- optional, and must come before what it instruments

    with atheris.instrument_imports(include=["media"], enable_loader_override=False):
        from tests.fuzz import targets  # noqa: PLC0415
    target = targets.TARGETS[name]
    found, findings = WORK / name, WORK / "findings"
    found.mkdir(parents=True, exist_ok=True)
    findings.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (found / f"seed-{number}").write_bytes(seed)

    def one(data: bytes) -> None:
        try:
            target.run(data)
        except targets.ALLOWED:
            return

    limits = [
        f"-runs={runs}", f"-max_total_time={seconds}", f"-rss_limit_mb={MEMORY_MIB}",
        f"-timeout={INPUT_TIMEOUT_S}", f"-max_len={MAX_BYTES}", "-print_final_stats=1",
        f"-artifact_prefix={findings}/{name}-",
    ]  # fmt: skip
    kept = CORPUS / name
    atheris.Setup([sys.argv[0], *limits, str(found), *([str(kept)] if kept.exists() else [])], one)
    atheris.Fuzz()
    return 0


def mutate(name: str, runs: int) -> int:
    """Give one target seeded mutations."""
    from tests.fuzz.mutation import mutations  # noqa: PLC0415
    from tests.fuzz.targets import ALLOWED, TARGETS  # noqa: PLC0415

    target = TARGETS[name]
    for data in mutations([*target.seeds, *kept_inputs(name)], runs, seed=1):
        try:
            target.run(data)
        except ALLOWED:
            continue
        except BaseException:
            print(f"input: {data.hex()}")
            raise
    print(f"{runs} inputs")
    return 0


def kept_inputs(name: str) -> list[bytes]:
    """The committed corpus of a target."""
    folder = CORPUS / name
    return [path.read_bytes() for path in sorted(folder.glob("*"))] if folder.exists() else []


if __name__ == "__main__":
    sys.exit(main())
