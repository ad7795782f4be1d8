"""An S3 server of this machine, with one bucket, that can go away and come back."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import boto3
import requests
from moto.server import ThreadedMotoServer

from config.settings import ObjectStorage

NAME = "ban-ghi"


class S3Server:
    """What it holds stays while it is away."""

    def __init__(self) -> None:
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self._port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self._port}"
        self._server: ThreadedMotoServer | None = None
        self.come()

    def come(self) -> None:
        self._server = ThreadedMotoServer("127.0.0.1", self._port, verbose=False)
        self._server.start()

    def go(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None

    def clear(self) -> None:
        """Nothing but an empty bucket."""
        requests.post(f"{self.url}/moto-api/reset", timeout=30).raise_for_status()
        self.client().create_bucket(Bucket=NAME)

    def client(self, service: str = "s3", key: str = "khoa", secret: str = "bi-mat") -> Any:
        return boto3.session.Session().client(
            service, endpoint_url=self.url, region_name="us-east-1",
            aws_access_key_id=key, aws_secret_access_key=secret,
        )  # fmt: skip

    def settings(self, **other: str) -> ObjectStorage:
        facts = {"access_key": "khoa", "secret": "bi-mat", "prefix": "tinh", **other}
        return ObjectStorage(endpoint=self.url, bucket=NAME, **facts)

    def keys(self) -> list[str]:
        found = self.client().list_objects_v2(Bucket=NAME).get("Contents", [])
        return [one["Key"] for one in found]

    @contextmanager
    def believing_only_keys_of_its_own(self) -> Iterator[tuple[str, str]]:
        """Signatures are checked from now on; gives the key and the secret that are right."""
        iam = self.client("iam")
        iam.create_user(UserName="may-ghi")
        allowed = (
            '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
        )
        iam.put_user_policy(UserName="may-ghi", PolicyName="tat-ca", PolicyDocument=allowed)
        made = iam.create_access_key(UserName="may-ghi")["AccessKey"]
        requests.post(f"{self.url}/moto-api/reset-auth", data=b"0", timeout=30).raise_for_status()
        try:
            yield made["AccessKeyId"], made["SecretAccessKey"]
        finally:
            requests.post(f"{self.url}/moto-api/reset-auth", data=b"inf", timeout=30)
