"""Values of an exported model's metadata that are refused, and odd ones that are read: by Python and C++ alike."""

_NO_NUMBERS = (
    "", " ", "nan", "inf", "-inf", "1e999", "9" * 400, "wide", "0x1p3", "1_0", "1,5", "+", "--1", ".5", "-.5", ".",
    "1e", "1e+", "1e5.5", "1.5.5", " 1", "1 ", "1 2", "1\n", "1\u00a0", "\u0661", "1f", "0.1e",
)  # fmt: skip

IMPOSSIBLE = [
    *(("image_threshold", value) for value in _NO_NUMBERS),
    *(("normalization_scale", value) for value in ("0", "-0.4", "-0", "1e-999", "nan", "inf", "wide", ".5", "1 2")),
    *(("false_alarm_rate", value) for value in ("0", "1", "-1", "nan", "1e999", ".5", "0.5 ", "0.5x")),
    *(
        ("image_size", value)
        for value in (
            "", "64", "64 0", "0 64", "64 -64", "+64 64", "64 +64", "64 64 3", "64 64.5", "64x64", "64,64", "64 6e1",
            "64 99999", "64 0x40", "0000000064 64", "64\u00a064", "9" * 5000,
        )
    ),
    *(
        ("version", value)
        for value in (
            "", "0.2.0", "1.0.0", "0.1", "0.1.", "0.1.x", "0.10.0", "00.1.0", "0.1.0 x", "0.1.0 ", "0.1.0\n", " 0.1.0",
            "v0.1.0", "0.1.+1", "0.1.\u0663", "old",
        )
    ),
    *(("size", value) for value in ("", "XL", "s", "S ", " S")),
    *(("threshold_policy", value) for value in ("", "best", "Rate", "rate ")),
    *(
        ("branches", value)
        for value in (
            "student", "student 1", "student 1 nan", "student one 2", "1 2 3 4", "student .5 1", "a 1 2\u00a0b 1 2",
        )
    ),
]  # fmt: skip

POSSIBLE = [
    *(
        ("image_threshold", value)
        for value in ("+1", "-1", "1.", "007", "1e5", "1E+05", "1.e-2", "1e-999", "5e-324", "-0", "0." + "3" * 300)
    ),
    ("normalization_scale", "5e-324"),
    ("false_alarm_rate", "1e-300"),
    *(("image_size", value) for value in (" 64  64 ", "64\t64\n", "00064 064")),
    *(("version", value) for value in ("0.1.0", "0.1.99", "0.1.0.dev1+g0", "0.1.0rc1", "0.1.0\u00a0x")),
    *(("category", value) for value in ("", "Prüfling 部", '<&"\'>', "a\nb", "x" * 5000)),
    *(("branches", value) for value in ("", "a 1 2", " a  1. -2e3 ", "1 2 3")),
]  # fmt: skip
