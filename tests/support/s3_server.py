"""An S3 server of this machine, with one bucket, that can go away and come back."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat
from cryptography.x509.oid import NameOID
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.server import ThreadedMotoServer
from werkzeug.serving import make_server

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


@contextmanager
def over_tls(folder: Path) -> Iterator[tuple[str, Path]]:
    """The same store over TLS: its address, and the certificate that proves it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kho")])
    address = x509.IPAddress(ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    proof, secret = folder / "kho.pem", folder / "kho.key"
    proof.write_bytes(certificate.public_bytes(Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    app = DomainDispatcherApplication(create_backend_app)
    server = make_server(
        "127.0.0.1", 0, app, threaded=True, ssl_context=(str(proof), str(secret)),
        request_handler=MotoRequestHandler,
    )  # fmt: skip
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}", proof
    finally:
        server.shutdown()
        thread.join(30)
