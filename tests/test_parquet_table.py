import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import InputError
from pipeline.parquet_table import MAX_CELL, read_parquet


@pytest.mark.parametrize("as_dictionary", [False, True])
def test_refuses_a_small_file_whose_one_cell_is_huge(tmp_path, as_dictionary):
    cells = pa.array(["x" * (MAX_CELL + 1), "ill"])
    column = cells.dictionary_encode() if as_dictionary else cells
    path = tmp_path / "labels.parquet"
    pq.write_table(pa.table({"label": column}), path, compression="zstd")
    assert path.stat().st_size < 100_000
    with pytest.raises(InputError, match=r"column 'label': at most 10,000,000 bytes in a cell"):
        read_parquet(path)


def test_reads_a_cell_of_the_greatest_length(tmp_path):
    path = tmp_path / "fitted.parquet"
    pq.write_table(pa.table({"parameters": ["x" * MAX_CELL, None]}), path, compression="zstd")
    assert read_parquet(path).num_rows == 2
