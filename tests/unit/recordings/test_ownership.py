"""Which lease owners are dead."""

import os
import subprocess

from recordings.ownership import dead, own_name


def test_this_process_lives() -> None:
    assert dead([own_name()]) == []


def test_a_process_that_ended_is_dead_and_so_is_one_whose_number_was_taken() -> None:
    host, _, start = own_name().split("/")
    gone = subprocess.Popen(["true"])
    gone.wait()
    ended, taken = f"{host}/{gone.pid}/{start}", f"{host}/{os.getpid()}/1"
    assert dead([ended, taken]) == [ended, taken]


def test_nothing_is_said_of_other_hosts_and_strange_names() -> None:
    assert dead(["elsewhere/1/2", "", "a", "a/b/c/d", f"{own_name().split('/')[0]}/x/1"]) == []
