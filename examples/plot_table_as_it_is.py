"""
A table as it is
================

Numbers of any scale, categories, dates, gaps and a column of names go in as they are. What the network made of them,
and which of them it goes by, is asked of it afterwards.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from diaphane.estimators import TabularRegressor
from diaphane.selection import feature_importance, partial_dependence

rng = np.random.default_rng(0)
n = 1500
flats = pd.DataFrame(
    {
        "flat": [f"flat-{i:05}" for i in range(n)],
        "area": rng.lognormal(4.2, 0.4, n).round(1),
        "district": rng.choice(["Centre", "Harbour", "Hill", "North"], n, p=[0.2, 0.2, 0.1, 0.5]),
        "built": rng.integers(1890, 2025, n).astype(float),
        "sold": pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D"),
        "floor": rng.integers(0, 6, n),
        "lift": rng.choice(["yes", "no"], n),
        "currency": "EUR",
    }
)
by_district = flats["district"].map({"Centre": 1.5, "Harbour": 1.2, "Hill": 1.3, "North": 0.8})
stairs = np.where(flats["lift"] == "no", 0.04 * flats["floor"], -0.01 * flats["floor"])
price = 3000 * flats["area"] * by_district * (1 - stairs) * rng.lognormal(0, 0.08, n)
flats.loc[rng.random(n) < 0.15, "built"] = np.nan
flats.loc[rng.random(n) < 0.05, "district"] = None
train, test, paid, truth = train_test_split(flats, price, random_state=0)

model = TabularRegressor(n_members=4, random_state=0).fit(train, paid)
print(f"R² on new flats: {model.score(test, truth):.3f}")
print(model.describe_columns())

# %%
# How much worse the predictions get when a column is shuffled, on rows that were not learnt from.
importance = feature_importance(model, test, truth, random_state=0)
print(importance)
importance.plot()

# %%
# What the network thinks a flat costs as its area grows, all else as it is in the table.
partial_dependence(model, test, "area").plot()
plt.show()
