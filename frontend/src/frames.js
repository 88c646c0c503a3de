// The live stream's format: messages of a u32 length and a map frame; all numbers little endian.
//
// A frame is a header of 32 bytes (kind u8, version u8, 0 u16, organisation u32, tick u32, n u32, then lon0, lat0, lonSpan,
// latSpan as f32) and columns, each padded to a multiple of 4 bytes. Kind 1 (snapshot) begins with u32 asset[n], kind 2
// (changes) with u16 gap[n]; then x u16, y u16, fine u8, course u8 (256 to the circle), speed u8 (km/h), state u8.
// The tick is the last one applied; a snapshot may repeat it, a change is always the next.

export const SNAPSHOT = 1;
export const CHANGES = 2;
export const STATES = ["unseen", "moving", "idle", "alarm", "offline"];
const VERSION = 1;
const HEADER = 32;
const SKIP = 65535;

export class BadFrame extends Error {}

/** Decode one frame. Throws BadFrame where it is not one. Columns are views into the buffer: copy what is kept. */
export function decodeFrame(buffer, offset = 0, length = buffer.byteLength - offset) {
  if (length < HEADER) throw new BadFrame(`a frame of ${length} bytes has no header`);
  const view = new DataView(buffer, offset, length);
  const kind = view.getUint8(0);
  const n = view.getUint32(12, true);
  if (view.getUint8(1) !== VERSION || (kind !== SNAPSHOT && kind !== CHANGES)) throw new BadFrame(`kind ${kind}, version ${view.getUint8(1)}`);
  const frame = {
    kind,
    n,
    organisation: view.getUint32(4, true),
    tick: view.getUint32(8, true),
    lon0: view.getFloat32(16, true),
    lat0: view.getFloat32(20, true),
    lonSpan: view.getFloat32(24, true),
    latSpan: view.getFloat32(28, true),
  };
  let at = HEADER;
  const column = (Kind) => {
    const size = n * Kind.BYTES_PER_ELEMENT;
    if (at + size > length) throw new BadFrame(`a frame of ${n} rows ends after ${length} bytes`);
    const start = offset + at;
    at += (size + 3) & ~3;
    if (start % Kind.BYTES_PER_ELEMENT === 0) return new Kind(buffer, start, n);
    return new Kind(buffer.slice(start, start + size));
  };
  if (kind === SNAPSHOT) frame.asset = column(Uint32Array);
  else frame.gap = column(Uint16Array);
  frame.x = column(Uint16Array);
  frame.y = column(Uint16Array);
  for (const name of ["fine", "course", "speed", "state"]) frame[name] = column(Uint8Array);
  return frame;
}

/** Call `row(slot, i)` for each row of a changes frame; rows that only carry a long gap are passed over. */
export function eachChange(frame, row) {
  let slot = 0;
  for (let i = 0; i < frame.n; i++) {
    slot += frame.gap[i];
    if (frame.gap[i] !== SKIP) row(slot, i);
  }
}

/** Longitude of row i in degrees (WGS-84). */
export function longitude(frame, i) {
  return frame.lon0 + (frame.lonSpan * (frame.x[i] * 16 + (frame.fine[i] >> 4))) / 1048576;
}

/** Latitude of row i in degrees (WGS-84). */
export function latitude(frame, i) {
  return frame.lat0 + (frame.latSpan * (frame.y[i] * 16 + (frame.fine[i] & 15))) / 1048576;
}

/** Join network chunks into messages. `push` returns the whole messages so far, each a Uint8Array (empty: a heartbeat). */
export class MessageSplitter {
  #pending = new Uint8Array(0);

  push(chunk) {
    let data = chunk;
    if (this.#pending.length) {
      data = new Uint8Array(this.#pending.length + chunk.length);
      data.set(this.#pending);
      data.set(chunk, this.#pending.length);
    }
    const messages = [];
    let at = 0;
    while (data.length - at >= 4) {
      const length = new DataView(data.buffer, data.byteOffset + at, 4).getUint32(0, true);
      if (length > 1 << 28) throw new BadFrame(`a message of ${length} bytes`);
      if (data.length - at - 4 < length) break;
      // A copy of its own, so that columns are aligned and the network's buffer is free.
      messages.push(data.slice(at + 4, at + 4 + length));
      at += 4 + length;
    }
    this.#pending = data.slice(at);
    return messages;
  }
}
