"""An S3 server as a process of its own: moto, on 127.0.0.1, in memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import boto3
from tests.support.processes import free_port, listens, until

BUCKET = "bulk"


class ObjectStore:
    """One server and its bucket; its objects are lost when it ends."""

    def __init__(self, log: Path, port: int = 0) -> None:
        self._log = log
        self.port = port or free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._s3: Any = None

    def start(self) -> None:
        """Starts the server and creates the bucket."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
                stdout=log, stderr=log,
            )  # fmt: skip
        self._s3 = boto3.client(
            "s3",
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
        assert until(lambda: listens(self.port)), self._log.read_text()
        self._s3.create_bucket(Bucket=BUCKET)

    def stop(self) -> None:
        """Kills the server."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
            self._s3.close()

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables by which a program reaches the server."""
        return {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ALLOW_HTTP": "true",
        }

    def get(self, key: str) -> bytes:
        """Returns an object, read directly."""
        return bytes(self._s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    def put(self, key: str, data: bytes) -> None:
        """Stores an object directly."""
        self._s3.put_object(Bucket=BUCKET, Key=key, Body=data)

    def delete(self, key: str) -> None:
        """Deletes an object directly."""
        self._s3.delete_object(Bucket=BUCKET, Key=key)

    def keys(self, prefix: str) -> list[str]:
        """Returns the names of the objects with a prefix, at most a thousand."""
        found = self._s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [item["Key"] for item in found.get("Contents", [])]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
