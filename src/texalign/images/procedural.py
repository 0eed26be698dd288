"""Drawing textures from a seed: twenty kinds, and what varies within each.

`textures.procedural` makes image sets of them.
"""

import math

import numpy as np
from PIL import Image

#: Variants of a kind below this number are the kind itself, coarse, and warped; the others are two
#: kinds in one.
COMPOSED = 3
#: Cells on a side of the random tables that textures are made of: a power of 2; they repeat beyond.
_TABLE = 32


def class_name(number):
    """Name the class of a number: ``stripes``, ``checks``, ..., ``stripes_2``, ..."""
    variant, kind = divmod(number, len(KINDS))
    return list(KINDS)[kind] + (f"_{variant + 1}" if variant else "")


def draw(source, size):
    """Draw one image.

    Parameters
    ----------
    source : tuple of int
        Seed, number of the class, index of the image.
    size : int
        Height and width in pixels.

    Returns
    -------
    array, shape (size, size, 3), uint8
    """
    rng = np.random.default_rng(source)
    variant, kind = divmod(source[1], len(KINDS))
    kinds = list(KINDS.values())
    scale = 0.4 if variant == 1 else 1.0
    warp = 0.7 if variant == 2 else rng.uniform(0, 0.1)
    pattern = kinds[kind](rng, *_coordinates(rng, size, scale, warp))
    if variant >= COMPOSED:
        partner = kinds[(kind + variant - COMPOSED + 1) % len(kinds)]
        # The two at unlike scales, so that each of them can be made out.
        pattern = 0.5 * pattern + 0.5 * partner(rng, *_coordinates(rng, size, 0.35, warp))
    return _colour(rng, _soften(_soften(pattern)))


def _coordinates(rng, size, scale, warp):
    """Turn, shift, stretch and warp a grid: u and v, (size, size), count the texture's periods."""
    axis = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / np.float32(size) - np.float32(0.5)
    periods = scale * math.exp(rng.uniform(math.log(6), math.log(13)))
    stretch = math.exp(rng.uniform(-0.12, 0.12))
    angle = rng.uniform(0, 2 * math.pi)
    across, along = periods * stretch * math.cos(angle), periods * stretch * math.sin(angle)
    u = axis * across + axis[:, None] * along + rng.uniform(0, _TABLE)
    v = axis[:, None] * (across / stretch**2) - axis * (along / stretch**2) + rng.uniform(0, _TABLE)
    return u + warp * _slow(rng, size, 4), v + warp * _slow(rng, size, 4)


