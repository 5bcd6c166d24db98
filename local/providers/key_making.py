"""Making what the local providers identify themselves with: done once, and again for what is missing or expires."""

from __future__ import annotations

import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from local.providers.keys import Keys
from local.stack import replace_file

# The longest that all clients accept.
VALID = dt.timedelta(days=825)
RENEWED_BEFORE = dt.timedelta(days=30)
PRIVATE = 0o600


def prepare(folder: Path) -> Keys:
    """The keys of this folder, with whatever is missing or about to expire made anew."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    keys = Keys(folder)
    if not keys.fcm_file.exists():
        _write(keys.fcm_file, _pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)))
    if not keys.apns_file.exists():
        _write(keys.apns_file, _pem(ec.generate_private_key(ec.SECP256R1())))
    if not _is_valid(keys.server_file):
        _write(keys.server_file, _server())
    certificates = x509.load_pem_x509_certificates(keys.server_file.read_bytes())
    # Derived each time: the two never disagree, whenever an earlier start was killed.
    replace_file(keys.ca_file, _certificate_pem(certificates[-1]))
    return keys


def _is_valid(server_file: Path) -> bool:
    try:
        certificates = x509.load_pem_x509_certificates(server_file.read_bytes())
    except (FileNotFoundError, ValueError):
        return False
    renewal = dt.datetime.now(dt.UTC) + RENEWED_BEFORE
    return all(certificate.not_valid_after_utc > renewal for certificate in certificates)


def _server() -> str:
    """A server's key and certificate, and that of the CA that signed it. The CA's key is forgotten: it signs once."""
    ca_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("Parley's local CA")
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    server = (
        _builder(_name("localhost"), ca_name, server_key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    return _pem(server_key) + _certificate_pem(server) + _certificate_pem(ca)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + VALID - dt.timedelta(hours=1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    encoding, kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, kind, serialization.NoEncryption()).decode("ascii")


def public_key(private_file: Path) -> str:
    key = serialization.load_pem_private_key(private_file.read_bytes(), password=None)
    encoding, kind = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(encoding, kind).decode("ascii")


def _certificate_pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def _write(path: Path, text: str) -> None:
    replace_file(path, text, mode=PRIVATE)
