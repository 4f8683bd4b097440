"""The common part of the Python drivers: a bulk write in an SDK's own objects, one step a line.

A line on standard input is a JSON object, `do` names the step; the response is a line of JSON
behind `@ `. It reports the class of the SDK's objects and the value of each getter.
"""

from __future__ import annotations

import inspect
import json
import sys
from abc import ABC, abstractmethod
from datetime import datetime
from pathlib import Path


class Driver(ABC):
    """The steps that are the same in all versions of the SDK."""

    api = None
    """The SDK's package `...crm.api`."""

    @abstractmethod
    def initialise(self, who):
        """Initialise the SDK with these credentials."""

    @abstractmethod
    def module(self, name):
        """A module as the SDK's request wants it."""

    @abstractmethod
    def default_value(self, value):
        """A default value as the SDK's request wants it."""

    @abstractmethod
    def job_id(self, digits):
        """The id of a bulk write as the SDK wants it."""

    @abstractmethod
    def field(self):
        """An empty field, of which criteria want the name; None if they take that themselves."""

    def upload(self, path, feature, org_id):
        """Upload a file."""
        bulk = self.api.bulk_write
        request = bulk.FileBodyWrapper()
        request.set_file(self.api.util.StreamWrapper(file_path=path))
        headers = self.api.HeaderMap()
        headers.add(bulk.bulk_write_operations.UploadFileHeader.feature, feature)
        headers.add(bulk.bulk_write_operations.UploadFileHeader.x_crm_org, org_id)
        return bulk.BulkWriteOperations().upload_file(request, headers)

    def create(self, request):
        """Create a job."""
        made = self.api.bulk_write.RequestWrapper()
        made.set_operation(self.api.util.Choice(request["operation"]))
        made.set_resource([self._resource(r) for r in request["resource"]])
        if "character_encoding" in request:
            made.set_character_encoding(request["character_encoding"])
        if "ignore_empty" in request:
            made.set_ignore_empty(request["ignore_empty"])
        if "callback" in request:
            callback = self.api.bulk_write.CallBack()
            callback.set_url(request["callback"]["url"])
            callback.set_method(self.api.util.Choice(request["callback"]["method"]))
            made.set_callback(callback)
        return self.api.bulk_write.BulkWriteOperations().create_bulk_write_job(made)

    def details(self, job_id):
        """Get a job's details."""
        bulk = self.api.bulk_write.BulkWriteOperations()
        return bulk.get_bulk_write_job_details(self.job_id(job_id))

    @abstractmethod
    def record(self, module, record_id):
        """Get a record. Every SDK reads the fields of its module and of all its lookups first."""

    @abstractmethod
    def operation(self, name, module):
        """A method of RecordOperations for a module."""

    def call(self, method, module, records=None, check=None, group=None, parameters=None):
        """Call a method of RecordOperations with records, or with parameters of a group."""
        record = self.api.record
        if records is None:
            given = self.api.ParameterMap()
            for key, value in parameters.items():
                given.add(getattr(getattr(record.record_operations, group), key), value)
        else:
            given = record.BodyWrapper()
            given.set_data([self._record(values) for values in records])
            if check:
                given.set_duplicate_check_fields(check)
        return self.operation(method, module)(given, self.api.HeaderMap())

    @abstractmethod
    def queries(self):
        """The package of COQL queries and the class of their operations."""

    def query(self, text):
        """Run a COQL query."""
        package, operations = self.queries()
        made = package.BodyWrapper()
        made.set_select_query(text)
        return operations().get_records(made)

    def create_read(self, request):
        """Create a bulk read."""
        bulk = self.api.bulk_read
        query = bulk.Query()
        query.set_module(self.module(request["module"]))
        query.set_fields(request["fields"])
        query.set_criteria(self._criteria(request["criteria"]))
        made = getattr(bulk, "BodyWrapper", getattr(bulk, "RequestWrapper", None))()
        made.set_query(query)
        callback = bulk.CallBack()
        callback.set_url(request["callback"])
        callback.set_method(self.api.util.Choice("post"))
        made.set_callback(callback)
        return bulk.BulkReadOperations().create_bulk_read_job(made)

    def read_details(self, job_id):
        """Get the details of a bulk read."""
        return self.api.bulk_read.BulkReadOperations().get_bulk_read_job_details(int(job_id))

    def read_result(self, job_id, into):
        """Download the result of a bulk read into a file."""
        answer = self.api.bulk_read.BulkReadOperations().download_result(int(job_id))
        return self._saved(answer, self.api.bulk_read.FileBodyWrapper, into)

    def _criteria(self, wanted):
        made = self.api.bulk_read.Criteria()
        if "group" in wanted:
            made.set_group([self._criteria(part) for part in wanted["group"]])
            made.set_group_operator(self.api.util.Choice(wanted["group_operator"]))
            return made
        field = self.field()
        if field is None:
            made.set_api_name(wanted["api_name"])
        else:
            field.set_api_name(wanted["api_name"])
            made.set_field(field)
        made.set_comparator(self.api.util.Choice(wanted["comparator"]))
        made.set_value(wanted["value"])
        return made

    def _record(self, values):
        made = self.api.record.Record()
        for name, value in values.items():
            if name == "id":
                made.set_id(int(value))
            else:
                made.add_key_value(name, value)
        return made

    def download(self, url, into):
        """Download a result into a file."""
        answer = self.api.bulk_write.BulkWriteOperations().download_bulk_write_result(url)
        return self._saved(answer, self.api.bulk_write.FileBodyWrapper, into)

    def _saved(self, answer, kind, into):
        wrapper = answer.get_object()
        if isinstance(wrapper, kind):
            chunks = wrapper.get_file().get_stream()
            Path(into).write_bytes(b"".join(chunks))
        return answer

    def _resource(self, wanted):
        made = self.api.bulk_write.Resource()
        made.set_type(self.api.util.Choice("data"))
        made.set_module(self.module(wanted["module"]))
        for name in ("file_id", "find_by", "ignore_empty", "file_names"):
            if name in wanted:
                getattr(made, f"set_{name}")(wanted[name])
        if "field_mappings" in wanted:
            made.set_field_mappings([self._mapping(m) for m in wanted["field_mappings"]])
        return made

    def _mapping(self, wanted):
        made = self.api.bulk_write.FieldMapping()
        for name, value in wanted.items():
            fitting = self.default_value(value) if name == "default_value" else value
            getattr(made, f"set_{name}")(fitting)
        return made

    def run(self):
        """Respond to each line of standard input until it ends."""
        steps = [self.upload, self.create, self.details, self.download]
        steps += [self.record, self.call, self.query]
        steps += [self.create_read, self.read_details, self.read_result]
        known = {step.__name__: step for step in steps}
        for line in sys.stdin:
            wanted = json.loads(line)
            step = wanted.pop("do")
            try:
                if step == "initialise":
                    self.initialise(wanted)
                    report = {}
                else:
                    report = _report(known[step](**wanted))
            except self.api.exception.SDKException as error:
                report = {"raised": type(error).__name__, "code": error.code, "text": str(error)}
            print("@", json.dumps(report), flush=True)


def _report(answer):
    """The report of an APIResponse; 2.x returns None for a response that it cannot read."""
    if answer is None:
        return {"class": None}
    return {"http": answer.get_status_code(), **(_value(answer.get_object()) or {"class": None})}


def _value(thing):
    """The JSON value of a value of the SDK; None for None."""
    if isinstance(thing, datetime):
        return {"date": thing.isoformat()}
    if isinstance(thing, list):
        return [_value(t) for t in thing]
    if isinstance(thing, dict):
        return {str(key): _value(value) for key, value in thing.items()}
    if thing is None or isinstance(thing, (str, int, float)):
        return thing
    if type(thing).__name__ == "Choice":
        return _value(thing.get_value())
    if type(thing).__name__ == "StreamWrapper":
        return {"class": "StreamWrapper", "name": thing.get_name()}
    if not hasattr(thing, "is_key_modified"):
        return {"unexpected": repr(type(thing))}
    return {"class": type(thing).__name__, **_getters(thing)}


def _getters(thing):
    report = {}
    for name in dir(thing):
        method = getattr(thing, name)
        if name.startswith("get_") and not inspect.signature(method).parameters:
            value = _value(method())
            if value is not None:
                report[name.removeprefix("get_")] = value
    return report
