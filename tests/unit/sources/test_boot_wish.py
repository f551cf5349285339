"""A domain's <boot>: what is written is read again, and what can't be read is as if it were missing."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.model.boot_wish import PRIORITY_MOST, BootWish
from hostagent.model.boot_xml import why_no_name, wish_of, wish_xml

NAMES = st.text(min_size=1, max_size=20)


def back(wish: BootWish) -> BootWish:
    element = ET.fromstring(wish_xml(wish))
    return wish_of(element.attrib, [each.attrib["name"] for each in element.iter("after")])


@given(
    st.builds(
        BootWish,
        priority=st.integers(-PRIORITY_MOST, PRIORITY_MOST),
        after=st.lists(NAMES, unique=True, max_size=4).map(tuple),
        exempt=st.booleans(),
        adopted=st.booleans(),
    )
)
def test_what_is_written_is_read_again_or_refused(wish: BootWish) -> None:
    if any(map(why_no_name, wish.after)):
        with pytest.raises(ValueError, match="no domain can have the name"):
            wish_xml(wish)
    else:
        assert back(wish) == wish


@pytest.mark.parametrize("name", ["my db", " x ", "a\tb\rc", "<&'\">", "ä€😀", "]]>", "-n", "$(reboot)"])
def test_hostile_names_survive(name: str) -> None:
    assert back(BootWish(after=(name,))).after == (name,)


@pytest.mark.parametrize("name", ["", " ", "a/b", "a\nb", "a\0", "\x1b[2J", "\ud800", "\ufffe"])
def test_what_no_domain_is_called_is_refused(name: str) -> None:
    assert why_no_name(name)
    with pytest.raises(ValueError, match="no domain can have the name"):
        wish_xml(BootWish(after=(name,)))


@pytest.mark.parametrize("number", [PRIORITY_MOST + 1, -PRIORITY_MOST - 1])
def test_a_priority_out_of_range_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="priority"):
        wish_xml(BootWish(priority=number))
    assert wish_of({"priority": str(number)}).priority == 0


@pytest.mark.parametrize(
    ("attributes", "wish"),
    [
        ({}, BootWish()),
        ({"priority": "7", "after": "db dns db"}, BootWish(priority=7, after=("db", "dns"))),
        ({"priority": "+7"}, BootWish(priority=7)),
        ({"priority": "7.5", "exempt": "yes"}, BootWish(exempt=True)),
        ({"priority": "²"}, BootWish()),
        ({"priority": "9" * 5000, "adopted": "yes"}, BootWish(adopted=True)),
        ({"exempt": "true", "adopted": "1"}, BootWish()),
        ({"exempt": "no", "adopted": ""}, BootWish()),
        ({"after": "a/b db"}, BootWish(after=("db",))),
        ({"colour": "red"}, BootWish()),
    ],
)
def test_broken_values_are_as_if_missing(attributes: dict[str, str], wish: BootWish) -> None:
    assert wish_of(attributes) == wish


def test_the_default_is_an_empty_element() -> None:
    assert wish_xml(BootWish()) == "<boot/>"
