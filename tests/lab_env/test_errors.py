"""Facts about the errors that a person meets."""

from lab_env.errors import BrokenError, GateError, LabError, NotFoundError


def test_a_near_name_is_suggested() -> None:
    """A slip of the pen is answered with the name that was meant."""
    error = NotFoundError("lab", "anotation_text", ["annotation_text", "x"], "lab list")

    assert (
        str(error)
        == 'No lab "anotation_text". Did you mean annotation_text? See: lab list'
    )


def test_without_a_near_name_all_are_listed() -> None:
    """A name unlike any other is answered with all names there are."""
    error = NotFoundError("lab", "zzz", ["b", "a"], "lab list")

    assert str(error) == 'No lab "zzz". There is a, b. See: lab list'


def test_exit_codes_tell_whose_turn_it_is() -> None:
    """The user's errors exit 2, a refused release 1, our own fault 3."""
    codes = (LabError.exit_code, GateError.exit_code, BrokenError.exit_code)

    assert codes == (2, 1, 3)
