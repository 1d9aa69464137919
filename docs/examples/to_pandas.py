"""The leaderboard as a table: a pandas.DataFrame over the API, and a Parquet file with the units in its columns.

pip install pandas pyarrow
python to_pandas.py board.parquet
"""

import sys

import pandas as pd
import pyarrow.parquet as pq

from gpuagent.client import Client


def main(file: str) -> None:
    with Client() as client:
        columns = ["tokens_per_joule", "throughput_tokens_per_s", "ttft_ms_p90"]
        frame = pd.DataFrame(client.benchmarks.rows(columns=columns, view="all"))
        print(frame.groupby("hardware")["tokens_per_joule"].describe())

        client.benchmarks.export(file, file_format="parquet", view="all")
        table = pq.read_table(file)
        unit = (table.schema.field("tokens_per_joule").metadata or {}).get(b"unit", b"").decode()
        print(f"{table.num_rows} rows; tokens_per_joule is in {unit}")


if __name__ == "__main__":
    main(sys.argv[1])
