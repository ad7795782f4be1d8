"""An authority, somebody it certified, and a pen: PDFs signed as an official's token would."""

from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko_certvalidator.registry import SimpleCertificateStore

BEGAN = datetime(2020, 1, 1, tzinfo=UTC)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """A root of its own, and one certified official."""

    def __init__(self, name: str, official: str) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.root = self._certificate(_name(name), _name(name), key.public_key(), key, ca=True)
        self._own_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._own = self._certificate(
            _name(official), _name(name), self._own_key.public_key(), key, ca=False
        )

    @staticmethod
    def _certificate(
        subject: x509.Name, issuer: x509.Name, key: rsa.RSAPublicKey, signing: rsa.RSAPrivateKey,
        *, ca: bool,
    ) -> x509.Certificate:  # fmt: skip
        usage = x509.KeyUsage(
            digital_signature=not ca, content_commitment=not ca, key_cert_sign=ca, crl_sign=ca,
            key_encipherment=False, data_encipherment=False, key_agreement=False,
            encipher_only=False, decipher_only=False,
        )  # fmt: skip
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(BEGAN)
            .not_valid_after(BEGAN + timedelta(days=36500))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()),
                critical=False,
            )
            .sign(signing, hashes.SHA256())
        )

    def pem(self) -> bytes:
        """The root as the administrator installs it."""
        return self.root.public_bytes(serialization.Encoding.PEM)

    def sign(self, pdf: bytes) -> bytes:
        """``pdf`` with a PAdES signature of the official."""
        der = serialization.Encoding.DER
        key = self._own_key.private_bytes(
            der, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        store = SimpleCertificateStore()
        store.register(asn1_x509.Certificate.load(self.root.public_bytes(der)))
        signer = signers.SimpleSigner(
            signing_cert=asn1_x509.Certificate.load(self._own.public_bytes(der)),
            signing_key=asn1_keys.PrivateKeyInfo.load(key),
            cert_registry=store,
        )
        meta = signers.PdfSignatureMetadata(field_name="Ky", subfilter=SigSeedSubFilter.PADES)
        out = signers.sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)), meta, signer=signer)
        return bytes(out.getvalue())


@cache
def authority(name: str = "Ban Cơ yếu (mẫu)", official: str = "Nguyễn Văn An") -> Authority:
    """One for the session: keys take time to make."""
    return Authority(name, official)
