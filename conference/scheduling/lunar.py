"""The Vietnamese lunar calendar, computed: from a lunar day of a year to its solar day.

Rules (those of the Chinese calendar since 1645, but for Vietnam's meridian): a month begins on the
day of the new moon by the clock of UTC+7; the winter solstice lies in month 11; between two months
11 that are thirteen months apart, the first month without a principal term (sun's longitude a
multiple of 30°) is the leap month. A day's difference of a new moon between UTC+7 and UTC+8 moves
months, so Tết 2030 is 02/02 here and 03/02 in China: no Chinese table will do.

New moon: J. Meeus, Astronomical Algorithms, 2nd ed., ch. 49, periodic terms and the 14 planetary
corrections, a few seconds; sun's apparent longitude: ch. 25, 0.01°; ΔT: Espenak and Meeus 2006.
Pure. Good for 1900 to 2100.
"""

from datetime import date, timedelta
from functools import lru_cache
from math import floor, radians, sin
from typing import Final

_SYNODIC_DAYS: Final = 29.530588861
_EPOCH_JDE: Final = 2451550.09766
"""First new moon of 2000 (Meeus 49.1)."""
_UTC_OFFSET_DAYS: Final = 7 / 24
_SECONDS: Final = 86400.0
_J2000: Final = 2451545.0
_DAY_ZERO: Final = 1721424.5
"""Julian date at the beginning of proleptic Gregorian day 0 (``date.toordinal`` 0)."""

_TERMS: Final = (
    # coefficient in days, power of E, multiples of M, M', F, Ω (Meeus, table of ch. 49, new moon)
    (-0.40720, 0, 0, 1, 0, 0), (0.17241, 1, 1, 0, 0, 0), (0.01608, 0, 0, 2, 0, 0),
    (0.01039, 0, 0, 0, 2, 0), (0.00739, 1, -1, 1, 0, 0), (-0.00514, 1, 1, 1, 0, 0),
    (0.00208, 2, 2, 0, 0, 0), (-0.00111, 0, 0, 1, -2, 0), (-0.00057, 0, 0, 1, 2, 0),
    (0.00056, 1, 1, 2, 0, 0), (-0.00042, 0, 0, 3, 0, 0), (0.00042, 1, 1, 0, 2, 0),
    (0.00038, 1, 1, 0, -2, 0), (-0.00024, 1, -1, 2, 0, 0), (-0.00017, 0, 0, 0, 0, 1),
    (-0.00007, 0, 2, 1, 0, 0), (0.00004, 0, 0, 2, -2, 0), (0.00004, 0, 3, 0, 0, 0),
    (0.00003, 0, 1, 1, -2, 0), (0.00003, 0, 0, 2, 2, 0), (-0.00003, 0, 1, 1, 2, 0),
    (0.00003, 0, -1, 1, 2, 0), (-0.00002, 0, -1, 1, -2, 0), (-0.00002, 0, 1, 3, 0, 0),
    (0.00002, 0, 0, 4, 0, 0),
)  # fmt: skip
_PLANETS: Final = (
    # coefficient in days, angle at epoch, angle for each lunation (degrees)
    (0.000325, 299.77, 0.107408), (0.000165, 251.88, 0.016321), (0.000164, 251.83, 26.651886),
    (0.000126, 349.42, 36.412478), (0.000110, 84.66, 18.206239), (0.000062, 141.74, 53.303771),
    (0.000060, 207.14, 2.453732), (0.000056, 154.84, 7.306860), (0.000047, 34.52, 27.261239),
    (0.000042, 207.19, 0.121824), (0.000040, 291.34, 1.844379), (0.000037, 161.72, 24.198154),
    (0.000035, 239.56, 25.513099), (0.000023, 331.55, 3.592518),
)  # fmt: skip


def solar_day(lunar_year: int, month: int, day: int) -> date:
    """The solar day of ``day``/``month`` (no leap month) of the lunar year beginning in that year.

    Raises ValueError for a day the month does not have.
    """
    first, following = _bounds(lunar_year, month)
    found = first + timedelta(days=day - 1)
    if not 1 <= month <= 12 or day < 1 or found >= following:
        raise ValueError(f"no day {day} in month {month} of {lunar_year}")
    return found


def new_year(year: int) -> date:
    """Mùng 1 Tết that falls in the solar ``year``."""
    return solar_day(year, 1, 1)


