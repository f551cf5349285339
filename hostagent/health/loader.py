"""How checks are found and trusted: those shipped with hostagent, and a site's own in checks.d."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from hostagent.errors import CheckError
from hostagent.health.api import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A check's file that was not loaded. ``code`` is what its name promises; ``reason`` is one line."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """All checks by code, in the order of their codes, and the files that were refused.

    ``site`` are the codes of the site's own.
    """

    by_code: Mapping[str, Check]
    site: frozenset[str] = frozenset()
    refused: tuple[Refused, ...] = ()

    def groups(self) -> frozenset[str]:
        """The groups that checks can be selected by."""
        return frozenset(check.group for check in self.by_code.values())


def load_checks(site_dir: str) -> Checks:
    """Load the shipped checks and those in ``site_dir``, which need not exist.

    A file that can't be trusted or loaded, or repeats a code, is refused and stops no other.
    """
    found: dict[str, Check] = {}
    refused: list[Refused] = []
    own: set[str] = set()
    for path, site in [*_shipped(), *_site(site_dir, refused)]:
        try:
            check = _load(path, site=site)
        except CheckError as error:
            refused.append(Refused(code=path.stem.upper(), reason=str(error)))
            continue
        if check.code in found:
            reason = f"{path}: refused, the code {check.code} is taken"
            refused.append(Refused(code=check.code, reason=reason))
        else:
            found[check.code] = check
            own.update({check.code} if site else ())
    return Checks(by_code=dict(sorted(found.items())), site=frozenset(own), refused=tuple(refused))


def _shipped() -> Iterator[tuple[Path, bool]]:
    installed = _PACKAGE / "checks"
    folder = installed if installed.is_dir() else _PACKAGE.parent / "checks"
    return ((path, False) for path in _files(folder))


def _site(site_dir: str, refused: list[Refused]) -> Iterator[tuple[Path, bool]]:
    folder = Path(site_dir)
    try:
        files = _files(folder)
        fault = _distrust(folder.stat(), str(folder))
    except FileNotFoundError:
        return iter(())
    except OSError as error:
        files, fault = [], f"{folder}: can't be read: {error.strerror}"
    if fault:
        refused.append(Refused(code="CHECKS_DIR", reason=fault))
        return iter(())
    return ((path, True) for path in files)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix == ".py" and not path.name.startswith("_"))


def _distrust(status: os.stat_result, name: str) -> str:
    """Why code at ``name`` may not run with our rights, or ""."""
    if status.st_uid != 0:
        return f"{name}: refused, it is not owned by root (chown root {name})"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"{name}: refused, others than root may write it (chmod go-w {name})"
    return ""


def _load(path: Path, *, site: bool) -> Check:
    """Run one file and take its ``CHECK``.

    Raises:
        CheckError: it is not trusted, does not run, or is no check.
    """
    try:
        module = _run_site(path) if site else _run_shipped(path)
    except CheckError:
        raise
    except (Exception, SystemExit) as error:
        raise CheckError(f"{path}: {type(error).__name__}: {error}") from error
    check = getattr(module, "CHECK", None)
    if not isinstance(check, Check):
        raise CheckError(f"{path}: has no CHECK = Check(…)")
    if check.code.lower() != path.stem:
        raise CheckError(f"{path}: holds {check.code}, so its name must be {check.code.lower()}.py")
    return check


def _run_shipped(path: Path) -> ModuleType:
    # By path rather than by name: "checks" is a package of its own in a checkout, hostagent.checks installed.
    spec = spec_from_file_location(f"hostagent.checks.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise CheckError(f"{path}: Python can't load it")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _run_site(path: Path) -> ModuleType:
    module = ModuleType(f"hostagent_site_checks.{path.stem}")
    module.__file__ = str(path)
    code = compile(_read_trusted(path), str(path), "exec", dont_inherit=True)
    sys.modules[module.__name__] = module  # dataclasses look their module up there
    exec(code, module.__dict__)  # noqa: S102  the site's own code, trusted by its owner and mode
    return module


def _read_trusted(path: Path) -> bytes:
    """Read a site's file through the descriptor that was judged, so that no other can take its place."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise CheckError(f"{path}: can't be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise CheckError(f"{path}: refused, it is no regular file")
        if fault := _distrust(status, str(path)):
            raise CheckError(fault)
        return file.read()
