"""The services that the endpoints call. `bulkwright.services` provides them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bulkwright.files import Files
    from bulkwright.service.audit import AuditLog
    from bulkwright.service.changes import ChangeService
    from bulkwright.service.import_templates import ImportTemplates
    from bulkwright.service.job_control import JobControl
    from bulkwright.service.job_rows import JobRowsService
    from bulkwright.service.jobs import JobService
    from bulkwright.service.reads import ReadService
    from bulkwright.service.tokens import TokenService
    from bulkwright.service.undo import UndoService
    from bulkwright.service.uploads import UploadService
    from bulkwright.settings import Settings
    from bulkwright.store.modules import ModuleStore


class OwnServices(Protocol):
    """The use cases behind the service's own API."""

    @property
    def tokens(self) -> TokenService:
        """Checks access tokens."""
        ...

    @property
    def jobs(self) -> JobService:
        """Creates and returns jobs."""
        ...

    @property
    def job_control(self) -> JobControl:
        """Aborts and deletes jobs, and replays callbacks."""
        ...

    @property
    def import_templates(self) -> ImportTemplates:
        """Keeps the choices of imports."""
        ...

    @property
    def changes(self) -> ChangeService:
        """Reads what jobs have changed in records."""
        ...

    @property
    def audit(self) -> AuditLog:
        """Records and returns entries of the audit log."""
        ...

    @property
    def reads(self) -> ReadService:
        """Returns bulk reads."""
        ...

    @property
    def undos(self) -> UndoService:
        """Creates and returns undos."""
        ...

    @property
    def files(self) -> Files:
        """Receives the bytes of uploads."""
        ...

    @property
    def uploads(self) -> UploadService:
        """Keeps uploads."""
        ...

    @property
    def modules(self) -> ModuleStore:
        """Returns modules."""
        ...

    @property
    def job_rows(self) -> JobRowsService:
        """Reads the rows of ended jobs."""
        ...

    @property
    def settings(self) -> Settings:
        """The settings of the server."""
        ...
