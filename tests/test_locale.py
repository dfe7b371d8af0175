"""The Russian and Kazakh catalogues: complete, with the same holes, in the right letters."""

from __future__ import annotations

import csv
import re
import string
from dataclasses import replace
from functools import cache

import msgids
import pytest
from babel.messages.pofile import read_po

from kazgeo import project as projects
from kazgeo.locale import LANGUAGES, speaker
from kazgeo.messages import Message, Names, Num, Term

LOCALE = msgids.PACKAGE / "locale"
TRANSLATED = ("ru", "kk")
KAZAKH = set("әғқңөұүһі")
RUSSIAN = set("абвгдеёжзийклмнопрстуфхцчшщъыьэюя")
#: Latin words that a translation may have although its English text has not: abbreviations without a translation.
LATIN = {"fdr", "gi", "i", "p", "t", "z", "qgis", "csv", "kato", "python", "wheel"}
#: A stop that belongs to the last word: degrees of latitude and longitude, "people".
ABBREVIATION = re.compile(r"(°|\{degrees\}) \w\. \w\.$|^чел\.$")
LETTER = re.compile(r"[^\W\d_]+")


@cache
def catalogue(language: str) -> dict[str, str]:
    with (LOCALE / f"{language}.po").open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file, locale=language) if m.id}


@cache
def wanted() -> frozenset[str]:
    return frozenset().union(*msgids.sections().values())


def holes(text: str) -> list[str]:
    return sorted({name for _, name, _, _ in string.Formatter().parse(text) if name is not None})


def without_holes(text: str) -> str:
    return re.sub(r"\{\w*\}", " ", text)


def every(language: str) -> list[tuple[str, str]]:
    return sorted(catalogue(language).items())


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated_and_none_is_stale(language):
    have = {text for text, told in catalogue(language).items() if told.strip()}
    assert sorted(wanted() - have) == [], "run python tests/msgids.py"
    assert sorted(set(catalogue(language)) - wanted()) == [], "run python tests/msgids.py"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_stands_once_and_none_is_fuzzy(language):
    with (LOCALE / f"{language}.po").open(encoding="utf-8") as file:
        ids = [line for line in file if line.startswith("msgid ")]
    assert len(ids) == len(set(ids))
    with (LOCALE / f"{language}.po").open("rb") as file:
        assert [m.id for m in read_po(file, locale=language) if m.id and (m.fuzzy or m.pluralizable)] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_holes_are_those_of_the_english_text(language):
    assert [(e, t) for e, t in every(language) if holes(e) != holes(t)] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_template_takes_its_values(language):
    say = speaker(language).say
    for english, told in every(language):
        values = {name: f"<{i}>" for i, name in enumerate(holes(english))}
        if values:
            said = say(Message(english, values))
            assert all(v in said for v in values.values()), told
            assert "{" not in said, told


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_word_mixes_latin_and_cyrillic_letters(language):
    mixed = [
        word
        for _, told in every(language)
        for word in LETTER.findall(without_holes(told))
        if re.search("[A-Za-z]", word) and re.search("[\u0400-\u04ff]", word)
    ]
    assert mixed == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_latin_words_are_those_of_the_english_text(language):
    strange = []
    for english, told in every(language):
        known = {w.casefold() for w in LETTER.findall(english)} | LATIN
        strange += [
            (w, english)
            for w in LETTER.findall(without_holes(told))
            if re.search("[A-Za-z]", w) and w.casefold() not in known
        ]
    assert strange == []


def test_each_language_has_its_own_letters():
    russian = set("".join(without_holes(t) for t in catalogue("ru").values()).casefold())
    kazakh = set("".join(without_holes(t) for t in catalogue("kk").values()).casefold())
    assert KAZAKH - {"һ"} <= kazakh  # һ is rare: words of Arabic origin such as жаһандық
    assert not KAZAKH & russian
    assert {c for c in russian if "\u0400" <= c <= "\u04ff"} <= RUSSIAN
    assert {c for c in kazakh if "\u0400" <= c <= "\u04ff"} <= RUSSIAN | KAZAKH


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_sentence_keeps_its_stop_and_its_spaces(language):
    wrong = []
    for english, told in every(language):
        if told != told.strip() or "  " in told:
            wrong.append(told)
        for stop in (".", ":", "…"):
            if english.endswith(stop) != told.endswith(stop) and not ABBREVIATION.search(told):
                wrong.append(told)
    assert wrong == []


