"""JT/T 808 by columns: many connections' reads in, positions and answers as arrays out."""

from jilink.protocols.jt808.columns.answers import encode_answers
from jilink.protocols.jt808.columns.carry import Carry, Stray
from jilink.protocols.jt808.columns.decoder import Batch, Decoder
from jilink.protocols.jt808.columns.frames import REASONS, Frames, phone_number, phone_text
from jilink.protocols.jt808.columns.positions import Positions

__all__ = ["REASONS", "Batch", "Carry", "Decoder", "Frames", "Positions", "Stray", "encode_answers", "phone_number", "phone_text"]
