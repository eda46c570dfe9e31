"""One boot, or one /proc file, read by every reader."""

from __future__ import annotations

from typing import NamedTuple

from pamt.maps.importers.cmr import CmrLog, read_cmrs
from pamt.maps.importers.e820 import E820Log, read_e820
from pamt.maps.importers.facts import Fact, read_facts
from pamt.maps.importers.iomem import IomemLog, read_iomem
from pamt.maps.importers.lines import Source, Unread
from pamt.maps.importers.lsmem import LsmemLog, read_lsmem
from pamt.maps.importers.metadata import read_metadata
from pamt.maps.importers.nodes import NodeLog, read_nodes
from pamt.maps.importers.numactl import NumactlLog, read_numactl
from pamt.maps.importers.srat import SratLog, read_srat
from pamt.maps.importers.sysfs import SysfsLog, read_sysfs
from pamt.maps.importers.zoneinfo import ZoneinfoLog, read_zoneinfo
from pamt.maps.importers.zones import ZoneLog, read_zones

__all__ = ["Reading", "read_source"]


class Reading(NamedTuple):
    source: Source
    e820: E820Log
    nodes: NodeLog
    srat: SratLog
    zones: ZoneLog
    cmrs: CmrLog
    iomem: IomemLog
    zoneinfo: ZoneinfoLog
    numactl: NumactlLog
    lsmem: LsmemLog
    sysfs: SysfsLog
    facts: tuple[Fact, ...]
    metadata: dict[str, str]

    @property
    def unread(self) -> tuple[Unread, ...]:
        logs = (self.e820, self.nodes, self.srat, self.zones, self.cmrs, self.iomem)
        files = (self.zoneinfo, self.numactl, self.lsmem, self.sysfs)
        return tuple(u for log in (*logs, *files) for u in log.unread)


def read_source(source: Source) -> Reading:
    return Reading(
        source,
        read_e820(source),
        read_nodes(source),
        read_srat(source),
        read_zones(source),
        read_cmrs(source),
        read_iomem(source),
        read_zoneinfo(source),
        read_numactl(source),
        read_lsmem(source),
        read_sysfs(source),
        read_facts(source),
        read_metadata(source),
    )