def test_names_of_indicators_are_those_of_the_data():
    path = msgids.DATA / "indicators_meta.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["indicator"]: row for row in csv.DictReader(file)}
    for indicator, row in rows.items():
        for language in TRANSLATED:
            told, label = catalogue(language)[indicator], row[f"label_{language}"]
            # the column "population" also holds the people of settlements, of another day
            same = label.casefold().startswith if indicator == "population" else label.casefold().__eq__
            if indicator != "nominal_cash_income_pc" or language == "ru":
                assert same(told.casefold()), (indicator, language)
    assert speaker("en").translate("grp_per_capita") == "gross regional product per head"


def test_an_unknown_text_comes_back_unchanged():
    for language in LANGUAGES:
        assert speaker(language).translate("Qyzylorda {x}") == "Qyzylorda {x}"


def test_messages_are_said_in_three_languages():
    message = Message(
        "Remote or very remote: {n} of {total} settlements (the score runs from 0 to {top}).",
        {"n": 12345, "total": 20000, "top": Num(12, 0)},
    )
    assert speaker("en").say(message) == (
        "Remote or very remote: 12,345 of 20,000 settlements (the score runs from 0 to 12)."
    )
    assert speaker("ru").say(message).replace("\xa0", "_") == (
        "Удалённых и очень удалённых населённых пунктов: 12_345 из 20_000 (шкала от 0 до 12)."
    )
    assert speaker("kk").say(message).replace("\xa0", "_") == (
        "Шалғай және өте шалғай елді мекендер: 20_000 ішінен 12_345 (шкала 0 мен 12 аралығында)."
    )


def test_terms_names_and_numbers_inside_a_message_are_put_into_the_language():
    kind = {"kind": Term("high-high"), "n": 3, "spots": 1}
    listed = (Message("{kind}: {n} (connected groups: {spots})", kind), Names("West", "Запад", "Батыс"))
    message = Message("Nearest to it: {units}.", {"units": listed})
    assert speaker("ru").say(message) == "Ближе всего к порогу: высокий – высокий — 3 (связных групп: 1), Запад."
    assert speaker("kk").say(message) == "Шекті мәнге ең жақыны: жоғары – жоғары — 3 (байланысқан топтар: 1), Батыс."


@pytest.mark.parametrize(
    ("language", "written"),
    [("en", "1,234,567.5_km"), ("ru", "1_234_567,5_км"), ("kk", "1_234_567,5_км")],
)
def test_numbers_have_no_break_spaces_and_translated_units(language, written):
    assert speaker(language).word(Num(1234567.5, 1, "km")).replace("\xa0", "_") == written
    assert speaker(language).word(Num(float("nan"), 1, "h")).startswith(speaker(language).translate("no data"))


@pytest.fixture(scope="module")
def asked(tmp_path_factory) -> dict[str, set[str]]:
    """Return every text that a run of the embedded project wanted put into a language, and the names in its data."""
    loaded = projects.load(msgids.DATA / "project.toml", language="kk")
    steps = tuple(
        replace(s, show=("web",), parameters={k: 99 if k == "permutations" else v for k, v in s.parameters.items()})
        for s in loaded.steps
    )
    heard: set[str] = set()
    speech = speaker("kk")
    translate = speech.translate

    def listening(text: str) -> str:
        heard.add(text)
        return translate(text)

    object.__setattr__(speech, "translate", listening)
    try:
        done = projects.run(replace(loaded, steps=steps), tmp_path_factory.mktemp("kk"), force=True)
    finally:
        object.__setattr__(speech, "translate", translate)
    names = {
        str(v) for o in done.outcomes.values() if o.layer is not None
        for c in o.layer.columns if "name" in str(c) for v in o.layer[c].dropna()
    }  # fmt: skip
    return {"texts": heard, "names": names}


def test_a_run_asks_for_no_text_that_has_no_translation(asked):
    assert "Most remote: {places}." in asked["texts"]
    strange = (
        {t for t in asked["texts"] - asked["names"] if re.search("[A-Za-z]", t)} - set(catalogue("kk")) - {"KazGeo"}
    )
    assert sorted(strange) == []
