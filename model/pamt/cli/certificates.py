"""Writing the certificate of an answer of `pamt place`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pamt.certificate import Certificate

__all__ = ["write_certificate"]


def write_certificate(certificate: Certificate, path: Path) -> None:
    """Raises click.ClickException where the file cannot be written."""
    from pamt.certificate import dump_certificate
    from pamt.cli.atomic import write_whole

    try:
        write_whole(path, dump_certificate(certificate).encode())
    except OSError as error:
        raise click.ClickException(
            f"{path}: cannot be written: {error.strerror or error}"
        ) from None
