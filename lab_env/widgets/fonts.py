"""Which font of this machine can draw Chinese."""

from functools import cache

KNOWN = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "Microsoft YaHei",
    "SimHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Noto Serif CJK SC",
    "SimSun",
)


@cache
def chinese_font() -> str | None:
    """Return the name of a font with Chinese characters, or None."""
    from matplotlib.font_manager import fontManager

    here = {font.name for font in fontManager.ttflist}
    return next((name for name in KNOWN if name in here), None)