def _soften(pattern):
    """Blur by 0.7 pixels: the stairs of a hard edge would point along the pixels' rows in every image."""
    padded = np.pad(pattern, 1, mode="edge")
    rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    return (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / 16


def _colour(rng, pattern):
    """Give a pattern two random colours, and light it unevenly: uint8, (size, size, 3)."""
    low, high = np.quantile(pattern[::4, ::4], (0.02, 0.98))
    pattern = np.clip((pattern - float(low)) / max(float(high - low), 1e-3), 0, 1)
    contrast = rng.uniform(0.35, 0.75)
    middle = rng.uniform(0.4, 0.6)
    tints = rng.uniform(-0.3, 0.3, (2, 3))
    tints -= tints.mean(axis=1, keepdims=True)
    ends = middle + np.array([[-0.5], [0.5]]) * contrast + tints
    dark, light = ends[:: rng.choice([-1, 1])].astype(np.float32)
    lit = 1 + 0.12 * _slow(rng, len(pattern), 2)
    image = (dark + pattern[..., None] * (light - dark)) * (255 * lit[..., None])
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def _slow(rng, size, cells):
    """Smooth noise with about `cells` blobs on a side, roughly within -1 and 1, (size, size)."""
    grid = Image.fromarray(rng.uniform(-1.4, 1.4, (cells, cells)).astype(np.float32))
    return np.asarray(grid.resize((size, size), Image.Resampling.BICUBIC))


def _table(rng, low=0.0, high=1.0):
    """Draw one number for each cell of the plane, flat."""
    return rng.uniform(low, high, _TABLE * _TABLE).astype(np.float32)


def _cell(i, j):
    """Look up where a table holds column i and row j; both are integers or whole floats."""
    return (np.asarray(j, np.int32) & _TABLE - 1) * _TABLE + (np.asarray(i, np.int32) & _TABLE - 1)


def _noise(rng, u, v):
    """Interpolate noise between the corners of unit cells, mean about 0, within -1 and 1."""
    i, j = np.floor(u), np.floor(v)
    x, y = u - i, v - j
    x, y = x * x * (3 - 2 * x), y * y * (3 - 2 * y)
    i, j = i.astype(np.int32), j.astype(np.int32)
    values = _table(rng, -1, 1)
    rows = []
    for row in (j, j + 1):
        left, right = values.take(_cell(i, row)), values.take(_cell(i + 1, row))
        rows.append(left + x * (right - left))
    return rows[0] + y * (rows[1] - rows[0])


def _fractal(rng, u, v, octaves=3, fade=0.5):
    """Sum noise of ever finer grain; each octave is turned, so that the lattices do not show."""
    return sum(fade**k * _noise(rng, *_turned(u * 2**k, v * 2**k, k)) for k in range(octaves))


def _turned(u, v, angle):
    return u * math.cos(angle) - v * math.sin(angle), u * math.sin(angle) + v * math.cos(angle)


def _offset(x):
    """Distance to the nearest whole number, with its sign: -0.5 to 0.5."""
    return x - np.rint(x)


def _triangle(x):
    """Triangle wave of period 1, from 0 at whole numbers to 1 halfway."""
    return 2 * np.abs(_offset(x))


def _step(x, width):
    """Rise from 0 to 1 about x = 0, over `width`."""
    return np.clip(x / width + 0.5, 0, 1)


def _voronoi(rng, u, v, jitter=0.9):
    """Find the nearest of points strewn one a cell.

    Returns
    -------
    first, second : numpy.ndarray
        Distances to the nearest and the next point.
    cell : numpy.ndarray
        Number of the nearest point.
    x, y : numpy.ndarray
        Position relative to it.
    """
    px, py = _table(rng, -jitter / 2, jitter / 2), _table(rng, -jitter / 2, jitter / 2)
    i, j = np.floor(u), np.floor(v)
    u, v = u - i - 0.5, v - j - 0.5
    i, j = i.astype(np.int32), j.astype(np.int32)
    first = np.full_like(u, 9)
    second, x, y = first.copy(), first.copy(), first.copy()
    cell = np.zeros(u.shape, np.int32)
    for di in (-1, 0, 1):
        for dj in (-1, 0, 1):
            here = _cell(i + di, j + dj)
            dx, dy = u - di - px.take(here), v - dj - py.take(here)
            distance = dx * dx + dy * dy
            nearer = distance < first
            second = np.minimum(second, np.maximum(first, distance))
            for nearest, candidate in ((first, distance), (cell, here), (x, dx), (y, dy)):
                np.copyto(nearest, candidate, where=nearer)
    return np.sqrt(first), np.sqrt(second), cell, x, y


def _hexagon(u, v):
    """Position relative to the nearest point of a hexagonal lattice with spacing 1."""
    height = math.sqrt(3)
    x, y = _offset(u), height * _offset(v / height)
    x2, y2 = _offset(u + 0.5), height * _offset(v / height + 0.5)
    other = x2 * x2 + y2 * y2 < x * x + y * y
    return np.where(other, x2, x), np.where(other, y2, y)


def _stripes(rng, u, v):
    return _step(_triangle(u) - rng.uniform(0.35, 0.65), rng.uniform(0.15, 0.6))


def _checks(rng, u, v):
    return _step((_triangle(u / 2) - 0.5) * (_triangle(v / 2) - 0.5), rng.uniform(0.02, 0.1))


def _dots(rng, u, v):
    x, y = _hexagon(u, v)
    return _step(rng.uniform(0.24, 0.38) - np.hypot(x, y), 0.08)


def _bricks(rng, u, v):
    row = np.floor(v)
    along = u / 2.2 + 0.5 * (row % 2)
    mortar = np.minimum(0.5 - np.abs(_offset(v - 0.5)), 2.2 * (0.5 - np.abs(_offset(along - 0.5))))
    shade = _table(rng, 0.55, 1)[_cell(np.floor(along), row)]
    return shade * _step(mortar - rng.uniform(0.05, 0.11), 0.06)


def _woven(rng, u, v):
    over = (np.floor(u) + np.floor(v)) % 2 == 0
    x, y = _offset(u - 0.5), _offset(v - 0.5)
    across, along = np.where(over, y, x), np.where(over, x, y)
    thread = rng.uniform(0.36, 0.46)
    # A round thread, that sinks where it passes under its neighbour; the two sets differ in shade.
    shade = (1 - 0.8 * np.square(across / 0.5)) * (1 - 1.8 * np.square(along))
    return np.where(over, shade, 0.65 * shade) * _step(thread - np.abs(across), 0.08)


def _zigzag(rng, u, v):
    return _step(_triangle(v + rng.uniform(0.7, 1.1) * _triangle(u / 2)) - rng.uniform(0.4, 0.6), 0.25)


def _blotchy(rng, u, v):
    return _step(_fractal(rng, u / 1.7, v / 1.7) + rng.uniform(-0.15, 0.15), 0.12)


def _cracked(rng, u, v):
    first, second, *_ = _voronoi(rng, u * 0.7, v * 0.7)
    return _step(second - first - rng.uniform(0.05, 0.11), 0.06)


def _crystalline(rng, u, v):
    _, _, cell, x, y = _voronoi(rng, u * 0.8, v * 0.8)
    slope = _table(rng, -0.6, 0.6)[cell] * x + _table(rng, -0.6, 0.6)[cell] * y
    return _table(rng)[cell] + slope


def _bubbly(rng, u, v):
    first, _, cell, x, y = _voronoi(rng, u * 0.8, v * 0.8, 0.5)
    radius = _table(rng, 0.2, 0.42)[cell]
    wall = np.exp(-np.square((first - radius) / 0.05))
    glint = np.exp(-(np.square(x + 0.4 * radius) + np.square(y + 0.4 * radius)) / 0.006)
    return 0.25 * _step(radius - first, 0.05) + 0.7 * wall + 0.8 * glint * (radius > 0.28)


def _grid(rng, u, v):
    return _step(np.maximum(_triangle(u - 0.5), _triangle(v - 0.5)) - rng.uniform(0.78, 0.88), 0.1)


def _scaly(rng, u, v):
    """Rows of discs, each row lying on the next."""
    u, v = u * 0.7, v * 0.7
    shade = np.zeros_like(u)
    bare = np.ones(u.shape, bool)
    front = np.floor(v / 0.5)
    for step in (0, 1, 2):
        row = front - step
        distance = np.hypot(_offset(u + 0.5 * (row % 2)), v - 0.5 * row) / 0.75
        seen = bare & (distance < 1)
        np.copyto(shade, 1 - distance**3, where=seen)
        bare &= ~seen
    return shade


def _fibrous(rng, u, v):
    return _noise(rng, u * 2.2, v * 0.12) + 0.6 * _noise(rng, u * 4.5, v * 0.25)


def _marbled(rng, u, v):
    swirl = _fractal(rng, u / 2.5, v / 2.5, 2)
    return _step(_triangle(u / 4 + 1.2 * swirl) - 0.5, rng.uniform(0.6, 1.0))


def _speckled(rng, u, v):
    first, _, cell, *_ = _voronoi(rng, u * 1.4, v * 1.4, 1.0)
    return _step(_table(rng, -0.2, 0.4)[cell] - first, 0.1)


def _honeycomb(rng, u, v):
    x, y = (np.abs(part) for part in _hexagon(u, v))
    edge = 0.5 - np.maximum(x, 0.5 * x + math.sqrt(0.75) * y)
    return _step(edge - rng.uniform(0.05, 0.1), 0.05)


def _triangles(rng, u, v):
    a, b = u * 0.7, 0.7 * (math.sqrt(0.75) * v - 0.5 * u)
    families = (a, b, -(a + b))
    upward = sum(part - np.floor(part) for part in families) > 1.5
    edge = np.minimum.reduce([_triangle(part) for part in families])
    return _step(np.where(upward, edge, -edge), rng.uniform(0.1, 0.3))


def _wrinkled(rng, u, v):
    ridge = sum(0.6**k * np.abs(_noise(rng, *_turned(u / 2 * 2**k, v / 2 * 2**k, k))) for k in range(3))
    return np.exp(-rng.uniform(3, 5) * ridge)


def _cloudy(rng, u, v):
    return _fractal(rng, u / 4, v / 4, 4, 0.6)


def _crosses(rng, u, v):
    x, y = np.abs(_offset(u * 0.8)), np.abs(_offset(v * 0.8))
    bar = rng.uniform(0.07, 0.12) - np.minimum(x, y)
    return _step(np.minimum(bar, rng.uniform(0.3, 0.36) - np.maximum(x, y)), 0.05)


#: Kinds of texture, in the order in which they are used: each draws from periods u and v.
KINDS = {
    "stripes": _stripes,
    "checks": _checks,
    "dots": _dots,
    "bricks": _bricks,
    "woven": _woven,
    "zigzag": _zigzag,
    "blotchy": _blotchy,
    "cracked": _cracked,
    "crystalline": _crystalline,
    "bubbly": _bubbly,
    "fibrous": _fibrous,
    "marbled": _marbled,
    "scaly": _scaly,
    "honeycomb": _honeycomb,
    "speckled": _speckled,
    "grid": _grid,
    "wrinkled": _wrinkled,
    "triangles": _triangles,
    "cloudy": _cloudy,
    "crosses": _crosses,
}
