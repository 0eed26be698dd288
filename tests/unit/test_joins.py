"""Somebody's table and the textures of a study: joined by file name, never by position."""

import pytest

from texalign import InputError, joins

FILES = ["a/1.jpg", "a/2.jpg", "b/2.jpg", "b/Jürgen.jpg"]


@pytest.mark.parametrize(
    ("names", "textures", "rows"),
    [
        (FILES, [0, 1, 2, 3], [0, 1, 2, 3]),
        (FILES[::-1], [0, 1, 2, 3], [3, 2, 1, 0]),
        (["/data/dtd/b/2.jpg", "images\\a\\1.jpg"], [0, 2], [1, 0]),
        (["1.jpg", "Ju\u0308rgen.jpg"], [0, 3], [0, 1]),  # the name alone, and another Unicode form
    ],
)
def test_names_find_their_textures(names, textures, rows):
    joined = joins.by_name(names, FILES, "x.csv")
    assert (joined.textures.tolist(), joined.rows.tolist()) == (textures, rows)
    assert joined.missing == [file for i, file in enumerate(FILES) if i not in textures]
    assert joined.extra == []


def test_what_is_left_over_is_told_in_one_line():
    joined = joins.by_name(["b/2.jpg", "c/1.jpg", "1.jpg"], FILES, "x.csv")
    assert (joined.missing, joined.extra) == (["a/2.jpg", "b/Jürgen.jpg"], ["c/1.jpg"])
    assert joins.told(joined, "human: mine") == (
        "human: mine: 2 of 4 textures are joined; 2 textures are missing there, as a/2.jpg, b/Jürgen.jpg; "
        "1 names are of no texture, as c/1.jpg"
    )
    assert joins.told(joins.by_name(FILES, FILES, "x.csv"), "x.csv") is None


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["2.jpg"], "2.jpg: several textures have this name; write <class>/<file>"),
        (["a/1.jpg", "1.jpg"], "1.jpg: stands twice; keep one of them"),
        (["x", "y", "z"], "none of 3 names is a texture's, as x, y; textures are called a/1.jpg, a/2.jpg"),
        ([], "none of 0 names is a texture's, as nothing"),
    ],
)
def test_names_that_cannot_be_joined(names, words):
    with pytest.raises(InputError) as error:
        joins.by_name(names, FILES, "x.csv")
    assert str(error.value).startswith("x.csv: ")
    assert words in str(error.value)


def test_columns_by_name(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text('\ufefflabel,note,file\n1,,a\nNA,"x,y",b\n\n')
    assert joins.read_columns(path, ["file", "label"], ["odd", "note"]) == {
        "file": ["a", "b"],
        "label": ["1", "NA"],
        "note": ["", "x,y"],
    }


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the column file is missing; columns are none"),
        (b"label\n1\n", "the column file is missing; columns are label"),
        (b"file,label,file\n", "the column file stands twice"),
        (b"file,label\na\n", "row 2 has 1 cells; the header has 2"),
        (b"file,label\n\xff,1\n", "cannot be read as UTF-8 text"),
    ],
)
def test_a_table_that_cannot_be_read_is_told(tmp_path, content, words):
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(InputError, match=rf"x.csv: .*{words}"):
        joins.read_columns(tmp_path / "x.csv", ["file", "label"])
