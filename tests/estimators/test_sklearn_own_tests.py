"""scikit-learn's own installed tests of its multi-layer perceptrons, with nothing changed but the import."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import sklearn.neural_network

THEIRS = "from sklearn.neural_network import MLPClassifier, MLPRegressor\n"
OURS = "from diaphane.estimators import MLPClassifier, MLPRegressor\n"
READS_PRIVATE_ATTRIBUTES = {
    "test_fit",
    "test_gradient",
    "test_learning_rate_warmstart",
    "test_adaptive_learning_rate",
}
CONFTEST = """
import pytest

@pytest.fixture
def global_random_seed():
    return 42
"""


def outcomes(report):
    """Each test's function, and whether it failed, from a JUnit report."""
    return [
        (case.get("name").split("[")[0], case.find("failure") is not None or case.find("error") is not None)
        for case in ElementTree.parse(report).iter("testcase")
    ]


def test_all_but_those_that_read_private_attributes_pass(tmp_path):
    source = (Path(sklearn.neural_network.__file__).parent / "tests" / "test_mlp.py").read_text(encoding="utf-8")
    assert source.count(THEIRS) == 1
    (tmp_path / "test_theirs.py").write_text(source.replace(THEIRS, OURS), encoding="utf-8")
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-c", "pytest.ini", "--rootdir", str(tmp_path)]
    command += ["-p", "no:cacheprovider", "-p", "no:xdist", "--tb=line", f"--junitxml={report}", "test_theirs.py"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert report.exists(), ran.stdout + ran.stderr
    cases = outcomes(report)
    failed = {name for name, bad in cases if bad}
    passed = {name for name, bad in cases if not bad}
    assert len(cases) > 50, f"only {len(cases)} tests were found"
    assert failed == READS_PRIVATE_ATTRIBUTES, (
        f"{len(failed)} of {len({name for name, _ in cases})} of scikit-learn's tests fail. "
        f"Beside the {len(READS_PRIVATE_ATTRIBUTES)} that read private attributes: "
        f"{sorted(failed - READS_PRIVATE_ATTRIBUTES) or 'none'}; "
        f"of those, passing now (take them off the list): {sorted(READS_PRIVATE_ATTRIBUTES & passed) or 'none'}\n"
        f"{ran.stdout[-3000:]}"
    )
