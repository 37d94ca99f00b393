"""Debian's Orthanc, a PACS that is not ours, and the programs that judge what it holds."""

import json
import shutil
import subprocess
from contextlib import contextmanager
from urllib.request import Request, urlopen

import pytest

from pipeline.node.addresses import Address
from tests.node.processes import free_port, is_open, wait_until

needs_programs = pytest.mark.skipif(
    not all(map(shutil.which, ("Orthanc", "dsrdump", "dciodvfy"))),
    reason="`make pacs` installs Orthanc, dcmtk and dicom3tools",
)


class Orthanc:
    """What a test asks of a running Orthanc."""

    def __init__(self, folder, node_port):
        self.folder, self.http, self.dicom = folder, free_port(), free_port()
        self.address = Address("127.0.0.1", self.dicom, "ORTHANC")
        self.settings = {
            "Name": "ORTHANC", "DicomAet": "ORTHANC", "StorageDirectory": str(folder / "db"),
            "HttpPort": self.http, "DicomPort": self.dicom, "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False, "DicomModalities": {
                "node": {"AET": "NODE", "Host": "127.0.0.1", "Port": node_port, "Timeout": 60},
            },
            "Plugins": [], "OverwriteInstances": False,
        }  # fmt: skip

    def ask(self, path, body=None):
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        with urlopen(Request(f"http://127.0.0.1:{self.http}/{path}", data=data)) as answer:
            return answer.read()

    def keep(self, path):
        self.ask("instances", path.read_bytes())

    def studies(self):
        return json.loads(self.ask("studies"))

    def send_to_node(self, study):
        """Send a study with all that it holds; return how many objects were not taken."""
        sent = json.loads(self.ask("modalities/node/store", {"Resources": [study]}))
        return sent["FailedInstancesCount"]

    def reports(self):
        query = {"Level": "Instance", "Query": {"Modality": "SR"}}
        return json.loads(self.ask("tools/find", query))

    def save(self, instance):
        path = self.folder / f"{instance}.dcm"
        path.write_bytes(self.ask(f"instances/{instance}/file"))
        return path


@contextmanager
def orthanc(folder, node_port):
    """An Orthanc that knows a node at a port of this machine."""
    folder.mkdir()
    found = Orthanc(folder, node_port)
    (folder / "orthanc.json").write_text(json.dumps(found.settings))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["Orthanc", folder / "orthanc.json"], stdout=log, stderr=log)
    try:
        wait_until(lambda: is_open(found.http) and is_open(found.dicom))
        yield found
    finally:
        process.terminate()
        process.wait()


def dumped(path):
    """A report as dcmtk prints it; dcmtk states an error where it cannot, and succeeds."""
    command = ["dsrdump", "+Pl", "+U8", path]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "E:" not in found.stderr, found.stderr
    return found.stdout


def faults(path):
    """What dicom3tools finds wrong with an object; it also warns, of private codes for example."""
    found = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
    lines = [line for line in (found.stdout + found.stderr).splitlines() if "Error" in line]
    return lines or ([] if found.returncode == 0 else ["it failed"])
