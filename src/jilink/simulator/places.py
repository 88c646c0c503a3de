"""The towns that pretend vehicles drive between, and the roads that join them.

Coordinates are those of the seats of government of Jilin province's prefectures and counties, rounded to a thousandth
of a degree (WGS-84, about 100 m), as any public gazetteer gives them; a test checks that each lies in its own county and
every road in the province. Roads follow the course of the real trunk roads only roughly: they are scenery, not a map.
"""

from typing import NamedTuple


class Place(NamedTuple):
    """A seat of government. `reach_km` is how far its streets go from the centre."""

    name: str
    longitude: float
    latitude: float
    reach_km: float


class Road(NamedTuple):
    """A road between two places, both ways. `via` are points it must pass to stay off water and borders."""

    start: str
    end: str
    limit_kmh: int
    via: tuple[tuple[float, float], ...] = ()


PLACES: dict[str, Place] = {
    place.name: place
    for place in (
        Place("长春", 125.324, 43.887, 9.0),
        Place("吉林", 126.553, 43.843, 6.0),
        Place("四平", 124.370, 43.166, 4.0),
        Place("辽源", 125.144, 42.902, 3.0),
        Place("通化", 125.940, 41.728, 2.5),
        Place("白山", 126.428, 41.943, 2.5),
        Place("松原", 124.825, 45.142, 3.5),
        Place("白城", 122.839, 45.620, 3.5),
        Place("延吉", 129.509, 42.891, 3.5),
        Place("农安", 125.185, 44.432, 2.0),
        Place("德惠", 125.703, 44.535, 2.0),
        Place("榆树", 126.550, 44.827, 2.0),
        Place("九台", 125.840, 44.152, 2.0),
        Place("双阳", 125.659, 43.526, 1.5),
        Place("公主岭", 124.818, 43.504, 2.0),
        Place("永吉", 126.498, 43.672, 1.5),
        Place("蛟河", 127.343, 43.724, 1.8),
        Place("桦甸", 126.746, 42.972, 1.8),
        Place("舒兰", 126.966, 44.410, 1.8),
        Place("磐石", 126.060, 42.946, 1.8),
        Place("梨树", 124.336, 43.307, 1.5),
        Place("伊通", 125.305, 43.346, 1.5),
        Place("双辽", 123.503, 43.519, 1.8),
        Place("东丰", 125.531, 42.677, 1.5),
        Place("东辽", 124.990, 42.927, 1.0),
        Place("通化县", 125.753, 41.680, 1.2),
        Place("辉南", 126.047, 42.684, 1.5),
        Place("柳河", 125.744, 42.285, 1.5),
        Place("梅河口", 125.712, 42.539, 2.0),
        Place("集安", 126.190, 41.128, 1.0),
        Place("抚松", 127.280, 42.342, 1.2),
        Place("靖宇", 126.813, 42.389, 1.2),
        Place("长白", 128.196, 41.424, 0.7),
        Place("江源", 126.591, 42.057, 1.2),
        Place("临江", 126.918, 41.815, 0.8),
        Place("长岭", 123.985, 44.276, 1.8),
        Place("乾安", 124.024, 45.011, 1.8),
        Place("扶余", 126.043, 44.987, 1.8),
        Place("镇赉", 123.202, 45.846, 1.5),
        Place("通榆", 123.088, 44.813, 1.5),
        Place("洮南", 122.784, 45.339, 2.0),
        Place("大安", 124.292, 45.507, 1.8),
        Place("图们", 129.840, 42.972, 0.9),
        Place("敦化", 128.232, 43.373, 2.2),
        Place("珲春", 130.366, 42.863, 1.8),
        Place("龙井", 129.426, 42.766, 1.2),
        Place("和龙", 129.008, 42.540, 1.2),
        Place("汪清", 129.762, 43.313, 1.5),
        Place("安图", 128.902, 43.111, 1.2),
    )
}

EXPRESSWAY, TRUNK, COUNTRY = 110, 80, 60

