import io
import sys
from contextlib import redirect_stdout

from pipeline.progress import Progress


class Terminal(io.StringIO):
    """Both streams of a terminal, which shows the last thing written on a line."""

    def isatty(self):
        return True

    def screen(self):
        """Return the lines that are left to see, as far as carriage returns go."""
        lines = self.getvalue().split("\n")
        return [next((part for part in reversed(line.split("\r")) if part.strip()), "")
                for line in lines]  # fmt: skip


def show():
    with Progress({"a": 4, "b": 6}) as progress:
        progress.reach("a", 2)
        progress.reach("b", 5)
        progress.finish("a")
        # Whoever turns standard output away hides his own lines alone.
        with redirect_stdout(io.StringIO()):
            print("of a library's")
            progress.say("a: trained")
        progress.say("b: failed", error=True)


def test_a_terminal_shows_lines_above_one_bar_of_all_seeds(monkeypatch):
    terminal = Terminal()
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, terminal)
    show()
    *lines, bar, after = terminal.screen()
    assert lines == ["a: trained", "b: failed"]
    assert bar.startswith("1 of 2 seeds:  90%")
    assert " 9/10 " in bar
    assert after == ""


def test_without_a_terminal_there_are_lines_alone(capsys):
    show()
    assert tuple(capsys.readouterr()) == ("a: trained\n", "b: failed\n")
