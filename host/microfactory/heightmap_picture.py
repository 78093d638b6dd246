"""A map of heights as text and as a picture (SVG)."""

from __future__ import annotations

from collections.abc import Iterator

from microfactory.heightmap import HeightMap

CELL = 64
MARGIN = 60


def text(page: HeightMap) -> Iterator[str]:
    """Heights in thousandths of a mm as one looks down on the machine: the highest Y first."""
    flat = [h for row in page.heights_mm for h in row]
    yield (
        f"map of {page.machine}  {page.columns} by {page.rows} points  from {min(flat):+.3f} to "
        f"{max(flat):+.3f} mm about Z {page.zero_z_mm:.3f}  repeat {page.repeat_mm:.4f} mm"
    )
    for j in reversed(range(page.rows)):
        row = " ".join(f"{h * 1000:+7.0f}" for h in page.heights_mm[j])
        yield f"  Y {page.first_y_mm + j * page.pitch_y_mm:8.2f}  {row}"
    places = " ".join(f"{page.first_x_mm + i * page.pitch_x_mm:7.1f}" for i in range(page.columns))
    yield f"  X           {places}"


def svg(page: HeightMap) -> str:
    """Points as coloured squares with their height in thousandths of a mm: blue low, red high."""
    flat = [h for row in page.heights_mm for h in row]
    low, high = min(flat), max(flat)
    width = 2 * MARGIN + CELL * page.columns
    height = 2 * MARGIN + CELL * page.rows
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{MARGIN}" y="24">{_plain(page.machine)}: heights in 0.001 mm, {low * 1000:+.0f} '
        f"to {high * 1000:+.0f} about Z {page.zero_z_mm:.3f}; repeat {page.repeat_mm * 1000:.1f}"
        "</text>",
    ]
    for j, row in enumerate(page.heights_mm):
        y = MARGIN + CELL * (page.rows - 1 - j)
        out.append(
            f'<text x="4" y="{y + CELL / 2 + 4}">'
            f"Y{page.first_y_mm + j * page.pitch_y_mm:.1f}</text>"
        )
        for i, value in enumerate(row):
            share = (value - low) / (high - low) if high > low else 0.5
            x = MARGIN + CELL * i
            out.append(
                f'<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" fill="{_colour(share)}"/>'
                f'<text x="{x + CELL / 2}" y="{y + CELL / 2 + 4}" text-anchor="middle">'
                f"{value * 1000:+.0f}</text>"
            )
    for i in range(page.columns):
        middle = MARGIN + CELL * (i + 0.5)
        out.append(
            f'<text x="{middle}" y="{height - MARGIN + 20}" text-anchor="middle">'
            f"X{page.first_x_mm + i * page.pitch_x_mm:.1f}</text>"
        )
    return "\n".join([*out, "</svg>", ""])


def _colour(share: float) -> str:
    """From blue by white to red."""
    if share < 0.5:
        tone = round(90 + 330 * share)
        return f"rgb({tone},{tone},255)"
    tone = round(255 - 330 * (share - 0.5))
    return f"rgb(255,{tone},{tone})"


def _plain(text_: str) -> str:
    return text_.replace("&", "&amp;").replace("<", "&lt;")