ROADS: tuple[Road, ...] = (
    Road("长春", "吉林", EXPRESSWAY),
    Road("长春", "公主岭", EXPRESSWAY),
    Road("公主岭", "四平", EXPRESSWAY),
    Road("长春", "德惠", EXPRESSWAY),
    Road("德惠", "扶余", EXPRESSWAY),
    Road("长春", "农安", EXPRESSWAY),
    Road("农安", "松原", EXPRESSWAY),
    Road("松原", "大安", EXPRESSWAY, ((124.50, 45.30), (124.30, 45.42))),
    Road("大安", "白城", EXPRESSWAY),
    Road("吉林", "蛟河", EXPRESSWAY),
    Road("蛟河", "敦化", EXPRESSWAY),
    Road("敦化", "安图", EXPRESSWAY),
    Road("安图", "延吉", EXPRESSWAY),
    Road("延吉", "图们", EXPRESSWAY),
    Road("图们", "珲春", EXPRESSWAY, ((129.95, 43.06), (130.17, 43.02))),
    Road("长春", "伊通", EXPRESSWAY),
    Road("伊通", "辽源", EXPRESSWAY),
    Road("辽源", "东丰", EXPRESSWAY),
    Road("东丰", "梅河口", EXPRESSWAY),
    Road("梅河口", "柳河", EXPRESSWAY),
    Road("柳河", "通化", EXPRESSWAY),
    Road("吉林", "舒兰", EXPRESSWAY),
    Road("长春", "双阳", TRUNK),
    Road("双阳", "磐石", TRUNK),
    Road("长春", "九台", TRUNK),
    Road("九台", "吉林", TRUNK),
    Road("九台", "德惠", COUNTRY),
    Road("吉林", "永吉", TRUNK),
    Road("永吉", "磐石", TRUNK),
    Road("吉林", "桦甸", TRUNK),
    Road("桦甸", "磐石", COUNTRY),
    Road("桦甸", "靖宇", TRUNK),
    Road("桦甸", "敦化", COUNTRY),
    Road("舒兰", "榆树", COUNTRY),
    Road("榆树", "德惠", TRUNK),
    Road("榆树", "扶余", COUNTRY),
    Road("扶余", "松原", TRUNK),
    Road("四平", "梨树", TRUNK),
    Road("四平", "伊通", TRUNK),
    Road("东辽", "辽源", TRUNK),
    Road("四平", "双辽", TRUNK, ((124.02, 43.45), (123.78, 43.54))),
    Road("梨树", "公主岭", COUNTRY),
    Road("公主岭", "伊通", COUNTRY),
    Road("双辽", "长岭", COUNTRY),
    Road("长岭", "农安", TRUNK),
    Road("长岭", "通榆", TRUNK),
    Road("长岭", "乾安", COUNTRY),
    Road("乾安", "松原", TRUNK),
    Road("乾安", "大安", COUNTRY),
    Road("通榆", "洮南", TRUNK),
    Road("洮南", "白城", TRUNK),
    Road("白城", "镇赉", TRUNK),
    Road("镇赉", "大安", COUNTRY),
    Road("磐石", "辉南", TRUNK),
    Road("辉南", "梅河口", TRUNK),
    Road("辉南", "靖宇", TRUNK),
    Road("通化", "通化县", TRUNK),
    Road("通化", "集安", TRUNK),
    Road("通化", "白山", EXPRESSWAY),
    Road("白山", "江源", TRUNK),
    Road("江源", "抚松", TRUNK),
    Road("江源", "靖宇", COUNTRY),
    Road("白山", "临江", TRUNK),
    Road("临江", "长白", COUNTRY, ((127.02, 41.82), (127.40, 41.66), (127.95, 41.52))),
    Road("靖宇", "抚松", TRUNK),
    Road("抚松", "敦化", COUNTRY),
    Road("延吉", "龙井", TRUNK),
    Road("龙井", "和龙", TRUNK),
    Road("和龙", "安图", COUNTRY),
    Road("图们", "汪清", TRUNK),
    Road("汪清", "延吉", COUNTRY),
)
