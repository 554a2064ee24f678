"""Survival curves as a picture, for whoever works with them. Steps of a curve give events away: nothing is cleared."""

from __future__ import annotations

from collections.abc import Mapping

from counterfoil.comparison.pictures import HEIGHT, NAVY, ORANGE, TOP, WIDTH, Picture, drawing, key, line, text
from counterfoil.effect.kaplan_meier import Curve
from counterfoil.errors import UsageError


def curve_plot(curves: Mapping[str, Curve]) -> Picture:
    """Up to two groups' shares still free of the event, by time in the unit that the curves have."""
    if not 1 <= len(curves) <= 2:
        raise UsageError("One curve or two are drawn. Hand in a name and a curve for each group.")
    last = max(float(curve.time[-1]) for curve in curves.values())
    bottom, right = HEIGHT - 40, WIDTH - 20

    def at(time: float, share: float) -> tuple[float, float]:
        return 40 + (right - 40) * time / last, bottom - (bottom - TOP) * share

    body = [key(list(zip(curves, (NAVY, ORANGE), strict=False)))]
    for share in (0.0, 0.5, 1.0):
        y = at(0.0, share)[1]
        body += [line(40, y, right, y), text(36, y + 4, f"{share:.0%}", anchor="end")]
    for curve, colour in zip(curves.values(), (NAVY, ORANGE), strict=False):
        points, level = [at(0.0, 1.0)], 1.0
        for time, share in zip(curve.time.tolist(), curve.survival.tolist(), strict=True):
            points += [at(time, level), at(time, share)]
            level = share
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        body.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
    body.append(text(right, HEIGHT - 8, f"time, to {last:g}", anchor="end"))
    return drawing("Share still free of the event", body, HEIGHT)
