"""Jobs: domain to wire."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Literal

from bulkwright.domain.any_job import AnyJob
from bulkwright.domain.delivery import Delivery, DeliveryState
from bulkwright.domain.error_limit import ErrorLimit
from bulkwright.domain.job import Job, Resource, Split
from bulkwright.domain.outcome import Counts
from bulkwright.domain.read_job import ReadJob
from bulkwright.domain.reading import Reading
from bulkwright.domain.retention import DeletedJob
from bulkwright.domain.undo_job import UndoJob
from bulkwright.domain.upload import CsvFacts, Upload
from bulkwright.service.jobs import JobService
from bulkwright.wire import own, own_reads


def job_snapshot(job: Job, jobs: JobService) -> own.JobSnapshot:
    """Returns a job as it is now."""
    return own.JobSnapshot(
        id=str(job.id),
        status=job.status.value,
        code=job.code,
        operation=job.operation.value,
        dry_run=job.dry,
        priority=job.priority.word,
        created_by=own.Creator(id=str(job.created_by.id), name=job.created_by.name),
        created_time=moment(job.created_time),
        ended_time=None if job.ended_time is None else moment(job.ended_time),
        rows=_rows(job.counts),
        rows_unprocessed=jobs.unprocessed(job),
        on_error=on_error(job.error_limit, all_or_nothing=job.all_or_nothing),
        undo=None if job.undo_id is None else str(job.undo_id),
        has_result=job.has_result and not job.result_swept,
        abort_requested_time=None if job.abort_time is None else moment(job.abort_time),
        callback_url=None if job.callback is None else job.callback.url,
        resources=[_resource(resource) for resource in job.resources],
    )


def undo_snapshot(undo: UndoJob) -> own.UndoSnapshot:
    """Returns an undo as it is now."""
    return own.UndoSnapshot(
        id=str(undo.id),
        job=str(undo.undone_id),
        dry_run=undo.dry_run,
        status=undo.status.value,
        code=undo.code,
        created_by=own.Creator(id=str(undo.created_by.id), name=undo.created_by.name),
        created_time=moment(undo.created_time),
        ended_time=None if undo.ended_time is None else moment(undo.ended_time),
        records=own.UndoneRecords(removed=undo.removed, restored=undo.restored, kept=undo.kept),
        has_result=undo.has_result and not undo.result_swept,
        callback_url=None if undo.callback is None else undo.callback.url,
    )


def read_snapshot(job: ReadJob) -> own_reads.ReadSnapshot:
    """Returns a bulk read as it is now."""
    query, read = job.query, job.read
    return own_reads.ReadSnapshot(
        id=str(job.id),
        status=job.status.value,
        code=job.code,
        module=job.module,
        fields=None if query.fields is None else list(query.fields),
        has_criteria=query.criteria is not None,
        page=query.page,
        created_by=own.Creator(id=str(job.created_by.id), name=job.created_by.name),
        created_time=moment(job.created_time),
        ended_time=None if job.ended_time is None else moment(job.ended_time),
        rows=None if read is None else read.rows,
        more=None if read is None else read.more,
        has_result=job.has_result and not job.result_swept,
        abort_requested_time=None if job.abort_time is None else moment(job.abort_time),
        callback_url=None if job.callback is None else job.callback.url,
    )


def on_error(
    limit: ErrorLimit | None, *, all_or_nothing: bool
) -> Literal["continue", "all_or_nothing"] | own.StopAfter:
    """Returns what becomes of a job when rows are skipped."""
    if all_or_nothing:
        return "all_or_nothing"
    if limit is None:
        return "continue"
    return own.StopAfter(stop_after=limit.rows, stop_after_percent=limit.percent)


def aborted_job(job: AnyJob) -> own.AbortedJob:
    """Returns a job whose abort was requested."""
    match job:
        case Job():
            operation = job.operation.value
        case ReadJob():
            operation = "read"
        case _:
            operation = "undo"
    return own.AbortedJob(
        id=str(job.id),
        operation=operation,
        status=job.status.value,
        code=job.code,
        abort_requested_time=None if job.abort_time is None else moment(job.abort_time),
    )


def job_deletion(job_id: int, deleted: DeletedJob) -> own.JobDeletion:
    """Returns what was deleted with a job."""
    return own.JobDeletion(
        id=str(job_id),
        result_deleted=deleted.had_result,
        files_deleted=[str(number) for number in deleted.uploads],
        files_kept=[str(number) for number in deleted.kept_uploads],
        callback_dropped=deleted.dropped_callback,
    )


def callback_snapshot(delivery: Delivery) -> own.CallbackSnapshot:
    """Returns the delivery of a callback."""
    pending = delivery.state is DeliveryState.PENDING
    return own.CallbackSnapshot(
        url=delivery.url,
        state=delivery.state.value,
        attempts=delivery.attempts,
        next_attempt_time=moment(delivery.next_time) if pending else None,
        ended_time=None if delivery.ended_time is None else moment(delivery.ended_time),
        last_status=delivery.last_status,
        last_error=delivery.last_error,
    )


def file_snapshot(upload: Upload) -> own.FileSnapshot:
    """Returns an upload, and how its CSVs are read."""
    origin = upload.origin
    return own.FileSnapshot(
        id=str(upload.id),
        name=upload.name,
        format=origin.format.value,
        format_by=origin.found_by.value,
        gzip=origin.gzip,
        bytes=upload.bytes,
        created_time=moment(upload.created_time),
        csvs=[_csv(csv) for csv in upload.csvs],
        problem=upload.problem,
    )


def _csv(csv: CsvFacts) -> own.CsvSnapshot:
    return own.CsvSnapshot(
        name=csv.name,
        encoding=csv.encoding,
        encoding_by=csv.encoding_by.value,
        delimiter=csv.delimiter,
        delimiters_that_fit_too=[s.delimiter for s in csv.splittings[1:] if s.rows and s.fits],
        header=list(csv.header),
        rows=csv.rows,
    )


def _resource(resource: Resource) -> own.ResourceSnapshot:
    return own.ResourceSnapshot(
        module=resource.module,
        file_id=str(resource.file_id),
        file_name=resource.file_name,
        status=resource.status.value,
        code=resource.code,
        rows=_rows(resource.counts),
        find_by=resource.find_by,
        ignore_empty=resource.ignore_empty,
        mapped_by_header=resource.auto_mapped,
        mappings=[
            own.MappingSnapshot(**{k: v for k, v in asdict(m).items() if k != "default_json"})
            for m in resource.mappings
        ],
        reading=None if resource.reading is None else _reading(resource.reading),
        parts=None if resource.split is None else _parts(resource.split),
    )


def _rows(counts: Counts) -> own.RowCounts:
    return own.RowCounts(
        processed=counts.total,
        added=counts.added,
        updated=counts.changed,
        unchanged=counts.unchanged,
        skipped=counts.skipped,
    )


def _reading(reading: Reading) -> own.ReadingSnapshot:
    return own.ReadingSnapshot(
        encoding=reading.encoding,
        encoding_by=reading.encoding_by.value,
        delimiter=reading.delimiter,
        delimiter_by=reading.delimiter_by.value,
        delimiters_that_fit_too=list(reading.also_fits),
        columns_left_out=list(reading.left_out),
        rows_with_stray_quotes=reading.stray_quotes,
        first_row_with_stray_quotes=reading.first_stray_quote,
        formats_assumed=dict(reading.assumed),
    )


def _parts(split: Split) -> own.PartsSnapshot:
    return own.PartsSnapshot(count=split.parts, by=split.by, reason=split.reason)


def moment(time: datetime) -> str:
    return time.isoformat(timespec="seconds")
