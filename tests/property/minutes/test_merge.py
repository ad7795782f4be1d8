"""Two editors' texts put together: no word lost, whatever they did."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from conference.minutes import compare, marks
from conference.minutes.compare import Change
from conference.minutes.merge import merge

WORDS = st.sampled_from(["xã", "Đăk", "Pxi", "báo", "cáo", "nước", "1.", "họp"])
LINE = st.lists(WORDS, max_size=6).map(" ".join)
TEXT = st.lists(LINE, max_size=7).map("\n".join)


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, str, str]:
    """A text and two edits of it; each editor also writes words nobody else has."""
    base = draw(TEXT)

    def edited(who: str) -> str:
        lines = base.split("\n")
        for number in range(draw(st.integers(0, 4))):
            place = draw(st.integers(0, len(lines)))
            match draw(st.integers(0, 3)):
                case 0:
                    lines.insert(place, f"{who}{number} {draw(LINE)}")
                case 1 if place < len(lines):
                    del lines[place]
                case 2 if place < len(lines):
                    words = lines[place].split(" ")
                    words.insert(draw(st.integers(0, len(words))), f"{who}{number}w")
                    lines[place] = " ".join(words)
                case _ if place < len(lines):
                    lines[place] = f"{who}{number}r"
                case _:
                    lines.append(f"{who}{number}z")
        return "\n".join(lines)

    return base, edited("bích"), edited("lan")


@given(edits())
def test_no_word_that_either_wrote_is_lost(texts: tuple[str, str, str]) -> None:
    base, mine, theirs = texts
    merged = Counter(merge(base, mine, theirs).text.split())
    written = (Counter(mine.split()) - Counter(base.split())) | (
        Counter(theirs.split()) - Counter(base.split())
    )
    own = {word for word in written if word.startswith(("bích", "lan"))}
    assert all(merged[word] >= 1 for word in own)


@given(TEXT, TEXT)
def test_who_changed_nothing_changes_nothing(base: str, other: str) -> None:
    assert merge(base, base, other).text == other
    assert merge(base, other, base).text == other
    assert merge(base, other, other).text == other


@given(edits())
def test_the_order_of_saving_decides_no_word(texts: tuple[str, str, str]) -> None:
    base, mine, theirs = texts
    one, other = merge(base, mine, theirs), merge(base, theirs, mine)
    assert Counter(one.text.split()) == Counter(other.text.split())
    assert one.clashes == other.clashes


@given(edits())
def test_saving_again_what_was_merged_changes_nothing(texts: tuple[str, str, str]) -> None:
    base, mine, theirs = texts
    both = merge(base, mine, theirs).text
    assert merge(mine, mine, both).text == both


def test_edits_of_different_paragraphs_are_both_there() -> None:
    base = "Mở đầu.\n\nBáo cáo.\n\nKết thúc."
    mine = base.replace("Mở đầu.", "Mở đầu lúc 8 giờ.")
    theirs = base.replace("Kết thúc.", "Kết thúc lúc 11 giờ.")
    assert merge(base, mine, theirs).text == "Mở đầu lúc 8 giờ.\n\nBáo cáo.\n\nKết thúc lúc 11 giờ."


def test_edits_of_one_paragraph_are_merged_by_words_and_clashes_are_counted() -> None:
    base = "Sở Tài chính báo cáo thu ngân sách."
    mine = "Sở Tài chính báo cáo thu, chi ngân sách."
    theirs = "Sở Tài chính tỉnh báo cáo thu ngân sách."
    assert merge(base, mine, theirs).text == "Sở Tài chính tỉnh báo cáo thu, chi ngân sách."
    clash = merge("giao Sở A", "giao Sở B", "giao Sở C")
    assert (clash.text, clash.clashes) == ("giao Sở B C", 1)


@given(TEXT, TEXT)
def test_a_comparison_holds_both_texts(before: str, after: str) -> None:
    runs = compare.compare(before, after)
    assert "".join(run.text for run in runs if run.change is not Change.ADDED) == before
    assert "".join(run.text for run in runs if run.change is not Change.REMOVED) == after


@given(st.text(max_size=200))
def test_marks_are_found_and_nothing_else_is_touched(text: str) -> None:
    pieces = list(marks.segments(text))
    whole = "".join(one.text if one.at_s is None else f"[{one.text}]" for one in pieces)
    assert whole == text


def test_a_mark_names_its_second_and_is_not_printed() -> None:
    text = "Xã A phát biểu [0:12:40]: đồng ý [1:2:3]."
    assert [one.at_s for one in marks.segments(text) if one.at_s is not None] == [760]
    assert marks.without(text) == "Xã A phát biểu: đồng ý [1:2:3]."