@lru_cache(maxsize=512)
def _bounds(lunar_year: int, month: int) -> tuple[date, date]:
    """First day of a month and of the month after it."""
    # months 1 to 10 follow month 11 of the year before; 11 and 12 open the next span
    first = _month_eleven(lunar_year - (month <= 10))
    leap = _leap_place(first, _month_eleven(lunar_year + (month > 10)))
    ordinal = (month + 1) % 12  # month 11 is 0, 12 is 1, 1 is 2 …
    place = first + ordinal + (ordinal >= leap)
    return date.fromordinal(_moon_day(place)), date.fromordinal(_moon_day(place + 1))


def _month_eleven(year: int) -> int:
    """Lunation in which the winter solstice of December ``year`` lies."""
    last_day = date(year, 12, 31).toordinal()
    lunation = floor((last_day + _DAY_ZERO - _EPOCH_JDE) / _SYNODIC_DAYS) + 1
    while _moon_day(lunation) > last_day:
        lunation -= 1
    return lunation - (_sector(lunation) == 9)  # the solstice, 270°, was before this month


def _leap_place(first: int, following: int) -> int:
    """Place, counted from month 11 as 0, of the leap month between two months 11; 99 = none."""
    if following - first != 13:
        return 99
    return next(
        place for place in range(1, 13) if _sector(first + place) == _sector(first + place + 1)
    )


def _sector(lunation: int) -> int:
    """Twelfth of the ecliptic (0 at the vernal equinox) at the beginning of the month's day 1."""
    midnight = _moon_day(lunation) + _DAY_ZERO - _UTC_OFFSET_DAYS
    return floor(_sun_longitude(midnight + _delta_t_days(midnight)) / 30)


@lru_cache(maxsize=4096)
def _moon_day(lunation: int) -> int:
    """Ordinal (`date.toordinal`) of the day in Vietnam on which ``lunation`` begins."""
    moment = _new_moon(lunation)
    return floor(moment - _delta_t_days(moment) + _UTC_OFFSET_DAYS - _DAY_ZERO)


def _new_moon(lunation: int) -> float:
    """Dynamical time, as a Julian date, of the new moon; 0 is that of 6 January 2000."""
    k = float(lunation)
    t = k / 1236.85
    mean = (
        _EPOCH_JDE
        + _SYNODIC_DAYS * k
        + 0.00015437 * t**2
        - 0.000000150 * t**3
        + 0.00000000073 * t**4
    )
    eccentricity = 1 - 0.002516 * t - 0.0000074 * t**2
    sun = 2.5534 + 29.10535670 * k - 0.0000014 * t**2
    moon = 201.5643 + 385.81693528 * k + 0.0107582 * t**2 + 0.00001238 * t**3
    latitude = 160.7108 + 390.67050284 * k - 0.0016118 * t**2 - 0.00000227 * t**3
    node = 124.7746 - 1.56375588 * k + 0.0020672 * t**2
    periodic = sum(
        size * eccentricity**power
        * sin(radians(a * sun + b * moon + c * latitude + d * node))
        for size, power, a, b, c, d in _TERMS
    )  # fmt: skip
    planets = sum(size * sin(radians(angle + rate * k)) for size, angle, rate in _PLANETS)
    return mean + periodic + planets


def _sun_longitude(jde: float) -> float:
    """Apparent longitude of the sun in degrees, 0 to 360 (Meeus ch. 25, lower accuracy)."""
    t = (jde - _J2000) / 36525
    mean = 280.46646 + 36000.76983 * t + 0.0003032 * t**2
    anomaly = radians(357.52911 + 35999.05029 * t - 0.0001537 * t**2)
    centre = (
        (1.914602 - 0.004817 * t) * sin(anomaly)
        + (0.019993 - 0.000101 * t) * sin(2 * anomaly)
        + 0.000289 * sin(3 * anomaly)
    )
    node = radians(125.04 - 1934.136 * t)
    return (mean + centre - 0.00569 - 0.00478 * sin(node)) % 360


def _delta_t_days(jde: float) -> float:
    """Dynamical minus universal time (parabola of Espenak and Meeus, good to a minute here)."""
    year = 2000 + (jde - _J2000) / 365.25
    return (62.92 + 0.32217 * (year - 2000) + 0.005589 * (year - 2000) ** 2) / _SECONDS
