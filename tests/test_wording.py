"""One thing is one thing."""

from monai_tumor.wording import count_of, figure_words


def test_one_is_told_apart_from_none_and_many() -> None:
    assert [count_of(number, "group", "groups") for number in (0, 1, 2)] == ["0 groups", "1 group", "2 groups"]


def test_a_figure_is_called_by_the_words_of_its_key() -> None:
    assert [figure_words(key) for key in ("lesion_dice", "balanced_accuracy")] == ["Dice", "balanced accuracy"]
