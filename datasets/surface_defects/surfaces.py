"""Surfaces of metal and painted parts, the light on them, and the camera.

A picture is an array of floats (height, width, colour), 0 dark to 255 bright. All
chance comes from the generator that is handed in.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HEIGHT, WIDTH = 360, 480
ROWS, COLUMNS = np.mgrid[0:HEIGHT, 0:WIDTH].astype(float)
BACKGROUND = np.array([30.0, 31.0, 34.0])


def blurred(field: Array, down: float, across: float) -> Array:
    """Return a field blurred by Gaussians of these widths in pixels."""
    height, width = field.shape
    y = np.fft.fftfreq(height)[:, None]
    x = np.fft.rfftfreq(width)[None, :]
    damping = np.exp(-2 * np.pi**2 * ((y * down) ** 2 + (x * across) ** 2))
    spectrum = np.fft.rfft2(field) * damping
    return np.fft.irfft2(spectrum, s=field.shape)


def focused(picture: Array, width: float) -> Array:
    """Return each colour as a lens blurs it; the border is mirrored, not wrapped."""
    edge = 12
    padded = np.pad(picture, ((edge, edge), (edge, edge), (0, 0)), mode="reflect")
    planes = [blurred(padded[:, :, c], width, width) for c in range(3)]
    return np.stack(planes, axis=-1)[edge:-edge, edge:-edge]


def texture(rng: np.random.Generator, down: float, across: float) -> Array:
    """Return noise of mean 0 and deviation 1 with grains of this size."""
    field = blurred(rng.standard_normal((HEIGHT, WIDTH)), down, across)
    return (field - field.mean()) / field.std()


def brushed(rng: np.random.Generator, tone: Array) -> Array:
    """Return brushed metal: fine streaks from left to right."""
    grain = 5 * texture(rng, 0.6, 45) + 3 * texture(rng, 0.6, 9)
    return tone + (grain + 3 * texture(rng, 30, 60))[..., None]


def painted(rng: np.random.Generator, tone: Array) -> Array:
    """Return paint: even, with the faint waves of orange peel."""
    grain = 1.6 * texture(rng, 3, 3) + 0.8 * texture(rng, 0.8, 0.8)
    return tone + grain[..., None]


def cast(rng: np.random.Generator, tone: Array) -> Array:
    """Return a cast, sand-blasted surface: grainy and uneven."""
    grain = 4 * texture(rng, 1.3, 1.3) + 3 * texture(rng, 0.6, 0.6)
    return tone + (grain + 3 * texture(rng, 25, 25))[..., None]


def turned(rng: np.random.Generator, tone: Array) -> Array:
    """Return a face turned on a lathe: rings about a centre, and a fan of light."""
    down, across = ROWS - 520, COLUMNS - 240
    radius = np.hypot(down, across)
    line = np.convolve(rng.standard_normal(900), [0.25, 0.5, 0.25], "same")
    rings = 8 * np.interp(radius, np.arange(900), line)
    fan = 14 * np.cos(3 * np.arctan2(across, -down) - 0.6)
    return tone + (rings + fan + texture(rng, 1, 1))[..., None]


SURFACES = {"brushed": brushed, "painted": painted, "cast": cast, "turned": turned}


def lit(picture: Array, light: tuple[float, float]) -> Array:
    """Return the picture under light that grows to the right and downwards."""
    across, down = COLUMNS / WIDTH - 0.5, ROWS / HEIGHT - 0.5
    corners = 1 - 0.22 * (across**2 + down**2)
    return picture * ((1 + light[0] * across + light[1] * down) * corners)[..., None]


def trimmed(picture: Array, edges: tuple[int, int, int, int]) -> Array:
    """Return the part before a dark mat; ``edges`` is what of the mat is to be seen."""
    left, top, right, bottom = edges
    # How far inside the part each point lies; far inside where the part goes on.
    gaps = [
        COLUMNS - left if left else COLUMNS + 99,
        ROWS - top if top else ROWS + 99,
        WIDTH - right - COLUMNS if right else WIDTH + 99 - COLUMNS,
        HEIGHT - bottom - ROWS if bottom else HEIGHT + 99 - ROWS,
    ]
    inside = np.minimum.reduce(gaps)
    bevel = 26 * np.exp(-(((inside - 4) / 2.5) ** 2))
    cover = np.clip(inside + 0.5, 0, 1)[..., None]
    return cover * (picture + bevel[..., None]) + (1 - cover) * BACKGROUND


def photographed(rng: np.random.Generator, picture: Array) -> NDArray[np.uint8]:
    """Return what the camera sees: a little blur, a little noise, whole numbers."""
    noise = 2.2 * rng.standard_normal((HEIGHT, WIDTH, 1))
    noise = noise + 0.8 * rng.standard_normal((HEIGHT, WIDTH, 3))
    return np.clip(np.rint(focused(picture, 0.7) + noise), 0, 255).astype(np.uint8)
