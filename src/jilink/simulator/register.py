"""An invented register of vehicles: the same seed gives the same plates, terminals and kinds on every machine.

Nobody's data: plates and telephone numbers are drawn from a seed. Telephone numbers lie in the range 14-0, which the numbering plan
gives to things, not people.
"""

from dataclasses import dataclass
from enum import StrEnum
from random import Random

COUNTIES = {
    "A": ("长春", "农安", "德惠", "榆树", "九台", "双阳"),
    "B": ("吉林", "永吉", "蛟河", "桦甸", "舒兰", "磐石"),
    "C": ("四平", "梨树", "伊通", "双辽"),
    "D": ("辽源", "东丰", "东辽"),
    "E": ("通化", "通化县", "辉南", "柳河", "集安"),
    "F": ("白山", "抚松", "靖宇", "长白", "江源", "临江"),
    "G": ("白城", "镇赉", "通榆", "洮南", "大安"),
    "H": ("延吉", "图们", "敦化", "珲春", "龙井", "和龙", "汪清", "安图"),
    "J": ("松原", "长岭", "乾安", "扶余"),
    "K": ("公主岭", "梅河口"),
}
"""Letter of the plate -> the towns its vehicles come from, the seat first."""


class Kind(StrEnum):
    """What a vehicle is for; it decides how it is driven."""

    COACH = "coach"
    TRUCK = "truck"
    TAXI = "taxi"
    DANGEROUS = "dangerous goods"
    REFUSE = "refuse truck"


@dataclass(frozen=True, slots=True, kw_only=True)
class Make:
    """How one kind is built: who made it, its terminal, its colour of plate (JT/T 415) and its share of the register."""

    share: int
    makers: tuple[str, ...]
    plate_colour: int
    top_kmh: int
    tank_l: float
    litres_per_100_km: float


BLUE, YELLOW = 1, 2

MAKES: dict[Kind, Make] = {
    Kind.COACH: Make(share=25, makers=("宇通 ZK6119", "金龙 XMQ6112"), plate_colour=YELLOW, top_kmh=100, tank_l=300, litres_per_100_km=26),
    Kind.TRUCK: Make(share=35, makers=("解放 J6P", "解放 J7"), plate_colour=YELLOW, top_kmh=90, tank_l=400, litres_per_100_km=33),
    Kind.TAXI: Make(share=25, makers=("捷达 VA3", "红旗 E-QM5"), plate_colour=BLUE, top_kmh=120, tank_l=50, litres_per_100_km=7),
    Kind.DANGEROUS: Make(share=10, makers=("解放 J6M 油罐车",), plate_colour=YELLOW, top_kmh=80, tank_l=380, litres_per_100_km=30),
    Kind.REFUSE: Make(share=5, makers=("福龙马 FLM5180",), plate_colour=YELLOW, top_kmh=70, tank_l=180, litres_per_100_km=38),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """One invented vehicle with its terminal. `year` is the edition of JT/T 808 that the terminal speaks."""

    index: int
    plate: str
    plate_colour: int
    kind: Kind
    model: str
    vin: str
    home: str
    phone: str
    terminal_id: str
    terminal_model: str
    manufacturer: str
    year: int
    seed: int


_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PLATES = 240_000
_VIN_VALUES = dict(zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", (*range(10), *range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True))
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def register(count: int, seed: int = 1, *, first: int = 0) -> list[Vehicle]:
    """Return `count` vehicles of the register of this seed: no telephone number or terminal id twice, nor a plate in the first 240,000."""
    return [vehicle(index, seed) for index in range(first, first + count)]


def vehicle(index: int, seed: int = 1) -> Vehicle:
    """Return one vehicle of the register; `index` runs from 0."""
    dice = Random(f"{seed}/{index}")  # noqa: S311 -- an invented register, not a secret
    kinds = list(MAKES)
    kind = dice.choices(kinds, [MAKES[k].share for k in kinds])[0]
    letter = dice.choices(list(COUNTIES), [30, 18, 8, 4, 7, 5, 6, 10, 8, 4])[0]
    towns = COUNTIES[letter]
    home = dice.choices(towns, [len(towns)] + [1] * (len(towns) - 1))[0]
    year = 2019 if dice.random() < 0.6 else 2013
    return Vehicle(
        index=index,
        plate=f"吉{letter}{_plate_number(index, seed)}",
        plate_colour=MAKES[kind].plate_colour,
        kind=kind,
        model=dice.choice(MAKES[kind].makers),
        vin=_vin(index, seed),
        home=home,
        phone=f"140{(seed * 10_000_000 + index) % 100_000_000:08d}",
        terminal_id=f"JLT{seed % 1000:03d}{index:09d}" if year == 2019 else f"J{_base36(seed, 2)}{_base36(index, 4)}",
        terminal_model=f"JL-T808-{year}",
        manufacturer="70220",
        year=year,
        seed=seed * 1_000_003 + index,
    )


def _plate_number(index: int, seed: int) -> str:
    number = (index * 7919 + seed * 104_729) % _PLATES  # 7919 shares no factor with it, so no plate comes twice
    return f"{_LETTERS[number // 10_000]}{number % 10_000:04d}"


def _base36(number: int, width: int) -> str:
    return "".join(_DIGITS[number // 36**place % 36] for place in range(width - 1, -1, -1))


def _vin(index: int, seed: int) -> str:
    """Return a vehicle identification number with a right check digit (GB 16735); its first three letters belong to no maker."""
    bare = f"LJ0JL0000R{seed % 10}{index % 1_000_000:06d}"
    total = sum(_VIN_VALUES[letter] * weight for letter, weight in zip(bare, _VIN_WEIGHTS, strict=True))
    check = "X" if total % 11 == 10 else str(total % 11)
    return bare[:8] + check + bare[9:]
