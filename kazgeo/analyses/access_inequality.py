"""How unequal access is between people: Gini, Palma, Theil, concentration along a standing, poverty of access."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Number, Output, Units
from kazgeo.messages import mark

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message
    from kazgeo.style import Chart, Style


class Concentration(StrEnum):
    """Form of the concentration index; the corrections are for what has a largest possible value."""

    UNCORRECTED = "uncorrected"
    ERREYGERS = "erreygers"
    WAGSTAFF = "wagstaff"


class Better(StrEnum):
    """Whether more of it is better (jobs in reach) or less (travel time)."""

    MORE = "more"
    LESS = "less"


#: How results are worded where more is better, and where less is.
_WORDS = {
    Better.MORE: {
        "figure": mark("access"),
        "to_mean": mark("access, mean of the people = 100"),
        "quarter": mark("missed by up to a quarter"),
        "half": mark("missed by up to a half"),
        "more": mark("missed by more than a half"),
        "chart": mark("How access is shared among people"),
        "share": mark("share of access, %"),
        "extremes": mark(
            "Access is {mean} on average; Gini {gini}, Theil {theil}. The tenth with the highest figures has {palma}"
            " times the mean of the two fifths with the lowest."
        ),
        "by income": mark(
            "Access is {mean} on average; Gini {gini}, Theil {theil}. The richest tenth has {palma} times the mean of"
            " the poorest two fifths."
        ),
        "zero": mark(
            "Access is {mean} on average; Gini {gini}, Theil {theil}. The lowest two fifths have 0: no Palma ratio."
        ),
    },
    Better.LESS: {
        "figure": mark("time or cost of the way"),
        "to_mean": mark("time or cost of the way, mean of the people = 100"),
        "quarter": mark("exceeded by up to a quarter"),
        "half": mark("exceeded by up to a half"),
        "more": mark("exceeded by more than a half"),
        "chart": mark("How time or cost of the way is shared among people"),
        "share": mark("share of the sum, %"),
        "extremes": mark(
            "Time or cost of the way is {mean} on average; Gini {gini}, Theil {theil}. The tenth worst off has {palma}"
            " times the mean of the two fifths best off."
        ),
        "by income": mark(
            "Time or cost of the way is {mean} on average; Gini {gini}, Theil {theil}. The richest tenth has {palma}"
            " times the mean of the poorest two fifths."
        ),
        "zero": mark(
            "Time or cost of the way is {mean} on average; Gini {gini}, Theil {theil}. The two fifths best off have 0:"
            " no Palma ratio."
        ),
    },
}


@dataclass(frozen=True, eq=False)
class _Given:
    """Columns of the layer as numbers.

    Parameters
    ----------
    access, people : Series
        What is distributed, and the weight.
    better : Better
        Which way is good.
    standing, group : Series or None
        What people are ranked by; the units' groups.
    line : float or None
        Standard of access.
    form, bounds : Concentration and tuple of float
        Form of the concentration index; smallest and largest possible access, none: those that are found.
    """

    access: pd.Series
    people: pd.Series
    better: Better
    standing: pd.Series | None
    group: pd.Series | None
    line: float | None
    form: Concentration
    bounds: tuple[float, float] | None


@analysis(
    "Accessibility",
    Output(
        "layer", "vector", "Access against the mean", ("to_mean_percent",), like="units",
        sometimes=("access_poverty", "gap_percent"),
    ),
    Output("measures", "table", "Measures of inequality", ("measure", "value")),
    Output("groups", "table", "Access by group"),
    Output("gini", "number", "Gini of access"),
    Output("palma", "number", "Palma ratio of access"),
    Output("theil", "number", "Theil of access"),
    Output("poor_percent", "number", "People below the standard, percent"),
    tags=("Gini", "Palma", "Theil", "Lorenz curve", "concentration index", "Foster-Greer-Thorbecke", "equity"),
)  # fmt: skip
def access_inequality(
    units: Units,
    access: Annotated[str, Field("units")],
    population: Annotated[str, Field("units")],
    *,
    better: Better = Better.MORE,
    line: Annotated[float, Number(1e-9, 1e12)] | None = None,
    income: Annotated[str, Field("units")] | None = None,
    concentration: Concentration = Concentration.UNCORRECTED,
    bounds: str = "",
    group: Annotated[str, Field("units", numeric=False)] | None = None,
) -> Outcome:
    """How unequally access is shared among people: Gini, Palma, Theil, concentration index, poverty of access.

    Every person is taken to have the access of the unit. Gini and Theil are 0 when all have the same. With a group,
    Theil is split into what lies between groups and within them. With incomes, the concentration index tells whether
    the rich (above 0) or the poor (below 0) have more, and Palma compares the richest tenth with the poorest two
    fifths; without incomes Palma compares the people of most and of least access. With a standard, the measures of
    Foster, Greer and Thorbecke tell how many are short of it (order 0), how far (1), and how far with weight on the
    farthest (2). Units without a value take no part: where unreachable places have none, inequality is larger than it
    looks.

    Parameters
    ----------
    units : polygons or points
        Regions or settlements.
    access : str
        Column of access: opportunities in reach, capacity per head, or a travel time; at least 0.
    population : str
        Column of inhabitants, the weight.
    better : Better
        more: as opportunities. less: as travel time.
    line : float
        Standard of access in the unit of the column: who has less (or travels longer) is short of it.
    income : str
        Column of income per head or any other standing that people are ranked by.
    concentration : Concentration
        Form of the concentration index by income. Of a share, which can't exceed 100 %, the uncorrected form
        depends on the mean; erreygers and wagstaff mend that.
    bounds : str
        For erreygers and wagstaff: smallest and largest possible access, such as "0, 100"; those found when empty.
    group : str
        Column of the units' groups, such as the region.
    """
    import pandas as pd

    from kazgeo.analyses.columns import numeric
    from kazgeo.analyses.outcome import Outcome, told
    from kazgeo.disparity import gini
    from kazgeo.errors import InputError
    from kazgeo.style import TooltipField

    given = _Given(
        numeric(units, access),
        numeric(units, population),
        Better(str(better)),
        numeric(units, income) if income is not None else None,
        units[group] if group is not None else None,
        line,
        *_form(concentration, bounds, income),
    )
    whole = gini(given.access, given.people)
    if whole.n < 2:
        raise InputError(
            f"access_inequality wants at least 2 units with '{access}' and '{population}'; got {whole.n} of"
            f" {len(units)}"
        )
    measures, groups = _measures(given)
    layer = units.copy()
    layer["to_mean_percent"] = (
        100 * given.access / measures["mean_access"] if measures["mean_access"] > 0 else float("nan")
    )
    if line is not None:
        layer["gap_percent"] = _gap(given)
        layer["access_poverty"] = _poverty(layer["gap_percent"])
    tables = {"measures": pd.DataFrame({"measure": list(measures), "value": list(measures.values())})}
    if groups is not None:
        tables["groups"] = groups
    return Outcome(
        (*_findings(given, measures, groups), *_without(given), *told(whole.dropped)),
        layer=layer,
        tables=tables,
        numbers={
            "gini": measures["gini"],
            "palma": measures.get("palma", measures.get("palma_income", float("nan"))),
            "theil": measures["theil"],
            "poor_percent": 100 * measures.get("fgt0", float("nan")),
        },
        style=_style_of(given),
        fields=(
            TooltipField(access, _WORDS[given.better]["figure"], "", 1),
            TooltipField("to_mean_percent", _WORDS[given.better]["to_mean"], "%", 0),
        ),
        charts=_charts(given),
        dropped=whole.dropped,
        size_column=population if (units.geom_type.dropna() == "Point").any() else None,
    )


#: What the library calls the forms.
_FORMS = {
    Concentration.UNCORRECTED: "standard",
    Concentration.ERREYGERS: "erreygers",
    Concentration.WAGSTAFF: "wagstaff",
}


def _form(form: Concentration, bounds: str, income: str | None) -> tuple[Concentration, tuple[float, float] | None]:
    """Return the form of the concentration index and its bounds; refuse what would have no effect."""
    from kazgeo.analyses.texts import numbers
    from kazgeo.errors import InputError

    how, found = Concentration(str(form)), numbers(bounds, "access_inequality: bounds")
    if how is not Concentration.UNCORRECTED and income is None:
        raise InputError(
            f"concentration '{how}' has no effect without income; name the column that people are ranked by"
        )
    if found is None:
        return how, None
    if how is Concentration.UNCORRECTED:
        raise InputError("bounds have no effect on the uncorrected form; set concentration to erreygers or wagstaff")
    if len(found) != 2 or found[0] >= found[1]:
        raise InputError(f"access_inequality: bounds must be two numbers, the smaller first; got {bounds!r}")
    return how, (found[0], found[1])


def _measures(given: _Given) -> tuple[dict[str, float], pd.DataFrame | None]:
    """Return all measures by their codes, and the table of groups."""
    from kazgeo.analyses.reach import weighted_mean
    from kazgeo.disparity import (
        concentration_index,
        foster_greer_thorbecke,
        gini,
        palma_ratio,
        theil,
        theil_decomposition,
    )

    x, people = given.access, given.people
    out = {
        "mean_access": weighted_mean(x, people),
        "gini": float(gini(x, people)),
        "theil": float(theil(x, people, zeros="limit")) if x.max() > 0 else float("nan"),
    }
    groups = None
    if given.group is not None and x.max() > 0:
        split = theil_decomposition(x, given.group, people, zeros="limit")
        out |= {"theil_between": split.between, "theil_within": split.within}
        groups = _groups(split.groups, given)
    if given.standing is None:
        out["palma"] = float(palma_ratio(x, x, people))
    else:
        out["palma_income"] = float(palma_ratio(x, given.standing, people))
        out["concentration_index"] = float(
            concentration_index(x, given.standing, people, form=_FORMS[given.form], bounds=given.bounds)
        )
    if given.line is not None:
        poor = foster_greer_thorbecke(x, people, line=given.line, poor=_side(given))
        out |= {"fgt0": poor.fgt0, "fgt1": poor.fgt1, "fgt2": poor.fgt2}
    return out, groups


def _side(given: _Given) -> str:
    """Return on which side of the line people are poor."""
    return "below" if given.better is Better.MORE else "above"


def _groups(table: pd.DataFrame, given: _Given) -> pd.DataFrame:
    """Return people, mean access, inequality inside and poverty of every group, the best access first."""
    import pandas as pd

    out = pd.DataFrame({
        "units": table["n"].astype(int),
        "population_percent": 100 * table["population_share"],
        "mean_access": table["mean"],
        "theil": table["theil"],
    })  # fmt: skip
    if given.line is not None and given.group is not None:
        known = given.access.notna() & given.people.notna()
        weight = given.people.where(known, 0.0)
        whole = weight.groupby(given.group).sum()
        out["poor_percent"] = (
            100 * weight.where(_gap(given) > 0, 0.0).groupby(given.group).sum() / whole.where(whole > 0)
        )
    rising = given.better is Better.LESS
    return out.rename_axis("group").sort_values("mean_access", ascending=rising, kind="stable").reset_index()


def _gap(given: _Given) -> pd.Series:
    """Return how far units are from the standard, percent of it; 0 for those that meet it."""
    assert given.line is not None
    sign = 1 if given.better is Better.MORE else -1
    return (100 * sign * (given.line - given.access) / given.line).clip(lower=0.0)


def _poverty(gap: pd.Series) -> pd.Series:
    """Return classes of the gap."""
    import numpy as np
    import pandas as pd

    codes = np.array(["enough", "short-quarter", "short-half", "short-more"], dtype=object)
    place = np.searchsorted([0.0, 25.0, 50.0], gap.to_numpy())
    return pd.Series(codes[place], index=gap.index).where(gap.notna(), None)


def _findings(given: _Given, measures: dict[str, float], groups: pd.DataFrame | None) -> list[Message]:
    """Return who is short of the standard, how unequal access is, between which groups, and who has more."""
    from kazgeo.analyses.reach import figure
    from kazgeo.messages import Message, Num

    out = []
    if given.line is not None:
        template = (
            "{share} of the people are below the standard of {line}; the mean gap of all people is {gap} of it."
            if given.better is Better.MORE
            else "{share} of the people are above the standard of {line}; the mean gap of all people is {gap} of it."
        )
        values = {"share": Num(100 * measures["fgt0"], 1, "%"), "gap": Num(100 * measures["fgt1"], 1, "%")}
        out.append(Message(template, values | {"line": figure(given.line)}))
    palma = measures.get("palma", measures.get("palma_income", float("nan")))
    says = _WORDS[given.better]
    template = says["extremes"] if given.standing is None else says["by income"]
    if palma != palma:
        template = says["zero"]
    values = {
        "mean": figure(measures["mean_access"]),
        "gini": Num(measures["gini"], 3),
        "theil": Num(measures["theil"], 3),
    }
    out.append(Message(template, values | {"palma": figure(palma)}))
    if groups is not None and measures["theil"] > 0:
        between = Num(100 * measures["theil_between"] / (measures["theil_between"] + measures["theil_within"]), 0, "%")
        best, worst = str(groups["group"].iloc[0]), str(groups["group"].iloc[-1])
        out.append(Message("{share} of the inequality (Theil) lies between groups; best off: {best}, worst: {worst}.",
                           {"share": between, "best": best, "worst": worst}))  # fmt: skip
    if "concentration_index" in measures:
        index = measures["concentration_index"]
        template = (
            "Concentration index {index}: the higher the income, the higher the figure."
            if index > 0
            else "Concentration index {index}: the higher the income, the lower the figure."
        )
        out.append(Message(template, {"index": Num(index, 3)}))
    return out


def _without(given: _Given) -> list[Message]:
    """Say how many people have no figure of access, and how many units no group or standing."""
    from kazgeo.messages import Message, Num

    out = []
    lost = given.access.isna() & (given.people > 0)
    if lost.any():
        values = {"people": Num(float(given.people[lost].sum()), 0), "n": int(lost.sum())}
        template = "People without a figure of access, and so not in any measure: {people}, in {n} units."
        out.append(Message(template, values))
    for part, template in (
        (given.group, "Units without a group, left out of its split: {n}."),
        (given.standing, "Units without income, left out of what is ranked by it: {n}."),
    ):
        bare = 0 if part is None else int((part.isna() & given.access.notna()).sum())
        if bare:
            out.append(Message(template, {"n": bare}))
    return out


def _style_of(given: _Given) -> Style:
    """Return classes of the gap to the standard, or of access against the mean."""
    from kazgeo.style import PURPLE_ORANGE, categorical, graduated

    says = _WORDS[given.better]
    if given.line is not None:
        return categorical(
            "access_poverty",
            "standard of access",
            [
                ("enough", "met", "#c7e9b4"),
                ("short-quarter", says["quarter"], "#fed976", "//"),
                ("short-half", says["half"], "#fd8d3c", "\\\\"),
                ("short-more", says["more"], "#bd0026", "xx"),
            ],
        )
    colors = PURPLE_ORANGE if given.better is Better.LESS else PURPLE_ORANGE[::-1]
    limits = [0, 50, 80, 125, 200, float("inf")]
    return graduated("to_mean_percent", says["to_mean"], limits, colors)


def _charts(given: _Given) -> tuple[Chart, ...]:
    """Return the Lorenz curve and, with a standing, the concentration curve."""
    import pandas as pd

    from kazgeo.style import Chart

    lorenz = _curve(given.access, given.access, given.people)
    if lorenz is None:
        return ()
    curves = {"lorenz": lorenz, "equality": pd.Series(lorenz.index, index=lorenz.index)}
    labels = {"lorenz": mark("Lorenz curve"), "equality": mark("all alike"), "concentration": mark("by income")}
    if given.standing is not None:
        curve = _curve(given.access, given.standing, given.people)
        if curve is not None:
            curves["concentration"] = curve
    return (
        Chart(
            "lines",
            pd.DataFrame(curves),
            _WORDS[given.better]["chart"],
            _WORDS[given.better]["share"],
            tuple((name, labels[name]) for name in curves),
            tuple(name for name in curves if name != "equality"),
            across="share of people, from the lowest, %",
        ),
    )


def _curve(x: pd.Series, order: pd.Series, people: pd.Series) -> pd.Series | None:
    """Return the share of access of the first people in an order, percent, at every half percent of people.

    Examples
    --------
    >>> import pandas as pd
    >>> x = pd.Series([3.0, 1.0, None])
    >>> _curve(x, x, pd.Series([1.0, 1.0, 1.0])).loc[[0.0, 50.0, 75.0, 100.0]].tolist()
    [0.0, 25.0, 62.5, 100.0]
    >>> _curve(x * 0, x, pd.Series([1.0, 1.0, 1.0])) is None
    True
    """
    import numpy as np
    import pandas as pd

    table = pd.DataFrame({"order": order, "people": people, "access": x * people}).dropna()
    sums = table.groupby("order")[["people", "access"]].sum().cumsum()
    if not len(sums) or not (sums.iloc[-1] > 0).all():
        return None
    at = np.linspace(0, 100, 201)
    share = 100 * np.r_[np.zeros((1, 2)), (sums / sums.iloc[-1]).to_numpy()]
    return pd.Series(np.interp(at, share[:, 0], share[:, 1]), index=at)
