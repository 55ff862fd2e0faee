"""Certificates for hostile_cases.py, made on the spot with openssl."""
import os
import subprocess

CONF = """[ca]
default_ca = d
[d]
database = %(dir)s/index
serial = %(dir)s/serial
new_certs_dir = %(dir)s
default_md = sha256
policy = p
unique_subject = no
copy_extensions = none
[p]
commonName = supplied
[req]
distinguished_name = dn
prompt = no
[dn]
CN = x
"""
GOOD = "subjectAltName = IP:127.0.0.1,DNS:localhost\n"
# name: (subject, extensions, from, until, issuer, key, digest)
LEAVES = {
    "good": ("localhost", GOOD, None, None, "ca", None, None),
    "expired": ("localhost", GOOD, "200101000000Z", "210101000000Z", "ca", None,
                None),
    "not-yet": ("localhost", GOOD, "450101000000Z", "460101000000Z", "ca", None,
                None),
    "wrong-name": ("localhost", "subjectAltName = DNS:other.example.org\n",
                   None, None, "ca", None, None),
    "wrong-address": ("localhost", "subjectAltName = IP:127.0.0.2\n", None,
                      None, "ca", None, None),
    "address-as-name": ("127.0.0.1", "subjectAltName = DNS:127.0.0.1\n", None,
                        None, "ca", None, None),
    "name-only-in-cn": ("127.0.0.1", "basicConstraints = CA:FALSE\n", None,
                        None, "ca", None, None),
    "cn-beside-names": ("localhost", "subjectAltName = DNS:other.example.org\n",
                        None, None, "ca", None, None),
    "wildcard-all": ("localhost", "subjectAltName = DNS:*\n", None, None, "ca",
                     None, None),
    "wildcard-part": ("localhost", "subjectAltName = DNS:l*\n", None, None,
                      "ca", None, None),
    "wildcard-address": ("localhost", "subjectAltName = DNS:*.0.0.1\n", None,
                         None, "ca", None, None),
    # DNS:localhost\0.example.org
    "nul-in-name": ("localhost", "subjectAltName = DER:30:18:82:16:6c:6f:63:61:"
                    "6c:68:6f:73:74:00:2e:65:78:61:6d:70:6c:65:2e:6f:72:67\n",
                    None, None, "ca", None, None),
    "client-use": ("localhost", GOOD + "extendedKeyUsage = clientAuth\n", None,
                   None, "ca", None, None),
    "mail-use": ("localhost", GOOD + "extendedKeyUsage = emailProtection\n",
                 None, None, "ca", None, None),
    "signing-only": ("localhost", GOOD + "keyUsage = critical,keyCertSign\n",
                     None, None, "ca", None, None),
    "self-signed": ("localhost", GOOD, None, None, "self", None, None),
    "other-ca": ("localhost", GOOD, None, None, "other", None, None),
    "by-a-leaf": ("localhost", GOOD, None, None, "good", None, None),
    "by-expired": ("localhost", GOOD, None, None, "old-middle", None, None),
    "weak-rsa": ("localhost", GOOD, None, None, "ca", "rsa:1024", None),
    "sha1": ("localhost", GOOD, None, None, "ca", None, "sha1"),
    "critical-unknown": ("localhost", GOOD + "1.2.3.4 = critical,DER:05:00\n",
                         None, None, "ca", None, None),
    "constrained": ("localhost", GOOD, None, None, "narrow", None, None),
}
MIDDLES = {
    "old-middle": ("basicConstraints = critical,CA:TRUE\n", "200101000000Z",
                   "210101000000Z"),
    "narrow": ("basicConstraints = critical,CA:TRUE\n"
               "nameConstraints = critical,permitted;DNS:.example.org,"
               "excluded;IP:127.0.0.0/255.0.0.0\n", None, None),
}


def _openssl(*arguments):
    subprocess.run(("openssl",) + arguments, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


class _Maker:
    def __init__(self, top):
        self.top = top
        os.makedirs(top)
        with open(self.file("conf"), "w", encoding="ascii") as file:
            file.write(CONF % {"dir": top})
        with open(self.file("serial"), "w", encoding="ascii") as file:
            file.write("1000\n")
        open(self.file("index"), "w", encoding="ascii").close()

    def file(self, name):
        return os.path.join(self.top, name)

    def request(self, name, subject, key):
        how = ["-newkey", key] if key else \
            ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        _openssl("req", "-new", "-nodes", "-config", self.file("conf"), *how,
                 "-subj", "/CN=" + subject, "-keyout", self.file(name + ".key"),
                 "-out", self.file(name + ".csr"))

    def sign(self, name, extensions, since, until, issuer, digest):
        with open(self.file(name + ".ext"), "w", encoding="ascii") as file:
            file.write("[e]\n" + extensions)
        signer = name if issuer == "self" else issuer
        crt = [] if issuer == "self" else ["-cert", self.file(issuer + ".crt")]
        _openssl("ca", "-batch", "-notext", "-config", self.file("conf"),
                 *(["-selfsign"] if issuer == "self" else crt),
                 "-keyfile", self.file(signer + ".key"),
                 "-md", digest or "sha256",
                 "-startdate", since or "240101000000Z",
                 "-enddate", until or "440101000000Z",
                 "-extfile", self.file(name + ".ext"), "-extensions", "e",
                 "-in", self.file(name + ".csr"),
                 "-out", self.file(name + ".crt"))


def make(top):
    """name -> a file with key and chain; "ca" -> the authority's."""
    maker = _Maker(top)
    for name in ("ca", "other"):
        maker.request(name, name, None)
        maker.sign(name, "basicConstraints = critical,CA:TRUE\n", None, None,
                   "self", None)
    for name, (extensions, since, until) in MIDDLES.items():
        maker.request(name, name, None)
        maker.sign(name, extensions, since, until, "ca", None)
    files = {"ca": maker.file("ca.crt")}
    for name, leaf in LEAVES.items():
        subject, extensions, since, until, issuer, key, digest = leaf
        maker.request(name, subject, key)
        maker.sign(name, extensions, since, until, issuer, digest)
        files[name] = maker.file(name + ".pem")
        chain = [name + ".key", name + ".crt"]
        if issuer in MIDDLES or issuer == "good":
            chain.append(issuer + ".crt")
        with open(files[name], "w", encoding="ascii") as out:
            for part in chain:
                with open(maker.file(part), encoding="ascii") as file:
                    out.write(file.read())
    return files


def fingerprint(path):
    text = subprocess.run(["openssl", "x509", "-in", path, "-noout",
                           "-fingerprint", "-sha256"], check=True,
                          capture_output=True, text=True).stdout
    return "sha256:" + text.strip().split("=")[1]
