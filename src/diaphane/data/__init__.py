"""What goes in: built-in sets, generators with a known law, files, targets, splits, columns as features.

Nothing else of the library is imported here, and the large libraries only by the functions that need them.

>>> from diaphane.data import ColumnEncoder, choose_target, load, split_rows
>>> table = load("iris")
>>> target = choose_target(table)
>>> features = table.drop([target.name]).take(target.rows)
>>> split = split_rows(target.y, stratify=True, random_state=0)
>>> encoder = ColumnEncoder.fit(features.take(split.train))
>>> encoder.transform(features.take(split.test)).shape
(30, 4)
"""

from diaphane.data.builtin import BUILT_IN, is_built_in, load
from diaphane.data.columns import ColumnEncoder
from diaphane.data.errors import DataError, MissingExtraError
from diaphane.data.generators import bayes_error, circles, gaussians, moons, spirals, xor
from diaphane.data.opening import open_stream
from diaphane.data.scaling import TargetScaler
from diaphane.data.sources import read_table
from diaphane.data.split import Split, split_rows
from diaphane.data.stream_target import StreamStatistics
from diaphane.data.streams import NewCategoryWarning, Stream
from diaphane.data.table import Table
from diaphane.data.target import Target, choose_target, encode_labels, infer_task, target_name

__all__ = [
    "BUILT_IN",
    "ColumnEncoder",
    "DataError",
    "MissingExtraError",
    "NewCategoryWarning",
    "Split",
    "Stream",
    "StreamStatistics",
    "Table",
    "Target",
    "TargetScaler",
    "bayes_error",
    "choose_target",
    "circles",
    "encode_labels",
    "gaussians",
    "infer_task",
    "is_built_in",
    "load",
    "moons",
    "open_stream",
    "read_table",
    "spirals",
    "split_rows",
    "target_name",
    "xor",
]
