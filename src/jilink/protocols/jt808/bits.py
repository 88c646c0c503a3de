"""Names of the bits that several messages share."""

ALARMS_2019 = {
    0: "emergency",
    1: "overspeed",
    2: "fatigue",
    3: "dangerous_driving",
    4: "gnss_fault",
    5: "gnss_antenna_open",
    6: "gnss_antenna_short",
    7: "main_power_low",
    8: "main_power_lost",
    9: "display_fault",
    10: "tts_fault",
    11: "camera_fault",
    12: "ic_card_fault",
    13: "overspeed_warning",
    14: "fatigue_warning",
    15: "illegal_driving",
    16: "tyre_pressure_warning",
    17: "right_turn_blind_zone",
    18: "daily_driving_exceeded",
    19: "parking_too_long",
    20: "area_crossed",
    21: "route_crossed",
    22: "section_time",
    23: "off_route",
    24: "vss_fault",
    25: "fuel_abnormal",
    26: "stolen",
    27: "illegal_ignition",
    28: "illegal_move",
    29: "collision",
    30: "rollover",
}
"""JT/T 808-2019, table 24."""

ALARMS_2013 = {number: name for number, name in ALARMS_2019.items() if number not in (15, 16, 17)} | {
    3: "danger_warning",
    31: "illegal_door",
}
"""JT/T 808-2013, table 24; 2011 is the same."""

STATUS_2013 = {
    0: "acc",
    1: "positioned",
    2: "south",
    3: "west",
    4: "out_of_service",
    5: "coordinates_encrypted",
    10: "fuel_cut",
    11: "circuit_cut",
    12: "doors_locked",
    13: "front_door_open",
    14: "middle_door_open",
    15: "rear_door_open",
    16: "driver_door_open",
    17: "custom_door_open",
    18: "gps",
    19: "beidou",
    20: "glonass",
    21: "galileo",
}
"""JT/T 808-2013, table 25."""

STATUS_2019 = STATUS_2013 | {6: "forward_collision_warning", 7: "lane_departure_warning", 22: "moving"}
"""JT/T 808-2019, table 25."""

LOAD = {"load": (8, 2, {0: "empty", 1: "half", 3: "full"})}

SIGNALS = {
    0: "low_beam",
    1: "high_beam",
    2: "right_turn",
    3: "left_turn",
    4: "brake",
    5: "reverse",
    6: "fog_lamp",
    7: "clearance_lamp",
    8: "horn",
    9: "air_conditioner",
    10: "neutral",
    11: "retarder",
    12: "abs",
    13: "heater",
    14: "clutch",
}
"""Item 0x25 (JT/T 808-2019, table 31); bit 0 is the lowest."""

IO = {0: "deep_sleep", 1: "sleep"}
"""Item 0x2A (JT/T 808-2019, table 32); bit 0 is the lowest."""

VIDEO_ALARMS = {
    0: "signal_lost",
    1: "masked",
    2: "storage_fault",
    3: "other_device_fault",
    4: "overload",
    5: "abnormal_driving",
    6: "special_recording_full",
}
"""Item 0x14 (JT/T 1078-2016)."""

ABNORMAL_DRIVING = {0: "fatigue", 1: "phone", 2: "smoking", 11: "custom1", 12: "custom2", 13: "custom3", 14: "custom4", 15: "custom5"}
"""Item 0x18 (JT/T 1078-2016)."""

GNSS = {0: "gps", 1: "beidou", 2: "glonass", 3: "galileo"}

CHANNELS = {number: f"channel{number + 1}" for number in range(32)}
