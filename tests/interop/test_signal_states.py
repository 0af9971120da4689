from pathlib import Path

import pytest
from tests.shared_data import shared_data

from calmstreet.errors import FormatError
from calmstreet.interop.signal_states import read_signal_states
from calmstreet.model.signals import SignalState

S = 10**9


def changes(path: Path, text: str, **more: float) -> list[tuple[float, str, str]]:
    path.write_text(text, encoding="utf-8")
    found = read_signal_states(path, **more)  # type: ignore[arg-type]
    return [
        (t / S, str(head), SignalState(state).name)
        for t, head, state in zip(found.t_ns, found.signal_id, found.state, strict=True)
    ]


def test_sumo_states_become_changes_per_link(tmp_path: Path) -> None:
    text = (
        '<tlsStates><tlsState time="0.0" id="C" state="rG"/>'
        '<tlsState time="0.2" id="C" state="rG"/><tlsState time="0.4" id="C" state="uy"/>'
        '<tlsState time="0.6" id="C" state="gr"/></tlsStates>'
    )
    assert changes(tmp_path / "x.xml", text, clock_offset_s=1.0) == [
        (1.0, "C/0", "RED"),
        (1.0, "C/1", "GREEN"),
        (1.4, "C/0", "RED_AMBER"),
        (1.4, "C/1", "AMBER"),
        (1.6, "C/0", "GREEN"),
        (1.6, "C/1", "RED"),
    ]


def test_plain_csv_with_words_or_letters(tmp_path: Path) -> None:
    text = "t_s,signal,state\n0,north,red\n5,north,r\n10.5,north,Green\n3,ped,dark\n"
    assert changes(tmp_path / "x.csv", text) == [
        (0.0, "north", "RED"),
        (3.0, "ped", "DARK"),
        (10.5, "north", "GREEN"),
    ]


def test_a_controller_log_with_clock_times(tmp_path: Path) -> None:
    text = (
        "time,event,phase\n1970-01-01T00:00:05+00:00,1,2\n1970-01-01T00:00:09+00:00,8,2\n"
        "1970-01-01T00:00:12+00:00,10,2\n1970-01-01T00:00:06+00:00,43,9\n"
        "1970-01-01T00:00:07+00:00,21,4\n"
    )
    assert changes(tmp_path / "log.csv", text, clock_offset_s=-1.0) == [
        (4.0, "phase-2", "GREEN"),
        (6.0, "ped-4", "GREEN"),
        (8.0, "phase-2", "AMBER"),
        (11.0, "phase-2", "RED"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("x.csv", "a,b\n1,2\n", "has the columns a, b"),
        ("x.csv", "t_s,signal,state\n0,n,blue\n", 'line 2: state "blue" is not known'),
        ("x.csv", "t_s,signal,state\nsoon,n,red\n", "does not read as ISO 8601"),
        ("x.csv", "t_s,signal,state\n0,n\n", "line 2 has 2 columns"),
        ("x.csv", "t_s,signal,state\n", "no signal state"),
        ("x.xml", "<tlsStates><tlsState time='0' id='C' state='x'/></tlsStates>", 'state "x"'),
        ("x.xml", "<tlsStates><tlsState time='0' id='C' sta", "breaks off"),
    ],
)
def test_what_does_not_read_is_one_sentence(
    tmp_path: Path, name: str, text: str, says: str
) -> None:
    from calmstreet.errors import InputError

    with pytest.raises(InputError, match=says) as caught:
        changes(tmp_path / name, text)
    assert "\n" not in str(caught.value)


@pytest.mark.real
def test_states_of_sumo() -> None:
    found = read_signal_states(shared_data("signals/tls_states.xml"))
    assert len(set(found.signal_id.tolist())) == 12
    with pytest.raises(FormatError, match="no signal state"):
        read_signal_states(shared_data("signals/tls.net.xml"))
