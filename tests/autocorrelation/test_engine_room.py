"""What the engine promises beside numbers: a first local Moran compiles nothing, a Dask cluster changes nothing."""

import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest

from kazgeo.autocorrelation import geary, local_geary, local_moran, losh, moran
from kazgeo.weights import Weights


def test_a_first_local_moran_compiles_nothing():
    code = """
        import sys
        import pandas as pd
        from kazgeo.autocorrelation import local_moran
        from kazgeo.weights import Weights
        ids = range(500)
        w = Weights.from_pairs(ids, [(i, i + d) for d in (1, 20) for i in range(500 - d)])
        found = local_moran(pd.Series([float(i * i % 97) for i in ids]), w, rng=1)
        assert found.n_tests == 500
        assert "numba" not in sys.modules, "local Moran loaded the compiler"
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_gives_the_same_numbers():
    distributed = pytest.importorskip("distributed", reason="needs kazgeo[dask]")
    rng = np.random.default_rng(3)
    rows, cols = np.nonzero(rng.random((60, 60)) < 0.1)
    weights = Weights.from_arrays(pd.RangeIndex(60), rows, cols, rng.uniform(0.5, 2, len(rows)))
    y = pd.Series(rng.normal(size=60))
    options = {"permutations": 999, "rng": 5}
    with distributed.Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
        far = {"executor": client.get_executor(), **options}
        for whole in (moran, geary):
            assert whole(y, weights, **far).to_frame().equals(whole(y, weights, **options).to_frame())
        for local, more in ((local_moran, {}), (local_moran, {"draws": "independent"}), (local_geary, {}), (losh, {})):
            one, two = (local(y, weights, **more, **given).to_frame() for given in (options, far))
            pd.testing.assert_frame_equal(one, two, check_exact=True)
